#include "homeserver/account/authn.h"

#include "homeserver/account/account.h"
#include "homeserver/account/account_db.h"
#include "homeserver/account/bearer.h"
#include "homeserver/account/seen.h"
#include "homeserver/account/session.h"
#include "homeserver/account/session_db.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/routes.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/lru.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

#define SESSIONS_MAX  20000 /* some 300 bytes each */
#define CONFLICTS_MAX 8

/* A session whose token of now is known. */
struct known_session {
	uint8_t access[MX_SHA256_LEN];
	int64_t until_ms; /* 0: for ever */
	int64_t seen_ms; /* when its use was last written down; monotonic, 0: not yet */
	char *user, *device;
};

struct authn {
	struct hs *hs;
	pthread_mutex_t lock; /* of all below, but the counter */
	struct mx_lru *sessions; /* id → struct known_session */
	struct mx_lru *flags; /* user → unsigned */
	_Atomic uint64_t changes; /* of the watched tables: what was read before one is not kept */
};

/* What the memory, or the store, says of a token. */
struct found {
	struct session session;
	unsigned flags;
	bool see; /* its use is to be written down */
};

static void known_free(void *ptr)
{
	struct known_session *known = ptr;

	mx_free(known->user);
	mx_free(known->device);
	mx_free(known);
}

/* ---- what others changed; on the committer's thread */

static void forget(struct authn *authn, struct mx_lru *lru, const struct mx_str *key)
{
	pthread_mutex_lock(&authn->lock);
	atomic_fetch_add(&authn->changes, 1);
	mx_lru_remove(lru, mx_str_slice(key));
	pthread_mutex_unlock(&authn->lock);
}

static void session_changed(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct authn *authn = ctx;
	mx_str_auto id = { 0 };

	(void)value;
	if (session_db_read_key(key, &id))
		forget(authn, authn->sessions, &id);
}

static void account_changed(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct authn *authn = ctx;
	mx_str_auto user = { 0 };

	(void)value;
	if (account_db_read_key(key, &user))
		forget(authn, authn->flags, &user);
}

struct authn *authn_new(struct hs *hs)
{
	struct authn *authn = mx_calloc(1, sizeof(*authn));

	authn->hs = hs;
	pthread_mutex_init(&authn->lock, NULL);
	authn->sessions = mx_lru_new(SESSIONS_MAX, 0, known_free);
	authn->flags = mx_lru_new(SESSIONS_MAX, 0, mx_free);
	store_watch(hs->store, &session_table, session_changed, authn);
	store_watch(hs->store, &account_table, account_changed, authn);
	return authn;
}

void authn_free(struct authn *authn)
{
	if (!authn)
		return;
	store_watch(authn->hs->store, &session_table, NULL, NULL);
	store_watch(authn->hs->store, &account_table, NULL, NULL);
	mx_lru_free(authn->sessions);
	mx_lru_free(authn->flags);
	pthread_mutex_destroy(&authn->lock);
	mx_free(authn);
}

/* ---- memory */

/* Under the lock. */
static bool recall(struct authn *authn, const struct hs_call *call, struct mx_slice id,
		   const uint8_t hash[MX_SHA256_LEN], struct found *ret_found)
{
	struct known_session *known = mx_lru_find(authn->sessions, id);
	const unsigned *flags = known ? mx_lru_find(authn->flags, mx_slice(known->user)) : NULL;
	struct found found = { 0 };

	if (!flags || sodium_memcmp(known->access, hash, MX_SHA256_LEN) != 0 ||
	    (known->until_ms && call->now_ms >= known->until_ms))
		return false;
	found.session.user = mx_arena_strdup(call->mem, known->user);
	found.session.device = mx_arena_strdup(call->mem, known->device);
	found.flags = *flags;
	found.see = seen_is_due(known->seen_ms);
	*ret_found = found;
	return true;
}

/* What was read of the store is kept, unless something has changed since. */
static void remember(struct authn *authn, const struct found *found, uint64_t changes)
{
	const struct session *session = &found->session;
	struct known_session *known = mx_calloc(1, sizeof(*known));
	unsigned *flags = mx_memdup(&found->flags, sizeof(found->flags));

	memcpy(known->access, session->now.access, MX_SHA256_LEN);
	known->until_ms = session->now.access_until_ms;
	known->user = mx_strdup(session->user);
	known->device = mx_strdup(session->device);
	pthread_mutex_lock(&authn->lock);
	if (atomic_load(&authn->changes) == changes) {
		mx_lru_put(authn->sessions, mx_slice(session->id), mx_steal(&known), 1);
		mx_lru_put(authn->flags, mx_slice(session->user), mx_steal(&flags), 1);
	}
	pthread_mutex_unlock(&authn->lock);
	if (known)
		known_free(known);
	mx_free(flags);
}

static void note_seen(struct authn *authn, struct req *r, struct mx_slice id)
{
	struct known_session *known;

	pthread_mutex_lock(&authn->lock);
	known = mx_lru_find(authn->sessions, id);
	if (known)
		known->seen_ms = mx_mono_ms();
	pthread_mutex_unlock(&authn->lock);
	seen_note(authn->hs, r);
}

/* ---- the store */

/* The first use of a new pair of tokens ends the pair before it. */
static int advance(struct hs_call *call, struct mx_slice token, struct session *ret_session,
		   enum session_standing *ret_standing)
{
	int rc = -MX_CONFLICT;

	call->view = NULL;
	for (unsigned i = 0; rc == -MX_CONFLICT && i < CONFLICTS_MAX; i++) {
		call->txn = store_txn_begin(call->hs->store);
		rc = session_by_access(call, token, ret_session, ret_standing);
		if (rc == 0 && *ret_standing == SESSION_NEXT)
			session_advance(call, ret_session);
		if (rc == 0)
			rc = store_txn_commit(call->txn, NULL);
		else
			store_txn_abort(call->txn);
	}
	if (rc == 0 && *ret_standing == SESSION_NEXT)
		*ret_standing = SESSION_NOW;
	return rc == -MX_CONFLICT ? -MX_BUSY : rc;
}

static int look(struct hs_call *call, struct mx_slice token, struct found *ret_found,
		enum session_standing *ret_standing)
{
	struct store_view *view = call->view = store_view_begin(call->hs->store);
	int rc = session_by_access(call, token, &ret_found->session, ret_standing);

	if (rc == 0 && *ret_standing != SESSION_UNKNOWN)
		ret_found->flags = account_flags(call, mx_slice(ret_found->session.user));
	store_view_end(view);
	if (rc == 0 && *ret_standing == SESSION_NEXT)
		rc = advance(call, token, &ret_found->session, ret_standing);
	return rc;
}

static int unknown(struct req *r, enum session_standing standing)
{
	/* Spec: client-server API, "Soft logout": the device is still there. */
	if (standing == SESSION_OVER)
		r->err_fields = json_pack("{s:b}", "soft_logout", 1);
	return mx_fail(&r->err, MX_UNKNOWN_TOKEN, "%s",
		       standing == SESSION_OVER ? "The access token is over"
						: "Unknown access token");
}

static int look_up(struct req *r, struct hs_call *call, struct mx_slice token,
		   struct found *ret_found)
{
	struct authn *authn = call->hs->authn;
	uint64_t changes = atomic_load(&authn->changes);
	enum session_standing standing = SESSION_UNKNOWN;
	int rc;

	if (session_id_of(token).len == 0)
		return unknown(r, SESSION_UNKNOWN);
	if (r->lane == LANE_IO)
		return -MX_MOVE_WORK;
	rc = look(call, token, ret_found, &standing);
	if (rc)
		return rc;
	if (standing != SESSION_NOW || (ret_found->flags & ACCOUNT_DEACTIVATED))
		return unknown(r, standing);
	ret_found->see = true;
	remember(authn, ret_found, changes);
	return 0;
}

static int find(struct req *r, struct mx_slice token, struct found *ret_found)
{
	struct hs_call call = call_of(r);
	struct authn *authn = call.hs->authn;
	struct mx_slice id = session_id_of(token);
	uint8_t hash[MX_SHA256_LEN];
	bool known = false;

	if (id.len > 0) {
		mx_sha256(token, hash);
		pthread_mutex_lock(&authn->lock);
		known = recall(authn, &call, id, hash, ret_found);
		pthread_mutex_unlock(&authn->lock);
	}
	return known ? 0 : look_up(r, &call, token, ret_found);
}

/* ---- what the route asks for */

static int check_standing(struct req *r, unsigned flags)
{
	const struct route *route = r->route;

	if ((flags & ACCOUNT_LOCKED) && !(route->flags & ROUTE_LOCKED)) {
		r->err_fields = json_pack("{s:b}", "soft_logout", 1);
		return -MX_USER_LOCKED;
	}
	if ((flags & ACCOUNT_GUEST) && route->auth != AUTH_USER_OR_GUEST &&
	    !(route->flags & ROUTE_GUESTS))
		return -MX_GUEST_FORBIDDEN;
	if ((flags & ACCOUNT_SUSPENDED) && r->method != GET && !(route->flags & ROUTE_SUSPENDED))
		return -MX_USER_SUSPENDED;
	return 0;
}

int authn_authenticate(struct req *r)
{
	struct hs *hs = r->app;
	struct found found = { 0 };
	struct mx_slice token;
	int rc;

	/* Servers and application services prove themselves in other ways. */
	if (r->route->auth == AUTH_SERVER || r->route->auth == AUTH_APPSERVICE)
		return -MX_UNAUTHORIZED;
	rc = bearer_token(r, &token);
	if (rc == -MX_MISSING_TOKEN && r->route->auth == AUTH_OPTIONAL)
		return 0;
	if (rc == 0)
		rc = find(r, token, &found);
	if (rc == 0)
		rc = check_standing(r, found.flags);
	if (rc)
		return rc;
	if (found.see && r->lane == LANE_IO)
		return -MX_MOVE_WORK;
	r->user = found.session.user;
	r->device = found.session.device;
	if (found.see)
		note_seen(hs->authn, r, session_id_of(token));
	return 0;
}

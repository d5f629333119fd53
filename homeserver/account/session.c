#include "homeserver/account/session.h"

#include "homeserver/account/session_db.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <sodium.h>

#define KIND_LEN   4
#define ACCESS     "tra_"
#define REFRESH    "trr_"
#define SECRET_LEN (SESSION_TOKEN_LEN - KIND_LEN - SESSION_ID_LEN - 1)

static const uint8_t none[MX_SHA256_LEN];

static void make_token(const char *kind, const char *id, char ret_token[SESSION_TOKEN_LEN + 1],
		       uint8_t ret_hash[MX_SHA256_LEN])
{
	memcpy(ret_token, kind, KIND_LEN);
	memcpy(ret_token + KIND_LEN, id, SESSION_ID_LEN);
	ret_token[KIND_LEN + SESSION_ID_LEN] = '_';
	mx_random_token(ret_token + KIND_LEN + SESSION_ID_LEN + 1, SECRET_LEN);
	mx_sha256(mx_slice_of(ret_token, SESSION_TOKEN_LEN), ret_hash);
}

static struct session_tokens make_pair(const struct hs_call *call, const char *id, bool refreshable,
				       struct session_pair *ret_pair)
{
	struct session_tokens tokens = { 0 };

	*ret_pair = (struct session_pair){ 0 };
	make_token(ACCESS, id, ret_pair->access, tokens.access);
	if (!refreshable)
		return tokens;
	make_token(REFRESH, id, ret_pair->refresh, tokens.refresh);
	ret_pair->access_life_ms = conf_of(call->hs)->sessions.access_minutes * MX_MINUTE_MS;
	tokens.access_until_ms = call->now_ms + ret_pair->access_life_ms;
	return tokens;
}

const char *session_begin(const struct hs_call *call, const char *user, const char *device,
			  bool refreshable, struct session_pair *ret_pair)
{
	char *id = mx_arena_alloc(call->mem, SESSION_ID_LEN + 1);
	struct session session = {
		.id = id,
		.user = user,
		.device = device,
		.created_ms = call->now_ms,
	};

	mx_random_token(id, SESSION_ID_LEN);
	session.now = make_pair(call, id, refreshable, ret_pair);
	session_db_put(call, &session);
	return id;
}

void session_end(const struct hs_call *call, const char *id)
{
	if (id)
		session_db_delete(call, id);
}

static bool is_id(struct mx_slice id)
{
	for (size_t i = 0; i < id.len; i++)
		if (!((id.ptr[i] >= '0' && id.ptr[i] <= '9') ||
		      (id.ptr[i] >= 'A' && id.ptr[i] <= 'Z') ||
		      (id.ptr[i] >= 'a' && id.ptr[i] <= 'z')))
			return false;
	return true;
}

struct mx_slice session_id_of(struct mx_slice token)
{
	struct mx_slice id = { 0 };

	if (token.len != SESSION_TOKEN_LEN || token.ptr[KIND_LEN + SESSION_ID_LEN] != '_' ||
	    (memcmp(token.ptr, ACCESS, KIND_LEN) != 0 && memcmp(token.ptr, REFRESH, KIND_LEN) != 0))
		return id;
	id = mx_slice_of(token.ptr + KIND_LEN, SESSION_ID_LEN);
	return is_id(id) ? id : (struct mx_slice){ 0 };
}

static bool same(const uint8_t a[MX_SHA256_LEN], const uint8_t b[MX_SHA256_LEN])
{
	return sodium_memcmp(a, b, MX_SHA256_LEN) == 0;
}

static int load(const struct hs_call *call, struct mx_slice token, const char *kind,
		struct session *ret_session)
{
	struct mx_slice id = session_id_of(token);

	if (id.len == 0 || memcmp(token.ptr, kind, KIND_LEN) != 0)
		return -MX_NOT_FOUND;
	return session_db_load(call, id, ret_session);
}

static bool is_good(const struct session_tokens *tokens, const uint8_t hash[MX_SHA256_LEN],
		    int64_t now_ms)
{
	return same(tokens->access, hash) &&
	       (tokens->access_until_ms == 0 || now_ms < tokens->access_until_ms);
}

int session_by_access(const struct hs_call *call, struct mx_slice token,
		      struct session *ret_session, enum session_standing *ret_standing)
{
	uint8_t hash[MX_SHA256_LEN];
	int rc = load(call, token, ACCESS, ret_session);

	if (rc == -MX_NOT_FOUND) {
		*ret_standing = SESSION_UNKNOWN;
		return 0;
	}
	if (rc)
		return rc;
	mx_sha256(token, hash);
	*ret_standing = SESSION_OVER;
	if (is_good(&ret_session->now, hash, call->now_ms))
		*ret_standing = SESSION_NOW;
	else if (is_good(&ret_session->next, hash, call->now_ms))
		*ret_standing = SESSION_NEXT;
	return 0;
}

void session_advance(const struct hs_call *call, struct session *session)
{
	session->now = session->next;
	session->next = (struct session_tokens){ 0 };
	session_db_put(call, session);
}

static bool session_is_over(const struct session *session)
{
	return same(session->now.access, none);
}

int session_refresh(const struct hs_call *call, struct mx_slice token, const char **ret_user,
		    struct session_pair *ret_pair)
{
	struct session session;
	uint8_t hash[MX_SHA256_LEN];
	int rc = load(call, token, REFRESH, &session);

	if (rc == 0 && session_is_over(&session))
		rc = -MX_NOT_FOUND;
	if (rc)
		return rc == -MX_NOT_FOUND ? -MX_UNKNOWN_TOKEN : rc;
	mx_sha256(token, hash);
	if (same(session.next.refresh, hash))
		session_advance(call, &session);
	if (!same(session.now.refresh, hash)) {
		session.now = session.next = (struct session_tokens){ 0 };
		session_db_put(call, &session);
		return -MX_UNKNOWN_TOKEN;
	}
	session.next = make_pair(call, session.id, true, ret_pair);
	*ret_user = session.user;
	session_db_put(call, &session);
	return 0;
}

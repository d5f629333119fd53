/* Spec: client-server API, "Syncing". */
#include "homeserver/call.h"
#include "homeserver/ephemeral/presence.h"
#include "homeserver/hs.h"
#include "homeserver/routes.h"
#include "homeserver/stream/stream.h"
#include "homeserver/sync/sync.h"
#include "homeserver/userdata/filter.h"
#include "homeserver/userdata/filters.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#define TIMEOUT_MAX_MS (60 * 1000) /* proxies in front give up not much later */

/* A client that waits: what is kept of its request while it is parked. */
struct poll {
	struct sync_ask ask;
	struct filter *filter;
	struct stream_wait *wait;
	int64_t timeout_ms;
	enum presence_state presence;
};

static void poll_free(void *kept)
{
	struct poll *poll = kept;

	if (poll->wait)
		stream_wait_end(poll->wait);
	filter_unref(poll->filter);
	mx_free(poll);
}

/* ---- what the query says */

static int query_bool(struct req *r, const char *name, bool *ret_value)
{
	const char *text = req_query(r, name);

	if (text && !streq(text, "true") && !streq(text, "false"))
		return mx_fail(&r->err, MX_INVALID_PARAM, "%s must be true or false", name);
	*ret_value = streq(text, "true");
	return 0;
}

static int query_state(struct req *r, enum sync_state *ret_state)
{
	bool after = false, unstable = false;
	int rc = query_bool(r, "use_state_after", &after);

	if (rc == 0)
		rc = query_bool(r, "org.matrix.msc4222.use_state_after", &unstable);
	*ret_state = after      ? SYNC_STATE_AFTER
		     : unstable ? SYNC_STATE_AFTER_UNSTABLE
				: SYNC_STATE_BEFORE;
	return rc;
}

/* A position that was not reached yet comes from before the server went back to a backup: the
 * client has to begin again. Ticks begin anew with the clock, which may have been set back. */
static int query_since(struct req *r, struct sync_ask *ask)
{
	const struct hs *hs = r->app;
	const char *text = req_query(r, "since");
	int rc;

	ask->initial = !text || !*text;
	if (ask->initial)
		return 0;
	rc = sync_token_parse(mx_slice(text), &ask->since, &r->err);
	if (rc)
		return rc;
	if (ask->since.position > store_stamp(hs->store)) {
		ask->initial = true;
		ask->since = (struct sync_token){ 0 };
	}
	if (ask->since.tick > stream_ticks(hs->stream))
		ask->since.tick = 0;
	ask->acknowledged = ask->since;
	return 0;
}

static int query_presence(struct req *r, enum presence_state *ret_state)
{
	const char *name = req_query(r, "set_presence");

	*ret_state = PRESENCE_ONLINE;
	if (name && !presence_state_parse(name, ret_state))
		return mx_fail(&r->err, MX_INVALID_PARAM,
			       "set_presence must be online, unavailable or offline");
	return 0;
}

static int query_timeout(struct req *r, int64_t *ret_timeout)
{
	int rc = req_query_i64(r, "timeout", 0, ret_timeout);

	if (*ret_timeout > TIMEOUT_MAX_MS)
		*ret_timeout = TIMEOUT_MAX_MS;
	return rc;
}

static int poll_read(struct req *r, struct poll *poll)
{
	const struct hs_call call = call_of(r);
	struct sync_ask *ask = &poll->ask;
	int rc = query_timeout(r, &poll->timeout_ms);

	if (rc == 0)
		rc = query_bool(r, "full_state", &ask->full_state);
	if (rc == 0)
		rc = query_state(r, &ask->state);
	if (rc == 0)
		rc = query_since(r, ask);
	if (rc == 0)
		rc = query_presence(r, &poll->presence);
	if (rc == 0)
		rc = filters_find(&call, r->user, req_query(r, "filter"), &poll->filter, &r->err);
	ask->filter = poll->filter;
	if (ask->initial || ask->full_state)
		poll->timeout_ms = 0;
	return rc;
}

static int poll_begin(struct req *r)
{
	struct poll *poll = mx_calloc(1, sizeof(*poll));

	r->kept = poll;
	r->kept_free = poll_free;
	return poll_read(r, poll);
}

/* ---- answering */

/* Whoever waits is woken from now on; what happened before will be seen. */
static void poll_watch(struct req *r, struct poll *poll)
{
	const struct hs *hs = r->app;
	struct req_wake *wake = req_wake_new(r, poll->timeout_ms);

	if (poll->wait)
		stream_wait_end(poll->wait);
	poll->wait = stream_wait_begin(hs->stream, mx_slice(r->user), wake);
	req_wake_unref(wake);
}

static int answer(struct req *r, struct mx_str *out)
{
	size_t len = out->len;

	reply_owned(r, "application/json", mx_str_steal(out), len);
	return 0;
}

/* What was looked at in vain is not looked at again at the next wake. */
static int poll_look(struct req *r, struct poll *poll, struct hs_call *call)
{
	bool wait = poll->timeout_ms > 0 && !r->timed_out;
	mx_str_auto out = { 0 };
	struct sync_token now;
	bool news;
	int rc;

	poll->ask.user_id = r->user;
	poll->ask.device = r->device;
	rc = sync_write(call, &poll->ask, &out, &now, &news);
	if (rc)
		return rc;
	if (news || !wait)
		return answer(r, &out);
	poll->ask.since = now;
	return -MX_PARK;
}

static int get_sync(struct req *r)
{
	struct hs_call call = call_of(r);
	bool first = !r->kept;
	struct poll *poll;
	int rc = first ? poll_begin(r) : 0;

	if (rc)
		return rc;
	poll = r->kept;
	if (poll->timeout_ms > 0 && !r->timed_out)
		poll_watch(r, poll);
	call.view = store_view_begin(call.hs->store);
	if (first)
		presence_syncing(&call, r->user, poll->presence, poll->timeout_ms);
	rc = poll_look(r, poll, &call);
	store_view_end(call.view);
	return rc;
}

const struct route sync_routes[] = {
	{ GET, CLIENT_V3 "/sync", get_sync, .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_READ,
	  .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED, .reply = "client/sync.reply",
	  .deadline_ms = TIMEOUT_MAX_MS + 30 * 1000 },
	{ 0 },
};

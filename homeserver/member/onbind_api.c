/* An identity server tells that an address was bound, and to which rooms it had been invited.
 * Spec: server-server API, "Third-party invites". Anybody can say so: what counts is the signature
 * of each token, by keys that the room itself names. */
#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/member/threepid_invite.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define INVITES_MAX 100

static bool is_ours(const struct hs_call *call, const char *user)
{
	struct hs_call reading = *call;
	struct account account;
	int rc;

	reading.view = store_view_begin(call->hs->store);
	rc = account_load(&reading, mx_slice(user), &account);
	store_view_end(reading.view);
	return rc == 0 && account_check_login(&account, NULL) == 0;
}

static int check(struct req *r, const struct hs_call *call)
{
	const char *user = jstr(r->body, "mxid");
	const json_t *invite;
	size_t i;

	if (json_array_size(jarr(r->body, "invites")) > INVITES_MAX)
		return mx_fail(&r->err, MX_TOO_MANY, "At most %d invites at once", INVITES_MAX);
	json_array_foreach (jarr(r->body, "invites"), i, invite)
		if (!streq(jstr(invite, "mxid"), user) ||
		    !streq(jstr(jobj(invite, "signed"), "mxid"), user))
			return mx_fail(&r->err, MX_INVALID_PARAM,
				       "The invites are of another user");
	if (!is_ours(call, user))
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no such user here");
	return 0;
}

/* What another try may mend; what a room refuses is answered like what it took, as nobody is there
 * to hear why. */
static bool is_passing(int rc)
{
	return mx_errc((enum mx_code) - rc)->status >= 500;
}

static int take_invite(const struct hs_call *call, const json_t *invite, struct mx_error *err)
{
	const struct threepid_proof proof = {
		.user_id = jstr(invite, "mxid"),
		.room_id = jstr(invite, "room_id"),
		.sender = jstr(invite, "sender"),
		.signed_token = jobj(invite, "signed"),
	};
	int rc = threepid_invite_exchange(call, &proof, err);

	if (rc)
		mx_log(MX_LOG_INFO, "an invite by address comes to nothing", "room", proof.room_id,
		       "why", mx_error_text(err, rc), NULL);
	return rc && is_passing(rc) ? rc : 0;
}

static int on_bind(struct req *r)
{
	const struct hs_call call = call_of(r);
	const json_t *invite;
	int rc = check(r, &call), failed = 0;
	size_t i;

	if (rc)
		return rc;
	json_array_foreach (jarr(r->body, "invites"), i, invite) {
		rc = take_invite(&call, invite, &r->err);
		failed = rc ? rc : failed;
	}
	return failed;
}

#define ONBIND "/_matrix/federation/v1/3pid/onbind"

/* The specification says PUT; what is deployed sends POST. */
const struct route onbind_routes[] = {
	{ PUT, ONBIND, on_bind, .limit = LIMIT_QUERY, .lane = LANE_NET, .body = "federation/onbind",
	  .reply = "client/empty.reply" },
	{ POST, ONBIND, on_bind, .limit = LIMIT_QUERY, .lane = LANE_NET,
	  .body = "federation/onbind", .reply = "client/empty.reply" },
	{ 0 },
};

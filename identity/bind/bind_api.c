/* Spec: identity service API, "Establishing associations". */
#include "identity/audit/audit.h"
#include "identity/bind/bind.h"
#include "identity/bind/unbind_proof.h"
#include "identity/identity.h"
#include "identity/message/message.h"
#include "identity/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/threepid/claim.h"

static int post_bind(struct req *r)
{
	const struct identity_call call = call_of(r);
	const struct letter_style style = message_style_of(r->app, r);
	const char *user_id = jstr(r->body, "mxid");
	const struct claim_call sessions = claim_call_of(call);
	struct claim session;
	struct binding binding;
	int rc;

	/* Version 1 knows no accounts. */
	if (r->user && !streq(r->user, user_id))
		return mx_fail(&r->err, MX_NOT_YOURS, "mxid is not the user of the access token");
	rc = claim_proof(&sessions, jstr(r->body, "sid"), jstr(r->body, "client_secret"), &session,
			 &r->err);
	if (rc == 0)
		rc = bind_session(&call, &session, user_id, &style, &binding, &r->err);
	if (rc)
		return rc;
	audit_note(&call, &(struct audit_note){ .who = "owner",
						.what = "bind",
						.threepid = &binding.threepid,
						.user_id = user_id });
	reply_bytes(r, "application/json", binding.signed_json);
	return 0;
}

/* In LANE_NET the key is fetched, then the request goes back to where it can write. */
static char key_was_fetched;

static int prove_by_homeserver(struct req *r, const struct identity_call *call)
{
	const struct unbind_request request = {
		.authorization = req_header(r, "Authorization"),
		.target = r->target,
		.client = r->client,
		.content = r->raw,
		.user_id = jstr(r->body, "mxid"),
		.may_wait = r->lane == LANE_NET,
	};
	int rc = unbind_proof_homeserver(call, &request, &r->err);

	if (rc == 0 && r->lane == LANE_NET) {
		r->kept = &key_was_fetched;
		return -MX_MOVE_WORK;
	}
	if (rc == -MX_MOVE_NET && r->kept)
		return mx_fail(&r->err, MX_REMOTE_FAILED,
			       "The key of the user's homeserver could not be kept");
	return rc;
}

static bool has_session(const struct req *r)
{
	return jstr(r->body, "sid") && jstr(r->body, "client_secret");
}

static int prove(struct req *r, const struct identity_call *call, const struct threepid *threepid)
{
	if (has_session(r))
		return unbind_proof_session(call, jstr(r->body, "sid"),
					    jstr(r->body, "client_secret"), threepid, &r->err);
	return prove_by_homeserver(r, call);
}

static int post_unbind(struct req *r)
{
	const struct identity_call call = call_of(r);
	const struct letter_style style = message_style_of(r->app, r);
	const json_t *as_sent = jobj(r->body, "threepid");
	struct threepid threepid;
	int rc = threepid_parse(jstr(as_sent, "medium"), jstr(as_sent, "address"), r->mem,
				&threepid, &r->err);

	if (rc == 0)
		rc = prove(r, &call, &threepid);
	if (rc == 0)
		rc = unbind(&call, &threepid, jstr(r->body, "mxid"), &style, &r->err);
	if (rc)
		return rc;
	audit_note(&call, &(struct audit_note){ .who = has_session(r) ? "owner" : "homeserver",
						.what = "unbind",
						.threepid = &threepid,
						.user_id = jstr(r->body, "mxid") });
	return 0;
}

#define BIND_ROW                                                        \
	.limit = LIMIT_EDIT, .txn = TXN_WRITE, .body = "identity/bind", \
	.reply = "identity/bind.reply"
#define UNBIND_ROW                                                                             \
	.limit = LIMIT_EDIT, .txn = TXN_WRITE, .flags = ROUTE_CORS, .body = "identity/unbind", \
	.reply = "identity/empty"

const struct route bind_routes[] = {
	{ POST, IDENTITY_V2 "/3pid/bind", post_bind, .auth = AUTH_USER, .flags = ROUTE_CORS,
	  BIND_ROW },
	{ POST, IDENTITY_V2 "/3pid/unbind", post_unbind, UNBIND_ROW },
	{ 0 },
};

const struct route bind_v1_routes[] = {
	{ POST, IDENTITY_V1 "/3pid/bind", post_bind, .flags = ROUTE_CORS | ROUTE_FORM, BIND_ROW },
	{ POST, IDENTITY_V1 "/3pid/unbind", post_unbind, UNBIND_ROW },
	{ 0 },
};

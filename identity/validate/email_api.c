/* Spec: identity service API, "Email associations", "General". */
#include "identity/identity.h"
#include "identity/routes.h"
#include "identity/validate/confirming.h"
#include "identity/validate/token_request.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/threepid/validation.h"

static int post_email_token(struct req *r)
{
	struct validation_request request = { .channel = &mail_channel };
	int rc;

	if (r->kept)
		return token_request_await(r);
	rc = token_request_read(r, &request);
	if (rc)
		return rc;
	request.session.address_as_sent = jstr(r->body, "email");
	rc = threepid_parse("email", request.session.address_as_sent, r->mem,
			    &request.session.threepid, &r->err);
	return rc ? rc : token_request_begin(r, &request, NULL);
}

static int get_validated(struct req *r)
{
	const struct claim_call call = claim_call_of(call_of(r));
	const char *id = req_query(r, "sid"), *secret = req_query(r, "client_secret");
	struct claim session;
	int rc;

	if (!id || !secret)
		return mx_fail(&r->err, MX_MISSING_PARAMS, "Missing: %s%s%s", id ? "" : "sid",
			       id || secret ? "" : ", ", secret ? "" : "client_secret");
	rc = claim_proof(&call, id, secret, &session, &r->err);
	if (rc == 0)
		reply_json(r, json_pack("{s:s, s:s, s:I}", "medium", session.threepid.medium,
					"address", session.threepid.address, "validated_at",
					(json_int_t)session.validated_ms));
	return rc;
}

#define VALIDATED "/3pid/getValidated3pid"

const struct route email_routes[] = {
	ASK_ROW(IDENTITY_V2, "email", post_email_token, AUTH_USER, "identity/email_token",
		"identity/email_token.reply"),
	CONFIRM_ROWS(IDENTITY_V2, "email", AUTH_USER),
	{ GET, IDENTITY_V2 VALIDATED, get_validated, .auth = AUTH_USER, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS, .reply = "identity/validated.reply" },
	{ 0 },
};

const struct route email_v1_routes[] = {
	ASK_ROW(IDENTITY_V1, "email", post_email_token, AUTH_NONE, "identity/email_token_v1",
		"identity/email_token.reply"),
	CONFIRM_ROWS(IDENTITY_V1, "email", AUTH_NONE),
	{ GET, IDENTITY_V1 VALIDATED, get_validated, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "identity/validated.reply" },
	{ 0 },
};

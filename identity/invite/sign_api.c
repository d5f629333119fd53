/* Spec: identity service API, "Ephemeral invitation signing" and "Key management". */
#include "identity/identity.h"
#include "identity/invite/invite.h"
#include "identity/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static int sign(struct req *r)
{
	struct identity_call call = call_of(r);
	const struct invite_signing signing = {
		.user_id = jstr(r->body, "mxid"),
		.token = jstr(r->body, "token"),
		.private_key = jstr(r->body, "private_key"),
	};
	json_t *signed_json;
	int rc = invite_sign(&call, &signing, &signed_json, &r->err);

	if (rc == 0)
		reply_json(r, signed_json);
	return rc;
}

static int is_valid(struct req *r)
{
	struct identity_call call = call_of(r);
	const char *key = req_query(r, "public_key");

	if (!key)
		return mx_fail(&r->err, MX_MISSING_PARAMS, "public_key is missing");
	reply_json(r, json_pack("{s:b}", "valid", ephemeral_is_valid(&call, key)));
	return 0;
}

/* Clients post to the address of the mail with everything in its query and no body at all, on
 * whatever path it is. */
const struct route sign_v2_routes[] = {
	{ POST, IDENTITY_V2 "/sign-ed25519", sign, .auth = AUTH_USER, .limit = LIMIT_EDIT,
	  .txn = TXN_READ, .flags = ROUTE_CORS | ROUTE_FORM, .body = "identity/sign_ed25519",
	  .reply = "identity/sign_ed25519.reply" },
	{ 0 },
};

#define FOR_ANYBODY                                                             \
	.limit = LIMIT_EDIT, .txn = TXN_READ, .flags = ROUTE_CORS | ROUTE_FORM, \
	.body = "identity/sign_ed25519", .reply = "identity/sign_ed25519.reply"

const struct route sign_v1_routes[] = {
	{ POST, IDENTITY_V1 "/sign-ed25519", sign, FOR_ANYBODY },
	{ 0 },
};

/* Rooms and mails name these for ever, so they are there whatever else is switched off. */
const struct route ephemeral_routes[] = {
	{ POST, IDENTITY_OWN "/sign-ed25519", sign, FOR_ANYBODY },
	{ GET, IDENTITY_V2 "/pubkey/ephemeral/isvalid", is_valid, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS, .reply = "identity/valid.reply" },
	{ GET, IDENTITY_V1 "/pubkey/ephemeral/isvalid", is_valid, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS, .reply = "identity/valid.reply" },
	{ 0 },
};

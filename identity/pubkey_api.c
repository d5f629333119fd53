/* Spec: identity service API, "Key management". */
#include "identity/identity.h"
#include "identity/long_term_keys.h"
#include "identity/routes.h"
#include "shared/http/request.h"

static int get_key(struct req *r)
{
	const struct identity *identity = r->app;
	char key[44];

	if (!long_term_find(identity->keys, req_param(r, "keyId"), key))
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no such public key");
	reply_json(r, json_pack("{s:s}", "public_key", key));
	return 0;
}

static int get_is_valid(struct req *r)
{
	const struct identity *identity = r->app;
	const char *key = req_query(r, "public_key");

	if (!key)
		return mx_fail(&r->err, MX_MISSING_PARAM, "public_key is missing");
	reply_json(r, json_pack("{s:b}", "valid", long_term_is_valid(identity->keys, key)));
	return 0;
}

#define FROM_MEMORY .lane = LANE_IO, .flags = ROUTE_CORS

#define ROWS(base)                                                 \
	{ GET, base "/pubkey/isvalid", get_is_valid, FROM_MEMORY,  \
	  .reply = "identity/valid.reply" },                       \
	{                                                          \
		GET, base "/pubkey/{keyId}", get_key, FROM_MEMORY, \
			.reply = "identity/pubkey.reply"           \
	}

const struct route pubkey_routes[] = {
	ROWS(IDENTITY_V1),
	ROWS(IDENTITY_V2),
	{ 0 },
};

/* Spec: client-server API, "OpenID"; server-server API, "OpenID". */
#include "homeserver/account/account.h"
#include "homeserver/account/short_token.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"

#include <jansson.h>
#include <sodium.h>

#define LIFE_MS MX_HOUR_MS

static int post_request_token(struct req *r)
{
	const struct hs_call call = call_of(r);
	char token[SHORT_TOKEN_LEN + 1];

	if (!streq(req_param(r, "userId"), r->user))
		return mx_fail(&r->err, MX_FORBIDDEN, "That is somebody else");
	short_token_make(&call, SHORT_TOKEN_OPENID, r->user, LIFE_MS, token);
	reply_json(r, json_pack("{s:s, s:s, s:s, s:I}", "access_token", token, "token_type",
				"Bearer", "matrix_server_name", call.hs->conf->server_name,
				"expires_in", (json_int_t)(LIFE_MS / MX_SECOND_MS)));
	sodium_memzero(token, sizeof(token));
	return 0;
}

/* Whoever has been deactivated or locked since proves nothing any more. */
static int get_userinfo(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *token = req_query(r, "access_token"), *user;
	struct account account;
	int rc;

	if (!token)
		return -MX_MISSING_TOKEN;
	rc = short_token_user(&call, SHORT_TOKEN_OPENID, mx_slice(token), &user);
	if (rc == 0)
		rc = account_load(&call, mx_slice(user), &account);
	if (rc == -MX_NOT_FOUND || (rc == 0 && account_check_login(&account, NULL)))
		return mx_fail(&r->err, MX_UNKNOWN_TOKEN, "Access token unknown or expired");
	if (rc == 0)
		reply_json(r, json_pack("{s:s}", "sub", user));
	return rc;
}

const struct route openid_routes[] = {
	{ POST, CLIENT_V3 "/user/{userId}/openid/request_token", post_request_token,
	  .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_SUSPENDED | ROUTE_RAW_BODY, .reply = "client/openid.reply" },
	{ GET, "/_matrix/federation/v1/openid/userinfo", get_userinfo, .limit = LIMIT_QUERY,
	  .txn = TXN_READ, .reply = "federation/openid_userinfo.reply" },
	{ 0 },
};

/* Spec: client-server API, "Login", "Refreshing access tokens", "Logout". */
#include "homeserver/account/account.h"
#include "homeserver/account/device.h"
#include "homeserver/account/login.h"
#include "homeserver/account/session.h"
#include "homeserver/account/short_token.h"
#include "homeserver/account/uia.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#include <sodium.h>

#define PASSWORD "m.login.password"
#define TOKEN    "m.login.token"

#define CONFLICTS_MAX 16

static int get_login(struct req *r)
{
	reply_json(r, json_pack("{s:[{s:s}, {s:s, s:b}]}", "flows", "type", PASSWORD, "type", TOKEN,
				"get_login_token", 1));
	return 0;
}

/* What a lock means for the client's state is the same here as anywhere. */
static int check_account(struct req *r, const struct hs_call *call, const char *user)
{
	struct account account;
	int rc = account_load(call, mx_slice(user), &account);

	if (rc == 0)
		rc = account_check_login(&account, &r->err);
	if (rc == -MX_USER_LOCKED)
		r->err_fields = json_pack("{s:b}", "soft_logout", 1);
	return rc == -MX_NOT_FOUND ? -MX_FORBIDDEN : rc;
}

/* Spec: the token is good for one log-in. */
static int prove_by_token(struct req *r, const char **ret_user)
{
	const struct hs_call call = call_of(r);
	const struct mx_slice token = jslice(r->body, "token");
	int rc;

	if (!token.ptr)
		return mx_fail(&r->err, MX_MISSING_PARAM, "`token` is missing");
	rc = short_token_user(&call, SHORT_TOKEN_LOGIN, token, ret_user);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_FORBIDDEN, "The token is not good");
	if (rc == 0)
		short_token_spend(&call, SHORT_TOKEN_LOGIN, token);
	return rc;
}

static int prove(struct req *r, const char **ret_user)
{
	const char *type = jstr(r->body, "type");

	if (streq(type, PASSWORD))
		return login_by_password(r, r->body, ret_user);
	if (streq(type, TOKEN))
		return prove_by_token(r, ret_user);
	return mx_fail(&r->err, MX_UNKNOWN_LOGIN, "This type of log-in is not known");
}

static int post_login(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct login_wish wish = { 0 };
	json_t *reply = NULL;
	int rc = login_read_wish(r->body, &wish, &r->err);

	if (rc == 0)
		rc = prove(r, &wish.user);
	if (rc == 0)
		rc = check_account(r, &call, wish.user);
	if (rc == 0)
		rc = login_sign_in(&call, &wish, &reply, &r->err);
	if (rc == 0)
		reply_json(r, reply);
	return rc;
}

static int post_get_token(struct req *r)
{
	const struct hs_call call = call_of(r);
	int64_t life_ms = conf_of(call.hs)->login.token_minutes * MX_MINUTE_MS;
	char token[SHORT_TOKEN_LEN + 1];

	uia_spend(&call, r);
	short_token_make(&call, SHORT_TOKEN_LOGIN, r->user, life_ms, token);
	reply_json(r, json_pack("{s:s, s:I}", "login_token", token, "expires_in_ms",
				(json_int_t)life_ms));
	sodium_memzero(token, sizeof(token));
	return 0;
}

/* ---- refresh */

/* The outcome is committed in any case: a token that was used before ends its session. */
static int refresh_once(struct req *r, struct session_pair *ret_pair)
{
	struct hs_call call = call_of(r);
	int refreshed, refused = 0, rc;
	const char *user;

	call.txn = store_txn_begin(call.hs->store);
	refreshed = session_refresh(&call, jslice(r->body, "refresh_token"), &user, ret_pair);
	if (refreshed == 0)
		refused = check_account(r, &call, user);
	if (refused) {
		store_txn_abort(call.txn);
		return refused;
	}
	rc = store_txn_commit(call.txn, &r->err);
	return rc ? rc : refreshed;
}

static int post_refresh(struct req *r)
{
	struct session_pair pair;
	int rc = -MX_CONFLICT;

	for (unsigned i = 0; rc == -MX_CONFLICT && i < CONFLICTS_MAX; i++)
		rc = refresh_once(r, &pair);
	if (rc == -MX_UNKNOWN_TOKEN) {
		r->err_fields = json_pack("{s:b}", "soft_logout", 1);
		return mx_fail(&r->err, MX_UNKNOWN_TOKEN, "Unknown refresh token");
	}
	if (rc)
		return rc == -MX_CONFLICT ? -MX_BUSY : rc;
	reply_json(r, json_pack("{s:s, s:s, s:I}", "access_token", pair.access, "refresh_token",
				pair.refresh, "expires_in_ms", (json_int_t)pair.access_life_ms));
	sodium_memzero(&pair, sizeof(pair));
	return 0;
}

/* ---- logout */

static int post_logout(struct req *r)
{
	const struct hs_call call = call_of(r);

	return device_delete(&call, r->user, r->device);
}

static int post_logout_all(struct req *r)
{
	const struct hs_call call = call_of(r);

	return device_delete_all(&call, r->user, NULL);
}

#define LOGIN   CLIENT_V3 "/login"
#define LOGOUT  CLIENT_V3 "/logout"
#define ANYBODY (ROUTE_CORS | ROUTE_GUESTS | ROUTE_LOCKED | ROUTE_SUSPENDED | ROUTE_RAW_BODY)

const struct route login_routes[] = {
	{ GET, LOGIN, get_login, .limit = LIMIT_READ, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .reply = "client/login_flows.reply" },
	{ POST, LOGIN, post_login, .limit = LIMIT_LOGIN, .txn = TXN_WRITE, .flags = ROUTE_CORS,
	  .body = "client/login", .reply = "client/login.reply" },
	{ POST, CLIENT_V1 "/login/get_token", post_get_token, .auth = AUTH_USER,
	  .limit = LIMIT_LOGIN, .txn = TXN_WRITE, .flags = ROUTE_CORS | ROUTE_UIA | ROUTE_SUSPENDED,
	  .body = "client/get_token", .reply = "client/get_token.reply" },
	{ POST, CLIENT_V3 "/refresh", post_refresh, .limit = LIMIT_LOGIN, .flags = ROUTE_CORS,
	  .body = "client/refresh", .reply = "client/refresh.reply" },
	{ POST, LOGOUT, post_logout, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ANYBODY, .reply = "client/empty.reply" },
	{ POST, LOGOUT "/all", post_logout_all, .auth = AUTH_USER, .limit = LIMIT_EDIT,
	  .txn = TXN_WRITE, .flags = ANYBODY, .reply = "client/empty.reply" },
	{ 0 },
};

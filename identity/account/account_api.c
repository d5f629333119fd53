/* Spec: identity service API, "Authentication". */
#include "identity/account/account.h"
#include "identity/account/authenticate.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define CONFLICTS_MAX 5

/* Two at once of one user meet in the row of the account: the later one tries again. */
static int open_account(struct req *r, const char *user_id, char *ret_token)
{
	const struct identity *identity = r->app;
	int rc = -MX_CONFLICT;

	for (unsigned i = 0; rc == -MX_CONFLICT && i < CONFLICTS_MAX; i++) {
		struct store_txn *txn = store_txn_begin(identity->store);

		rc = account_open(txn, user_id, mx_now_ms(), ret_token, &r->err);
		if (rc)
			store_txn_abort(txn);
		else
			rc = store_txn_commit(txn, &r->err);
	}
	return rc == -MX_CONFLICT ? -MX_BUSY : rc;
}

static int post_register(struct req *r)
{
	char token[ACCOUNT_TOKEN_LEN + 1];
	const char *user_id;
	int rc = openid_user(r->app, jstr(r->body, "matrix_server_name"),
			     jstr(r->body, "access_token"), r->mem, &user_id, &r->err);

	if (rc == 0)
		rc = open_account(r, user_id, token);
	if (rc)
		return rc;
	/* An early service used the other name, so clients read either. */
	reply_json(r, json_pack("{s:s, s:s}", "token", token, "access_token", token));
	return 0;
}

static int get_account(struct req *r)
{
	reply_json(r, json_pack("{s:s}", "user_id", r->user));
	return 0;
}

static int post_logout(struct req *r)
{
	const char *token = bearer_token(r);

	if (!token)
		return mx_fail(&r->err, MX_UNAUTHORIZED, "An access token is needed");
	return account_close(r->txn, token, &r->err);
}

#define ACCOUNT IDENTITY_V2 "/account"

const struct route account_routes[] = {
	{ POST, ACCOUNT "/register", post_register, .limit = LIMIT_REGISTER, .lane = LANE_NET,
	  .flags = ROUTE_CORS, .body = "identity/register", .reply = "identity/register.reply" },
	{ GET, ACCOUNT, get_account, .auth = AUTH_USER, .limit = LIMIT_READ, .flags = ROUTE_CORS,
	  .reply = "identity/account.reply" },
	/* Not by the authenticator: an unknown token is another error here, and no terms count. */
	{ POST, ACCOUNT "/logout", post_logout, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_RAW_BODY, .reply = "identity/empty" },
	{ 0 },
};

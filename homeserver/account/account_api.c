/* Spec: client-server API, "Current account information", "Password management". */
#include "homeserver/account/account.h"
#include "homeserver/account/device.h"
#include "homeserver/account/password.h"
#include "homeserver/account/threepids.h"
#include "homeserver/account/uia.h"
#include "homeserver/call.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static int get_whoami(struct req *r)
{
	const struct hs_call call = call_of(r);
	unsigned flags = account_flags(&call, mx_slice(r->user));

	reply_json(r, json_pack("{s:s, s:s, s:b}", "user_id", r->user, "device_id", r->device,
				"is_guest", flags & ACCOUNT_GUEST ? 1 : 0));
	return 0;
}

/* ---- password */

/* The account of the address that a stage found out. */
static int reset_user(struct req *r, const struct hs_call *call, const struct uia_session *session,
		      const char **ret_user)
{
	int rc = -MX_NOT_FOUND;

	for (size_t i = 0; rc == -MX_NOT_FOUND && uia_stages[i]; i++) {
		const json_t *found = uia_result(session, uia_stages[i]->type);

		if (found && uia_stages[i]->resets)
			rc = threepid_user(call, jstr(found, "medium"), jstr(found, "address"),
					   ret_user, NULL);
	}
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_FORBIDDEN, "No account has this address");
	return rc;
}

/* Who is signed in confirms it; who is not proves an address of the account's. */
static int confirm(struct req *r, const char **ret_user)
{
	const struct hs_call call = call_of(r);
	uia_session_auto session = { 0 };
	int rc = uia_require(r, r->user ? &uia_confirm : &uia_reset, NULL, &session);

	if (rc)
		return rc;
	*ret_user = r->user;
	return r->user ? 0 : reset_user(r, &call, &session, ret_user);
}

static int post_password(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *password = jstr(r->body, "new_password"), *hash, *user;
	int rc = password_check_new(r, password);

	if (rc == 0)
		rc = confirm(r, &user);
	if (rc == 0)
		rc = password_hash(r, password, &hash);
	if (rc == 0)
		rc = account_set_password(&call, user, hash);
	if (rc == 0 && jbool(r->body, "logout_devices", true))
		rc = device_delete_all(&call, user, r->device);
	if (rc == 0)
		uia_spend(&call, r);
	return rc;
}

const struct route account_routes[] = {
	{ GET, CLIENT_V3 "/account/whoami", get_whoami, .auth = AUTH_USER_OR_GUEST,
	  .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS,
	  .reply = "client/whoami.reply" },
	{ POST, CLIENT_V3 "/account/password", post_password, .auth = AUTH_OPTIONAL,
	  .limit = LIMIT_LOGIN, .txn = TXN_WRITE, .flags = ROUTE_CORS | ROUTE_SUSPENDED,
	  .body = "client/password", .reply = "client/empty.reply" },
	{ 0 },
};

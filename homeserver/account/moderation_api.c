/* Spec: client-server API, "Server Administration". */
#include "homeserver/account/account.h"
#include "homeserver/account/device.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"

/* ---- whois */

/* A device has one session, and is remembered with the connection that it was last seen on. */
static json_t *show_device(const struct device *device)
{
	json_t *connection = json_pack("{s:s*, s:s*}", "ip", device->ip, "user_agent",
				       device->user_agent);

	if (device->seen_ms)
		json_object_set_new(connection, "last_seen", json_integer(device->seen_ms));
	return json_pack("{s:[{s:[o]}]}", "sessions", "connections", connection);
}

static int get_whois(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *user = req_param(r, "userId");
	json_t *devices = json_object();
	struct device_list list = { 0 };
	int rc = 0;

	if (!streq(user, r->user))
		rc = account_check_admin(&call, r->user, &r->err);
	if (rc == 0 && !account_exists(&call, mx_slice(user)))
		rc = mx_fail(&r->err, MX_NOT_FOUND, "There is no such user");
	if (rc == 0)
		rc = device_list(&call, user, &list);
	for (size_t i = 0; i < list.len; i++)
		json_object_set_new(devices, list.items[i].id, show_device(&list.items[i]));
	reply_json(r, json_pack("{s:s, s:o}", "user_id", user, "devices", devices));
	return rc;
}

/* ---- locks and suspensions */

/* Spec: whether the caller may is checked before anything is looked up. */
static int load_subject(struct req *r, const struct hs_call *call, struct account *ret_account)
{
	struct mx_slice user = mx_slice(req_param(r, "userId"));
	struct mx_id id;
	int rc = account_check_admin(call, r->user, &r->err);

	if (rc)
		return rc;
	if (!mx_user_id_parse(user, false, &id) ||
	    !mx_slice_is(id.server, call->hs->conf->server_name))
		return mx_fail(&r->err, MX_INVALID_PARAM, "That is no user of this server");
	rc = account_load(call, user, ret_account);
	if (rc == -MX_NOT_FOUND || (rc == 0 && (ret_account->flags & ACCOUNT_DEACTIVATED)))
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no such user");
	if (rc == 0 && (ret_account->flags & ACCOUNT_ADMIN))
		return mx_fail(&r->err, MX_FORBIDDEN,
			       "Administrators are not locked or suspended by others, nor by "
			       "themselves");
	return rc;
}

static int get_flag(struct req *r, unsigned flag, const char *name)
{
	const struct hs_call call = call_of(r);
	struct account account;
	int rc = load_subject(r, &call, &account);

	if (rc == 0)
		reply_json(r, json_pack("{s:b}", name, account.flags & flag ? 1 : 0));
	return rc;
}

static int put_flag(struct req *r, unsigned flag, const char *name)
{
	const struct hs_call call = call_of(r);
	bool wanted = jbool(r->body, name, false);
	struct account account;
	int rc = load_subject(r, &call, &account);

	if (rc == 0)
		rc = account_set_flags(&call, account.user, wanted ? flag : 0, wanted ? 0 : flag);
	if (rc == 0)
		reply_json(r, json_pack("{s:b}", name, wanted ? 1 : 0));
	return rc;
}

static int get_lock(struct req *r)
{
	return get_flag(r, ACCOUNT_LOCKED, "locked");
}

static int put_lock(struct req *r)
{
	return put_flag(r, ACCOUNT_LOCKED, "locked");
}

static int get_suspend(struct req *r)
{
	return get_flag(r, ACCOUNT_SUSPENDED, "suspended");
}

static int put_suspend(struct req *r)
{
	return put_flag(r, ACCOUNT_SUSPENDED, "suspended");
}

#define LOCK    CLIENT_V1 "/admin/lock/{userId:user_id}"
#define SUSPEND CLIENT_V1 "/admin/suspend/{userId:user_id}"

const struct route moderation_routes[] = {
	{ GET, CLIENT_V3 "/admin/whois/{userId}", get_whois, .auth = AUTH_USER, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS, .reply = "client/whois.reply" },
	{ GET, LOCK, get_lock, .auth = AUTH_USER, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "client/admin_lock" },
	{ PUT, LOCK, put_lock, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS, .body = "client/admin_lock", .reply = "client/admin_lock" },
	{ GET, SUSPEND, get_suspend, .auth = AUTH_USER, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "client/admin_suspend" },
	{ PUT, SUSPEND, put_suspend, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS, .body = "client/admin_suspend", .reply = "client/admin_suspend" },
	{ 0 },
};

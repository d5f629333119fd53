/* The admin listener: users. */
#include "homeserver/account/account.h"
#include "homeserver/account/device.h"
#include "homeserver/account/password.h"
#include "homeserver/call.h"
#include "homeserver/registration/register.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/daemon/admin_page.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/store/page.h"

struct named_flag {
	const char *name;
	unsigned flag;
};

/* What an operator may switch; the rest is shown only. */
static const struct named_flag switches[] = {
	{ "admin", ACCOUNT_ADMIN },
	{ "locked", ACCOUNT_LOCKED },
	{ "suspended", ACCOUNT_SUSPENDED },
	{ NULL, 0 },
};

static const struct named_flag facts[] = {
	{ "guest", ACCOUNT_GUEST },
	{ "deactivated", ACCOUNT_DEACTIVATED },
	{ "erased", ACCOUNT_ERASED },
	{ NULL, 0 },
};

static void show_flags(json_t *shown, const struct named_flag *named, unsigned flags)
{
	for (; named->name; named++)
		if (flags & named->flag)
			json_object_set_new(shown, named->name, json_true());
}

static json_t *show(const struct account *account)
{
	json_t *shown = json_pack("{s:s, s:I, s:b}", "user_id", account->user, "created_ts",
				  (json_int_t)account->created_ms, "has_password",
				  account->password ? 1 : 0);

	show_flags(shown, switches, account->flags);
	show_flags(shown, facts, account->flags);
	return shown;
}

static json_t *show_device(const struct device *device)
{
	return json_pack("{s:s, s:s*, s:I, s:s*, s:s*, s:b}", "device_id", device->id, "name",
			 device->name, "seen_ts", (json_int_t)device->seen_ms, "ip", device->ip,
			 "user_agent", device->user_agent, "signed_in", device->session ? 1 : 0);
}

static int get_users(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct account_list list;
	json_t *items;
	struct page page;
	int rc = admin_page(r, &page);

	if (rc == 0)
		rc = account_list(&call, &page, &list);
	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(items, show(&list.items[i]));
	admin_reply_page(r, json_pack("{s:o}", "users", items), list.next);
	return 0;
}

static int load(struct req *r, const struct hs_call *call, struct account *ret_account)
{
	int rc = account_load(call, mx_slice(req_param(r, "userId")), ret_account);

	return rc == -MX_NOT_FOUND ? mx_fail(&r->err, MX_NOT_FOUND, "There is no such user") : rc;
}

static int get_user(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct device_list list;
	struct account account;
	json_t *shown, *devices;
	int rc = load(r, &call, &account);

	if (rc == 0)
		rc = device_list(&call, account.user, &list);
	if (rc)
		return rc;
	shown = show(&account);
	devices = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(devices, show_device(&list.items[i]));
	json_object_set_new(shown, "devices", devices);
	reply_json(r, shown);
	return 0;
}

static int post_user(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct account account = { .created_ms = call.now_ms };
	int rc = register_name(&call, jstr(r->body, "username"), &account.user, &r->err);

	if (jbool(r->body, "admin", false))
		account.flags |= ACCOUNT_ADMIN;
	if (rc == 0)
		rc = password_check_new(r, jstr(r->body, "password"));
	if (rc == 0)
		rc = password_hash(r, jstr(r->body, "password"), &account.password);
	if (rc == 0)
		rc = register_account(&call, &account, &r->err);
	if (rc == 0)
		reply_json(r, show(&account));
	return rc;
}

static int put_user(struct req *r)
{
	const struct hs_call call = call_of(r);
	unsigned set = 0, clear = 0;
	struct account account;
	int rc = load(r, &call, &account);

	for (const struct named_flag *named = switches; named->name; named++) {
		const json_t *wanted = json_object_get(r->body, named->name);

		if (json_is_true(wanted))
			set |= named->flag;
		else if (wanted)
			clear |= named->flag;
	}
	if (rc == 0)
		rc = account_set_flags(&call, account.user, set, clear);
	return rc;
}

static int post_password(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *password = jstr(r->body, "password"), *hash;
	struct account account;
	int rc = load(r, &call, &account);

	if (rc == 0 && (account.flags & ACCOUNT_DEACTIVATED))
		rc = mx_fail(&r->err, MX_USER_DEACTIVATED, "This account has been deactivated");
	if (rc == 0)
		rc = password_check_new(r, password);
	if (rc == 0)
		rc = password_hash(r, password, &hash);
	if (rc == 0)
		rc = account_set_password(&call, account.user, hash);
	if (rc == 0 && jbool(r->body, "sign_out", true))
		rc = device_delete_all(&call, account.user, NULL);
	return rc;
}

static int post_sign_out(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct account account;
	int rc = load(r, &call, &account);

	return rc ? rc : device_delete_all(&call, account.user, NULL);
}

#define USERS ADMIN_V1 "/users"
#define USER  USERS "/{userId:user_id}"

const struct route user_admin_routes[] = {
	{ GET, USERS, get_users, .txn = TXN_READ },
	{ POST, USERS, post_user, .txn = TXN_WRITE, .body = "homeserver_admin/user" },
	{ GET, USER, get_user, .txn = TXN_READ },
	{ PUT, USER, put_user, .txn = TXN_WRITE, .body = "homeserver_admin/user_flags" },
	{ POST, USER "/password", post_password, .txn = TXN_WRITE,
	  .body = "homeserver_admin/password" },
	{ POST, USER "/sign-out", post_sign_out, .txn = TXN_WRITE, .flags = ROUTE_RAW_BODY },
	{ 0 },
};

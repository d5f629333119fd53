#include "homeserver/account/login.h"

#include "homeserver/account/account.h"
#include "homeserver/account/attempts.h"
#include "homeserver/account/device.h"
#include "homeserver/account/password.h"
#include "homeserver/account/session.h"
#include "homeserver/account/threepids.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/phone/phone.h"
#include "shared/store/store.h"

#include <ctype.h>
#include <sodium.h>

/* ---- who is meant. Spec: client-server API, "Identifier types" */

static const char *full_id(const struct hs_call *call, const char *name)
{
	if (*name == '@')
		return mx_arena_strdup(call->mem, name);
	return mx_arena_strf(call->mem, "@%s:%s", name, call->hs->conf->server_name);
}

/* Names are registered in small letters, and people's keyboards write the first one large. */
static const char *by_name(const struct hs_call *call, const char *name)
{
	const char *user = full_id(call, name);
	char *small;

	if (account_exists(call, mx_slice(user)))
		return user;
	small = mx_arena_strdup(call->mem, user);
	for (char *c = small; *c && *c != ':'; c++)
		*c = (char)tolower((unsigned char)*c);
	return small;
}

/* NULL for an address of nobody. */
static const char *by_threepid(const struct hs_call *call, const char *medium, const char *address)
{
	const char *user = NULL;

	if (threepid_user(call, medium, address, &user, NULL))
		return NULL;
	return user;
}

static const char *by_phone(const struct hs_call *call, const json_t *identifier)
{
	const char *country = jstr(identifier, "country");
	const char *number = jstr_or(identifier, "phone", jstr_or(identifier, "number", ""));
	struct phone phone;

	if (!country || !phone_parse(number, country, &phone))
		return NULL;
	return by_threepid(call, "msisdn", phone.msisdn);
}

static int identify(const struct hs_call *call, const json_t *proof, const char **ret_user,
		    struct mx_error *err)
{
	const json_t *identifier = jobj(proof, "identifier");
	const char *type = jstr(identifier, "type");
	const json_t *named = identifier ? identifier : proof; /* as the first clients did */
	const char *name = jstr(named, "user"), *medium = jstr(named, "medium");
	const char *address = jstr(named, "address");

	if (identifier && streq(type, "m.id.phone"))
		*ret_user = by_phone(call, identifier);
	else if (name && (!type || streq(type, "m.id.user")))
		*ret_user = by_name(call, name);
	else if (medium && address && (!type || streq(type, "m.id.thirdparty")))
		*ret_user = by_threepid(call, medium, address);
	else
		return mx_fail(err, MX_INVALID_PARAM, "Nobody is named by `identifier`");
	return 0;
}

/* ---- the password */

/* Buckets of users and of addresses are apart: ids begin with '@'. */
static int check_attempts(struct req *r, const char *who)
{
	struct hs *hs = r->app;
	int64_t wait_ms = attempts_wait_ms(hs->attempts, &conf_of(hs)->login, mx_slice(who));

	if (wait_ms == 0)
		return 0;
	r->err.retry_after_ms = wait_ms;
	return mx_fail(&r->err, MX_LIMIT_EXCEEDED, "Too many attempts failed");
}

static int failed(struct req *r, const char *user)
{
	struct hs *hs = r->app;

	attempts_failed(hs->attempts, &conf_of(hs)->login, mx_slice(r->client));
	attempts_failed(hs->attempts, &conf_of(hs)->login, mx_slice(user));
	return mx_fail(&r->err, MX_FORBIDDEN, "The user name or the password is not right");
}

/* Unless somebody changes the password at this moment: then the next log-in does it. */
static void put_better(const struct hs_call *call, const struct account *account, const char *hash)
{
	struct account now;

	if (account_load(call, mx_slice(account->user), &now) == 0 &&
	    streq(now.password, account->password))
		account_set_password(call, account->user, hash);
}

/* With the handler's transaction if it has one: another would make that one run again. */
static void set_better(struct req *r, const struct account *account, const char *hash)
{
	struct hs_call call = call_of(r);

	if (call.txn) {
		put_better(&call, account, hash);
		return;
	}
	call.txn = store_txn_begin(call.hs->store);
	put_better(&call, account, hash);
	store_txn_commit(call.txn, NULL);
}

static int verify(struct req *r, const struct account *account, const char *password)
{
	struct password_verdict verdict;
	int rc = password_verify(r, password, account->password, &verdict);

	if (rc)
		return rc;
	/* With the account its password goes, so nobody could prove anything any more. */
	if (!account->password && (account->flags & ACCOUNT_DEACTIVATED))
		return -MX_USER_DEACTIVATED;
	if (!verdict.right)
		return failed(r, account->user);
	if (verdict.better)
		set_better(r, account, verdict.better);
	return 0;
}

/* With a view of its own, which does not wait for the password. */
static int load(struct req *r, const json_t *proof, struct account *ret_account)
{
	struct hs_call call = call_of(r);
	struct store_view *view = call.view = store_view_begin(call.hs->store);
	const char *user;
	int rc;

	call.txn = NULL;
	rc = identify(&call, proof, &user, &r->err);
	if (rc == 0 && !user)
		user = "@";
	if (rc == 0)
		rc = account_load(&call, mx_slice(user), ret_account);
	if (rc == -MX_NOT_FOUND) {
		*ret_account = (struct account){ .user = user };
		rc = 0;
	}
	store_view_end(view);
	return rc;
}

int login_by_password(struct req *r, const json_t *proof, const char **ret_user)
{
	const char *password = jstr(proof, "password");
	struct account account;
	int rc;

	if (!password)
		return mx_fail(&r->err, MX_MISSING_PARAM, "`password` is missing");
	if (strlen(password) > PASSWORD_MAX)
		return mx_fail(&r->err, MX_INVALID_PARAM, "The password is too long");
	rc = load(r, proof, &account);
	if (rc == 0)
		rc = check_attempts(r, r->client);
	if (rc == 0)
		rc = check_attempts(r, account.user);
	if (rc == 0)
		rc = verify(r, &account, password);
	if (rc == 0)
		*ret_user = account.user;
	return rc;
}

/* ---- signing in */

int login_read_wish(const json_t *body, struct login_wish *ret_wish, struct mx_error *err)
{
	int rc = 0;

	ret_wish->device_id = jstr(body, "device_id");
	ret_wish->device_name = jstr(body, "initial_device_display_name");
	ret_wish->refreshable = jbool(body, "refresh_token", false);
	if (ret_wish->device_id)
		rc = device_check_id(ret_wish->device_id, err);
	return rc ? rc : device_check_name(ret_wish->device_name, err);
}

static json_t *show(const struct hs *hs, const struct device *device,
		    const struct session_pair *pair)
{
	json_t *reply = json_pack("{s:s, s:s, s:s, s:s}", "user_id", device->user, "access_token",
				  pair->access, "device_id", device->id, "home_server",
				  hs->conf->server_name);

	if (*pair->refresh)
		json_object_set_new(reply, "refresh_token", json_string(pair->refresh));
	if (pair->access_life_ms)
		json_object_set_new(reply, "expires_in_ms", json_integer(pair->access_life_ms));
	return reply;
}

int login_sign_in(const struct hs_call *call, const struct login_wish *wish, json_t **ret_reply,
		  struct mx_error *err)
{
	const struct device wanted = {
		.user = wish->user,
		.id = wish->device_id,
		.name = wish->device_name,
	};
	struct session_pair pair;
	struct device device;
	int rc = device_open(call, &wanted, &device, err);

	if (rc)
		return rc;
	device.session = session_begin(call, device.user, device.id, wish->refreshable, &pair);
	device_put(call, &device);
	*ret_reply = show(call->hs, &device, &pair);
	sodium_memzero(&pair, sizeof(pair));
	return 0;
}

/* Spec: client-server API, "Account registration". */
#include "homeserver/account/account.h"
#include "homeserver/account/device.h"
#include "homeserver/account/login.h"
#include "homeserver/account/password.h"
#include "homeserver/account/registration_token.h"
#include "homeserver/account/stages.h"
#include "homeserver/account/uia.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/registration/register.h"
#include "homeserver/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

/* What a request wants, with what an earlier one of the session said. */
struct wish {
	const char *name; /* NULL: any */
	const char *password; /* its hash; NULL: none was given yet */
	struct login_wish login;
	bool inhibit_login;
};

/* ---- what was said first counts; the password is kept as its hash only */

static const char *const kept_words[] = {
	"username",      "device_id",     "initial_device_display_name",
	"refresh_token", "inhibit_login", NULL
};

static json_t *to_keep(const json_t *body, const char *password)
{
	json_t *kept = json_object();

	for (size_t i = 0; kept_words[i]; i++)
		if (json_object_get(body, kept_words[i]))
			json_object_set(kept, kept_words[i], json_object_get(body, kept_words[i]));
	if (password)
		json_object_set_new(kept, "password_hash", json_string(password));
	return kept;
}

static int changed(struct req *r, const char *what)
{
	return mx_fail(&r->err, MX_FORBIDDEN, "`%s` is not what the session was begun with", what);
}

static int check_same(struct req *r, const json_t *kept)
{
	for (size_t i = 0; kept_words[i]; i++) {
		const json_t *before = json_object_get(kept, kept_words[i]);
		const json_t *now = json_object_get(r->body, kept_words[i]);

		if (before && now && !json_equal(before, now))
			return changed(r, kept_words[i]);
	}
	return 0;
}

static int read_password(struct req *r, const json_t *kept, const char **ret_hash)
{
	const char *password = jstr(r->body, "password");
	const char *hash = jstr(kept, "password_hash");
	struct password_verdict verdict;
	int rc;

	*ret_hash = hash;
	if (!password)
		return 0;
	rc = password_check_new(r, password);
	if (rc == 0 && !hash)
		return password_hash(r, password, ret_hash);
	if (rc == 0)
		rc = password_verify(r, password, hash, &verdict);
	return rc || verdict.right ? rc : changed(r, "password");
}

/* ---- */

static int check_open(struct req *r)
{
	if (conf_of(r->app)->registration.mode == CONF_REGISTRATION_CLOSED)
		return mx_fail(&r->err, MX_FORBIDDEN, "Registration is closed on this server");
	return 0;
}

/* NUL, and what is no string, are no names either. */
static int read_name(struct req *r, const json_t *said, const char **ret_name)
{
	const json_t *name = json_object_get(said, "username");

	*ret_name = json_string_value(name);
	if (name && !*ret_name)
		return mx_fail(&r->err, MX_BAD_JSON, "`username` is no string");
	if (name && strlen(*ret_name) != json_string_length(name))
		return -MX_INVALID_USERNAME;
	return 0;
}

static int read_wish(struct req *r, const struct hs_call *call, const json_t *said,
		     struct wish *ret_wish)
{
	const char *user = NULL;
	int rc = read_name(r, said, &ret_wish->name);

	if (rc == 0)
		rc = login_read_wish(said, &ret_wish->login, &r->err);
	if (rc == 0 && ret_wish->name)
		rc = register_name(call, ret_wish->name, &user, &r->err);
	ret_wish->login.user = user;
	ret_wish->inhibit_login = jbool(said, "inhibit_login", false);
	return rc;
}

/* What stages found out that counts once there is an account. */
static int use_results(struct req *r, const struct hs_call *call, const struct uia_session *session)
{
	const json_t *token = uia_result(session, UIA_REGISTRATION_TOKEN);

	return token ? registration_token_use(call, json_string_value(token), &r->err) : 0;
}

static int make(struct req *r, const struct hs_call *call, const struct uia_session *session,
		struct wish *wish)
{
	const struct account account = {
		.user = wish->login.user ? wish->login.user : register_free_name(call),
		.created_ms = call->now_ms,
		.password = wish->password,
	};
	json_t *reply = NULL;
	int rc = register_account(call, &account, &r->err);

	wish->login.user = account.user;
	if (rc == 0)
		rc = stages_keep_addresses(call, session, account.user, &r->err);
	if (rc == 0 && !wish->inhibit_login)
		rc = login_sign_in(call, &wish->login, &reply, &r->err);
	if (rc)
		return rc;
	if (!reply)
		reply = json_pack("{s:s, s:s}", "user_id", account.user, "home_server",
				  call->hs->conf->server_name);
	reply_json(r, reply);
	return 0;
}

/* said: the request's own words, and what is kept of earlier ones. */
static int post_user_said(struct req *r, json_t *said, const json_t *kept)
{
	const struct hs_call call = call_of(r);
	uia_session_auto session = { 0 };
	json_auto_t *keep = NULL;
	struct wish wish = { 0 };
	int rc = read_wish(r, &call, said, &wish);

	if (rc == 0)
		rc = read_password(r, kept, &wish.password);
	if (rc)
		return rc;
	keep = to_keep(said, wish.password);
	rc = uia_require(r, &uia_register, keep, &session);
	if (rc == 0 && !wish.password)
		rc = mx_fail(&r->err, MX_MISSING_PARAM, "`password` is missing");
	if (rc == 0)
		rc = use_results(r, &call, &session);
	if (rc == 0)
		rc = make(r, &call, &session, &wish);
	if (rc == 0)
		uia_spend(&call, r);
	return rc;
}

static int post_user(struct req *r)
{
	json_auto_t *kept = uia_kept(r), *said = json_copy(r->body);
	int rc = check_open(r);

	if (rc == 0 && kept)
		rc = check_same(r, kept);
	if (kept)
		json_object_update_missing(said, kept);
	return rc ? rc : post_user_said(r, said, kept);
}

/* Spec: nothing that a guest says counts but the name of the device. */
static int post_guest(struct req *r)
{
	const struct hs_call call = call_of(r);
	const struct account account = {
		.user = register_free_name(&call),
		.flags = ACCOUNT_GUEST,
		.created_ms = call.now_ms,
	};
	const struct login_wish wish = {
		.user = account.user,
		.device_name = jstr(r->body, "initial_device_display_name"),
	};
	json_t *reply = NULL;
	int rc = device_check_name(wish.device_name, &r->err);

	if (rc == 0 && !*conf_of(r->app)->registration.guests)
		rc = mx_fail(&r->err, MX_FORBIDDEN, "This server has no guests");
	if (rc == 0)
		rc = register_account(&call, &account, &r->err);
	if (rc == 0)
		rc = login_sign_in(&call, &wish, &reply, &r->err);
	if (rc == 0)
		reply_json(r, reply);
	return rc;
}

static int post_register(struct req *r)
{
	const char *kind = req_query(r, "kind");

	if (!kind || streq(kind, "user"))
		return post_user(r);
	if (streq(kind, "guest"))
		return post_guest(r);
	return mx_fail(&r->err, MX_INVALID_PARAM, "There is no such kind of account");
}

static int get_available(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *name = req_query(r, "username"), *user;
	int rc = check_open(r);

	if (rc == 0 && !name)
		rc = mx_fail(&r->err, MX_MISSING_PARAM, "`username` is missing");
	if (rc == 0)
		rc = register_name(&call, name, &user, &r->err);
	if (rc == 0)
		reply_json(r, json_pack("{s:b}", "available", 1));
	return rc;
}

static int get_token_validity(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *token = req_query(r, "token");
	int rc = check_open(r);

	if (rc == 0 && !token)
		rc = mx_fail(&r->err, MX_MISSING_PARAM, "`token` is missing");
	if (rc == 0)
		reply_json(r, json_pack("{s:b}", "valid",
					registration_token_is_good(&call, token) ? 1 : 0));
	return rc;
}

#define REGISTER CLIENT_V3 "/register"

const struct route register_routes[] = {
	{ POST, REGISTER, post_register, .limit = LIMIT_REGISTER, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS, .body = "client/register", .reply = "client/register.reply" },
	{ GET, REGISTER "/available", get_available, .limit = LIMIT_REGISTER, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "client/register_available.reply" },
	{ GET, CLIENT_V1 "/register/m.login.registration_token/validity", get_token_validity,
	  .limit = LIMIT_REGISTER, .txn = TXN_READ, .flags = ROUTE_CORS,
	  .reply = "client/token_validity.reply" },
	{ 0 },
};

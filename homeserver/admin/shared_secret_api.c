/* The admin listener: what Synapse's register_new_matrix_user and its like ask for. */
#include "homeserver/account/account.h"
#include "homeserver/account/login.h"
#include "homeserver/account/password.h"
#include "homeserver/account/shared_secret.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/registration/register.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static int check_on(struct req *r)
{
	const struct hs *hs = r->app;

	return hs->register_secret ? 0 : -MX_UNRECOGNIZED;
}

static int get_nonce(struct req *r)
{
	const struct hs *hs = r->app;
	char nonce[SHARED_SECRET_NONCE + 1];
	int rc = check_on(r);

	if (rc)
		return rc;
	shared_secret_nonce(hs->register_secret, nonce);
	reply_json(r, json_pack("{s:s}", "nonce", nonce));
	return 0;
}

/* The handler is run again once the password is hashed; the nonce is taken once. */
static int check_proof(struct req *r)
{
	const struct hs *hs = r->app;
	bool is_admin = jbool(r->body, "admin", false);
	const char *const parts[] = {
		jstr(r->body, "nonce"),     jstr(r->body, "username"),
		jstr(r->body, "password"),  is_admin ? "admin" : "notadmin",
		jstr(r->body, "user_type"), NULL,
	};

	if (r->run == 0 && !shared_secret_take(hs->register_secret, parts[0]))
		return mx_fail(&r->err, MX_INVALID_PARAM, "The nonce is not known");
	if (!shared_secret_proves(hs->register_secret, parts, jstr(r->body, "mac")))
		return mx_fail(&r->err, MX_FORBIDDEN, "The HMAC is not right");
	return 0;
}

static int make(struct req *r, const char *hash)
{
	const struct hs_call call = call_of(r);
	struct account account = { .created_ms = call.now_ms, .password = hash };
	struct login_wish wish = { 0 };
	json_t *reply = NULL;
	int rc = register_name(&call, jstr(r->body, "username"), &account.user, &r->err);

	if (jbool(r->body, "admin", false))
		account.flags |= ACCOUNT_ADMIN;
	if (rc == 0)
		rc = register_account(&call, &account, &r->err);
	wish.user = account.user;
	if (rc == 0)
		rc = login_sign_in(&call, &wish, &reply, &r->err);
	if (rc == 0)
		reply_json(r, reply);
	return rc;
}

static int post_register(struct req *r)
{
	const char *password = jstr(r->body, "password"), *hash;
	int rc = check_on(r);

	if (rc == 0)
		rc = check_proof(r);
	if (rc == 0)
		rc = password_check_new(r, password);
	if (rc == 0)
		rc = password_hash(r, password, &hash);
	return rc ? rc : make(r, hash);
}

#define REGISTER "/_synapse/admin/v1/register"

const struct route shared_secret_routes[] = {
	{ GET, REGISTER, get_nonce },
	{ POST, REGISTER, post_register, .txn = TXN_WRITE,
	  .body = "homeserver_admin/shared_secret" },
	{ 0 },
};

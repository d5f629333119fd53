#include "homeserver/member/identity_server.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/crypto/sha256.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"
#include "shared/net/net.h"
#include "shared/schema/schema.h"

#define V2        "/_matrix/identity/v2"
#define TOKEN_MAX 4096
#define TRIES     2 /* of a look-up: the pepper may change between two requests */

int identity_server_of(const json_t *invite, struct identity_server *ret_server,
		       struct mx_error *err)
{
	const char *name = jstr(invite, "id_server"), *token = jstr(invite, "id_access_token");

	if (!name || !mx_server_name_valid(mx_slice(name)))
		return mx_fail(err, MX_INVALID_PARAM, "id_server is no server name");
	if (!token || !*token || strlen(token) > TOKEN_MAX || strpbrk(token, "\r\n"))
		return mx_fail(err, MX_INVALID_PARAM, "id_access_token is no token");
	*ret_server = (struct identity_server){ name, token };
	return 0;
}

/* ---- one request */

struct asking {
	const struct hs_call *call;
	const struct identity_server *server;
	const char *path;
	const json_t *body; /* NULL: GET */
	struct mx_error *err;
};

/* What an identity server refuses with is never taken for a word about the user's token here. */
static int refused(const struct asking *asking, int status, const json_t *answer)
{
	const char *errcode = jstr_or(answer, "errcode", "");
	const char *why = jstr_or(answer, "error", "It did not say why");

	if (streq(errcode, mx_errc(MX_INVALID_PEPPER)->errcode))
		return mx_fail(asking->err, MX_INVALID_PEPPER, "The pepper has changed");
	if (streq(errcode, mx_errc(MX_THREEPID_IN_USE)->errcode))
		return mx_fail(asking->err, MX_THREEPID_IN_USE, "The address is somebody's");
	if (streq(errcode, mx_errc(MX_TERMS_NOT_SIGNED)->errcode))
		return mx_fail(asking->err, MX_TERMS_NOT_SIGNED,
			       "The terms of the identity server must be accepted first");
	if (status >= 400 && status < 500)
		return mx_fail(asking->err, MX_FORBIDDEN, "The identity server refused: %.150s",
			       why);
	return mx_fail(asking->err, MX_REMOTE_FAILED, "The identity server failed");
}

static int read_answer(const struct asking *asking, const struct net_response *response,
		       json_t **ret_answer)
{
	json_auto_t *answer = NULL;

	if (response->rc)
		return mx_fail(asking->err, MX_REMOTE_FAILED,
			       "The identity server %.100s could not be reached",
			       asking->server->name);
	mx_json_parse(response->body, &mx_json_default_limits, asking->call->mem, &answer, NULL);
	if (response->status != 200)
		return refused(asking, response->status, answer);
	if (!json_is_object(answer))
		return mx_fail(asking->err, MX_REMOTE_FAILED,
			       "The identity server answered what it may not");
	*ret_answer = json_incref(answer);
	return 0;
}

static int ask(const struct asking *asking, json_t **ret_answer)
{
	struct mx_arena *mem = asking->call->mem;
	const char *const headers[] = {
		mx_arena_strf(mem, "Authorization: Bearer %s", asking->server->token),
		"Content-Type: application/json",
		NULL,
	};
	mx_autofree char *body = asking->body ? mx_json_text(asking->body) : NULL;
	const struct net_request request = {
		.method = body ? "POST" : "GET",
		.url = mx_arena_strf(mem, "https://%s" V2 "%s", asking->server->name, asking->path),
		.headers = headers,
		.body = mx_slice(body ? body : ""),
	};
	struct net_response response;

	net_fetch(asking->call->hs->net, &request, mem, &response);
	return read_answer(asking, &response, ret_answer);
}

static int check_answer(const struct asking *asking, const char *schema, const json_t *answer)
{
	if (mx_schema_check(mx_schema_find(schema), answer, NULL) == 0)
		return 0;
	return mx_fail(asking->err, MX_REMOTE_FAILED,
		       "The identity server answered what it may not");
}

/* ---- looking up. Spec: "Client behaviour" of hashed look-ups */

static const char *hash_of(const struct asking *asking, const json_t *invite, const char *pepper)
{
	mx_str_auto text = { 0 }, hash = { 0 };
	uint8_t digest[MX_SHA256_LEN];

	mx_str_addf(&text, "%s %s %s", jstr_or(invite, "address", ""),
		    jstr_or(invite, "medium", ""), pepper);
	mx_sha256(mx_str_slice(&text), digest);
	mx_base64url_add(&hash, digest, sizeof(digest));
	return mx_arena_slice(asking->call->mem, mx_str_slice(&hash)).ptr;
}

static int look_up_hash(struct asking *asking, const json_t *invite, const char *pepper,
			const char **ret_user)
{
	const char *hash = hash_of(asking, invite, pepper);
	json_auto_t *body = json_pack("{s:[s], s:s, s:s}", "addresses", hash, "algorithm", "sha256",
				      "pepper", pepper);
	json_auto_t *answer = NULL;
	const char *user;
	struct mx_id id;
	int rc;

	asking->path = "/lookup";
	asking->body = body;
	rc = ask(asking, &answer);
	asking->body = NULL;
	if (rc)
		return rc;
	user = jstr(jobj(answer, "mappings"), hash);
	if (user && !mx_user_id_parse(mx_slice(user), false, &id))
		return mx_fail(asking->err, MX_REMOTE_FAILED,
			       "The identity server answered what it may not");
	*ret_user = user ? mx_arena_strdup(asking->call->mem, user) : NULL;
	return 0;
}

static int look_up(struct asking *asking, const json_t *invite, const char **ret_user)
{
	json_auto_t *details = NULL;
	const char *pepper;
	int rc;

	asking->path = "/hash_details";
	rc = ask(asking, &details);
	if (rc)
		return rc;
	pepper = jstr(details, "lookup_pepper");
	if (!pepper)
		return mx_fail(asking->err, MX_REMOTE_FAILED,
			       "The identity server answered what it may not");
	return look_up_hash(asking, invite, pepper, ret_user);
}

int identity_server_lookup(const struct hs_call *call, const struct identity_server *server,
			   const json_t *invite, const char **ret_user, struct mx_error *err)
{
	struct asking asking = { .call = call, .server = server, .err = err };
	int rc = -MX_INVALID_PEPPER;

	for (unsigned i = 0; i < TRIES && rc == -MX_INVALID_PEPPER; i++)
		rc = look_up(&asking, invite, ret_user);
	if (rc == -MX_INVALID_PEPPER)
		return mx_fail(err, MX_REMOTE_FAILED, "The identity server is changing its pepper");
	return rc;
}

/* ---- invites */

int identity_server_store(const struct hs_call *call, const struct identity_server *server,
			  const json_t *wanted, json_t **ret_answer, struct mx_error *err)
{
	const struct asking asking = {
		.call = call,
		.server = server,
		.path = "/store-invite",
		.body = wanted,
		.err = err,
	};
	json_auto_t *answer = NULL;
	int rc = ask(&asking, &answer);

	if (rc == 0)
		rc = check_answer(&asking, "client/stored_invite", answer);
	if (rc == 0)
		*ret_answer = json_incref(answer);
	return rc;
}

bool identity_server_knows_key(const struct hs_call *call, const char *url, const char *key)
{
	struct net_request request = { 0 };
	struct net_response response;
	json_auto_t *answer = NULL;
	mx_str_auto target = { 0 };

	if (!mx_starts_with(url, "https://") && !mx_starts_with(url, "http://"))
		return false;
	mx_str_addf(&target, "%s%cpublic_key=", url, strchr(url, '?') ? '&' : '?');
	mx_url_add(&target, mx_slice(key));
	request.url = target.ptr;
	net_fetch(call->hs->net, &request, call->mem, &response);
	if (response.rc || response.status != 200)
		return false;
	mx_json_parse(response.body, &mx_json_default_limits, call->mem, &answer, NULL);
	return jbool(answer, "valid", false);
}

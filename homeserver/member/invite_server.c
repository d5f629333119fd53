#include "homeserver/member/invite_server.h"

#include "homeserver/account/id_server.h"
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
#include "shared/json/json.h"
#include "shared/net/net.h"
#include "shared/schema/schema.h"

#define TOKEN_MAX 4096
#define TRIES     2 /* of a look-up: the pepper may change between two requests */

int invite_server_of(const struct hs *hs, const json_t *invite, struct invite_server *ret_server,
		     struct mx_error *err)
{
	const char *token = jstr(invite, "id_access_token");

	if (!token || !*token || strlen(token) > TOKEN_MAX || strpbrk(token, "\r\n"))
		return mx_fail(err, MX_INVALID_PARAM, "id_access_token is no token");
	ret_server->token = token;
	return id_server_find(hs, jstr(invite, "id_server"), &ret_server->conf, err);
}

/* ---- one request */

struct asking {
	const struct hs_call *call;
	const struct invite_server *server;
	struct mx_error *err;
};

/* body: NULL for a GET. */
static int ask(const struct asking *asking, const char *path, const json_t *body,
	       json_t **ret_answer)
{
	const struct id_server_ask request = {
		.server = asking->server->conf,
		.path = path,
		.token = asking->server->token,
		.body = body,
	};

	return id_server_call(asking->call, &request, ret_answer, asking->err);
}

static int misanswered(const struct asking *asking)
{
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

static int look_up_hash(const struct asking *asking, const json_t *invite, const char *pepper,
			const char **ret_user)
{
	const char *hash = hash_of(asking, invite, pepper);
	json_auto_t *body = json_pack("{s:[s], s:s, s:s}", "addresses", hash, "algorithm", "sha256",
				      "pepper", pepper);
	json_auto_t *answer = NULL;
	const char *user;
	struct mx_id id;
	int rc = ask(asking, "/lookup", body, &answer);

	if (rc)
		return rc;
	user = jstr(jobj(answer, "mappings"), hash);
	if (user && !mx_user_id_parse(mx_slice(user), false, &id))
		return misanswered(asking);
	*ret_user = user ? mx_arena_strdup(asking->call->mem, user) : NULL;
	return 0;
}

static int look_up(const struct asking *asking, const json_t *invite, const char **ret_user)
{
	json_auto_t *details = NULL;
	const char *pepper;
	int rc = ask(asking, "/hash_details", NULL, &details);

	if (rc)
		return rc;
	pepper = jstr(details, "lookup_pepper");
	if (!pepper)
		return misanswered(asking);
	return look_up_hash(asking, invite, pepper, ret_user);
}

int invite_server_lookup(const struct hs_call *call, const struct invite_server *server,
			 const json_t *invite, const char **ret_user, struct mx_error *err)
{
	const struct asking asking = { call, server, err };
	int rc = -MX_INVALID_PEPPER;

	for (unsigned i = 0; i < TRIES && rc == -MX_INVALID_PEPPER; i++)
		rc = look_up(&asking, invite, ret_user);
	if (rc == -MX_INVALID_PEPPER)
		return mx_fail(err, MX_REMOTE_FAILED, "The identity server is changing its pepper");
	return rc;
}

/* ---- invites */

int invite_server_store(const struct hs_call *call, const struct invite_server *server,
			const json_t *wanted, json_t **ret_answer, struct mx_error *err)
{
	const struct asking asking = { call, server, err };
	json_auto_t *answer = NULL;
	int rc = ask(&asking, "/store-invite", wanted, &answer);

	if (rc)
		return rc;
	if (mx_schema_check(mx_schema_find("client/stored_invite"), answer, NULL))
		return misanswered(&asking);
	*ret_answer = json_incref(answer);
	return 0;
}

bool invite_server_knows_key(const struct hs_call *call, const char *url, const char *key)
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

#include "homeserver/account/id_server.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"
#include "shared/keys/own_keys.h"
#include "shared/keys/xmatrix.h"
#include "shared/net/net.h"
#include "shared/threepid/threepid.h"

#define V2 "/_matrix/identity/v2"

#define CONNECT_MS 5000
#define TOTAL_MS   20000 /* it may wait for a relay or a gateway itself */

int id_server_find(const struct hs *hs, const char *name, const struct id_server_conf **ret_server,
		   struct mx_error *err)
{
	const struct id_servers_conf *conf = &conf_of(hs)->identity;

	for (unsigned i = 0; i < conf->servers_count; i++) {
		if (!streq(conf->servers[i].name, name))
			continue;
		*ret_server = &conf->servers[i];
		return 0;
	}
	return mx_fail(err, MX_SERVER_NOT_TRUSTED, "%s", mx_errc(MX_SERVER_NOT_TRUSTED)->text);
}

/* ---- asking */

static int sign_request(const struct hs_call *call, const struct id_server_ask *ask,
			const struct mx_str *body, struct mx_str *out, struct mx_error *err)
{
	struct own_ring *ring = own_keys_ring(call->hs->keys);
	mx_autofree char *target = mx_strf(V2 "%s", ask->path);
	/* Spec: "destination"; but the identity servers that are in use know this name of it. */
	const struct xmatrix_request request = {
		.method = "POST",
		.target = target,
		.origin = mx_slice(call->hs->conf->server_name),
		.destination = mx_slice(ask->server->name),
		.content = mx_str_slice(body),
		.destination_name = "destination_is",
	};
	int rc = xmatrix_build(&request, own_ring_signer(ring), call->mem, out, err);

	own_ring_unref(ring);
	return rc;
}

static int authorize(const struct hs_call *call, const struct id_server_ask *ask,
		     const struct mx_str *body, struct mx_str *out, struct mx_error *err)
{
	mx_str_add_text(out, "Authorization: ");
	if (ask->is_signed)
		return sign_request(call, ask, body, out, err);
	/* What a client gives us must not become another header. */
	if (strpbrk(ask->token, "\r\n"))
		return mx_fail(err, MX_INVALID_PARAM, "id_access_token is not valid");
	mx_str_addf(out, "Bearer %s", ask->token);
	return 0;
}

static int fetch(const struct hs_call *call, const struct id_server_ask *ask,
		 struct net_response *ret_response, struct mx_error *err)
{
	mx_autofree char *url = mx_strf("%s" V2 "%s", ask->server->url, ask->path);
	mx_str_auto authorization = { 0 };
	mx_str_auto body = { 0 };
	const char *headers[] = { "Content-Type: application/json", NULL, NULL };
	struct net_request request = {
		.method = ask->body ? "POST" : "GET",
		.url = url,
		.headers = headers,
		.connect_ms = CONNECT_MS,
		.total_ms = TOTAL_MS,
	};
	int rc = ask->body ? mx_canonical_json(ask->body, NULL, &body, err) : 0;

	if (rc == 0)
		rc = authorize(call, ask, &body, &authorization, err);
	if (rc)
		return rc;
	headers[1] = authorization.ptr;
	request.body = mx_str_slice(&body);
	net_fetch(call->hs->net, &request, call->mem, ret_response);
	return 0;
}

/* ---- the answer */

/* What it may say that helps the client: it goes on in our words. */
static enum mx_code code_of(const char *errcode)
{
	static const enum mx_code known[] = {
		MX_INVALID_PARAM,   MX_MISSING_PARAMS,       MX_INVALID_EMAIL,
		MX_INVALID_ADDRESS, MX_NO_VALID_SESSION,     MX_SESSION_NOT_VALIDATED,
		MX_SESSION_EXPIRED, MX_TOKEN_INCORRECT,      MX_EMAIL_SEND_ERROR,
		MX_SEND_ERROR,      MX_THREEPID_IN_USE,      MX_TERMS_NOT_SIGNED,
		MX_LIMIT_EXCEEDED,  MX_INVALID_PEPPER,       MX_NOT_FOUND,
		MX_FORBIDDEN,       MX_DESTINATION_REJECTED,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (streq(mx_errc(known[i])->errcode, errcode))
			return known[i];
	return MX_OK;
}

static int refusal(const struct net_response *response, const json_t *answer, struct mx_error *err)
{
	enum mx_code code = code_of(jstr_or(answer, "errcode", ""));

	if (response->status == 401)
		return mx_fail(err, MX_FORBIDDEN,
			       "The identity server does not take this access token");
	if (code == MX_OK)
		return mx_fail(err, MX_REMOTE_FAILED, "The identity server answered with %d",
			       response->status);
	if (err)
		err->retry_after_ms = response->retry_after_ms;
	return mx_fail(err, code, "The identity server: %s", mx_errc(code)->text);
}

static int unreached(const struct id_server_ask *ask, const struct net_response *response,
		     struct mx_error *err)
{
	mx_log(MX_LOG_INFO, "an identity server could not be asked", "server", ask->server->name,
	       "why", response->err.text, NULL);
	if (response->rc == -MX_REMOTE_TIMEOUT)
		return mx_fail(err, MX_REMOTE_TIMEOUT,
			       "The identity server did not answer in time");
	return mx_fail(err, MX_REMOTE_FAILED, "The identity server could not be asked");
}

int id_server_call(const struct hs_call *call, const struct id_server_ask *ask, json_t **ret_answer,
		   struct mx_error *err)
{
	struct net_response response;
	json_auto_t *answer = NULL;
	int rc = fetch(call, ask, &response, err);

	if (rc)
		return rc;
	if (response.rc)
		return unreached(ask, &response, err);
	rc = mx_json_parse(response.body, &mx_json_default_limits, call->mem, &answer, NULL);
	if (response.status != 200)
		return refusal(&response, answer, err);
	if (rc || !json_is_object(answer))
		return mx_fail(err, MX_REMOTE_FAILED, "The identity server's answer is no JSON");
	*ret_answer = mx_steal(&answer);
	return 0;
}

int id_server_unbind(const struct hs_call *call, const struct id_server_conf *server,
		     const char *user, const struct threepid *threepid, struct mx_error *err)
{
	json_auto_t *body = json_pack("{s:s, s:{s:s, s:s}}", "mxid", user, "threepid", "medium",
				      threepid->medium, "address", threepid->address);
	const struct id_server_ask ask = {
		.server = server,
		.path = "/3pid/unbind",
		.is_signed = true,
		.body = body,
	};
	json_auto_t *answer = NULL;

	return id_server_call(call, &ask, &answer, err);
}

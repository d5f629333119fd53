#include "homeserver/account/address_remote.h"

#include "homeserver/account/address_claim.h"
#include "homeserver/account/id_server.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/phone/phone.h"
#include "shared/store/store.h"
#include "shared/threepid/validation.h"

#define CONFLICTS_MAX 5
#define SID_MAX       255

/* Runs `work` in a transaction of its own. */
static int in_txn(const struct hs_call *call, int (*work)(const struct claim_call *, void *),
		  void *ctx, struct mx_error *err)
{
	int rc = -MX_CONFLICT;

	for (int i = 0; i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++) {
		struct claim_call claims = address_claim_call(call);

		claims.txn = store_txn_begin(call->hs->store);
		rc = work(&claims, ctx);
		if (rc)
			store_txn_abort(claims.txn);
		else
			rc = store_txn_commit(claims.txn, err);
	}
	return rc == -MX_CONFLICT ? mx_fail(err, MX_BUSY, "Too many requests at once") : rc;
}

/* ---- beginning */

static int ask_for_token(const struct hs_call *call, const struct address_remote *remote,
			 struct req *r, const char **ret_sid)
{
	static const char *const names[] = { "client_secret", "country", "phone_number",
					     "send_attempt", "next_link" };
	json_auto_t *body = json_object();
	json_auto_t *answer = NULL;
	const struct id_server_ask ask = {
		.server = remote->server,
		.path = "/validate/msisdn/requestToken",
		.token = remote->token,
		.body = body,
	};
	const char *sid;
	int rc;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *value = json_object_get(r->body, names[i]);

		if (value && !json_is_null(value))
			json_object_set(body, names[i], value);
	}
	rc = id_server_call(call, &ask, &answer, &r->err);
	if (rc)
		return rc;
	sid = jstr(answer, "sid");
	if (!sid || strlen(sid) > SID_MAX)
		return mx_fail(&r->err, MX_REMOTE_FAILED,
			       "The identity server's answer has no sid");
	*ret_sid = mx_arena_strdup(call->mem, sid);
	return 0;
}

struct opening {
	struct claim_request request;
	struct claim claim;
	struct mx_error *err;
};

static int open_claim(const struct claim_call *claims, void *ctx)
{
	struct opening *opening = ctx;
	bool must_send;

	return claim_open(claims, &opening->request, &opening->claim, &must_send, opening->err);
}

int address_remote_begin(const struct hs_call *call, const struct address_remote *remote,
			 const struct validation_request *request, struct req *r,
			 const char **ret_sid)
{
	struct opening opening = { .request = request->session, .err = &r->err };
	json_auto_t *where = NULL;
	mx_autofree char *text = NULL;
	const char *sid = NULL;
	int rc = ask_for_token(call, remote, r, &sid);

	if (rc)
		return rc;
	where = json_pack("{s:s, s:s, s:s}", "server", remote->server->name, "token", remote->token,
			  "sid", sid);
	text = mx_json_text(where);
	opening.request.remote = text;
	rc = in_txn(call, open_claim, &opening, &r->err);
	if (rc == 0)
		*ret_sid = opening.claim.id;
	return rc;
}

/* ---- the token comes back */

/* The server's word counts for the token that only our own claim knows. */
static int validate(const struct claim_call *claims, void *ctx)
{
	const struct claim *claim = ctx;
	bool right;

	return claim_submit(claims, claim, claim->token, &right, NULL);
}

int address_remote_submit(const struct hs_call *call, const struct claim *claim, const char *token,
			  struct mx_error *err)
{
	json_auto_t *where = json_loads(claim->remote, 0, NULL);
	json_auto_t *body = json_pack("{s:s, s:s, s:s}", "sid", jstr_or(where, "sid", ""),
				      "client_secret", claim->client_secret, "token", token);
	json_auto_t *answer = NULL;
	struct id_server_ask ask = {
		.path = "/validate/msisdn/submitToken",
		.token = jstr_or(where, "token", ""),
		.body = body,
	};
	int rc = id_server_find(call->hs, jstr_or(where, "server", ""), &ask.server, err);

	if (rc == 0)
		rc = id_server_call(call, &ask, &answer, err);
	if (rc)
		return rc;
	if (!jbool(answer, "success", false))
		return mx_fail(err, MX_TOKEN_INCORRECT, "The token is not right");
	return in_txn(call, validate, (void *)(uintptr_t)claim, err);
}

/* The admin listener: registration tokens. */
#include "homeserver/account/registration_token.h"
#include "homeserver/call.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/daemon/admin_page.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static json_t *show(const struct registration_token *token)
{
	json_t *shown = json_pack("{s:s, s:I, s:I}", "token", token->text, "created_ts",
				  (json_int_t)token->created_ms, "uses", (json_int_t)token->uses);

	if (token->uses_max)
		json_object_set_new(shown, "uses_max", json_integer((json_int_t)token->uses_max));
	if (token->until_ms)
		json_object_set_new(shown, "until_ts", json_integer(token->until_ms));
	return shown;
}

static int get_tokens(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct registration_token_list list = { 0 };
	json_t *items = json_array();
	int rc = registration_token_list(&call, &list);

	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(items, show(&list.items[i]));
	reply_json(r, json_pack("{s:o}", "registration_tokens", items));
	return rc;
}

static int post_token(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct registration_token token = {
		.text = jstr(r->body, "token"),
		.until_ms = jint(r->body, "until_ts", 0),
		.uses_max = (uint64_t)jint(r->body, "uses_max", 0),
	};
	int rc = registration_token_add(&call, &token, &token.text, &r->err);

	token.created_ms = call.now_ms;
	if (rc == 0)
		reply_json(r, show(&token));
	return rc;
}

static int delete_token(struct req *r)
{
	const struct hs_call call = call_of(r);

	return registration_token_remove(&call, req_param(r, "token"), &r->err);
}

#define TOKENS ADMIN_V1 "/registration-tokens"

const struct route registration_admin_routes[] = {
	{ GET, TOKENS, get_tokens, .txn = TXN_READ },
	{ POST, TOKENS, post_token, .txn = TXN_WRITE,
	  .body = "homeserver_admin/registration_token" },
	{ DELETE, TOKENS "/{token}", delete_token, .txn = TXN_WRITE },
	{ 0 },
};

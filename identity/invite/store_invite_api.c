/* Spec: identity service API, "Invitation storage". */
#include "identity/budget_kinds.h"
#include "identity/identity.h"
#include "identity/invite/invite.h"
#include "identity/invite/invite_rules.h"
#include "identity/message/message.h"
#include "identity/routes.h"
#include "identity/source/source.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

/* They stand in rooms for ever: v1, which every server that checks them knows. */
#define LONG_TERM_CHECK IDENTITY_V1 "/pubkey/isvalid"
#define EPHEMERAL_CHECK IDENTITY_V1 "/pubkey/ephemeral/isvalid"

static json_t *key_json(const char *public_key, const char *base_url, const char *path)
{
	return json_pack("{s:s, s:s+}", "public_key", public_key, "key_validity_url", base_url,
			 path);
}

static json_t *answer_json(const struct invite_answer *answer, const char *base_url)
{
	return json_pack("{s:s, s:s, s:[o,o], s:s}", "token", answer->token, "public_key",
			 answer->long_term_public, "public_keys",
			 key_json(answer->long_term_public, base_url, LONG_TERM_CHECK),
			 key_json(answer->ephemeral_public, base_url, EPHEMERAL_CHECK),
			 "display_name", answer->display_name);
}

/* What directories say, kept for the run that stores. */
struct listed_user {
	char *user_id; /* NULL: they do not know the address */
};

static void free_listed(void *ptr)
{
	struct listed_user *listed = ptr;

	mx_free(listed->user_id);
	mx_free(listed);
}

static int ask_directories(struct req *r)
{
	const struct identity *identity = r->app;
	struct listed_user *listed = mx_calloc(1, sizeof(*listed));
	const char *user_id = NULL;
	struct threepid threepid;

	r->kept = listed;
	r->kept_free = free_listed;
	if (threepid_parse(jstr(r->body, "medium"), jstr(r->body, "address"), r->mem, &threepid,
			   NULL) == 0)
		sources_ask(identity->sources, &threepid, 1, r->mem, &user_id);
	if (user_id)
		listed->user_id = mx_strdup(user_id);
	return -MX_MOVE_WORK;
}

static int store(struct req *r, const char *payer)
{
	const struct listed_user *listed = r->kept;
	struct identity_call call = call_of(r);
	struct letter_style style = message_style_of(call.identity, r);
	struct invite_answer answer = { 0 };
	const struct invite_asking asking = {
		.medium = jstr(r->body, "medium"),
		.address = jstr(r->body, "address"),
		.room_id = jstr(r->body, "room_id"),
		.sender = jstr(r->body, "sender"),
		.body = r->body,
		.account = r->user,
		.payer = payer,
		.paid = r->run > 0,
		.asked = listed != NULL,
		.listed_user = listed ? listed->user_id : NULL,
		.style = &style,
	};
	int rc = invite_store(&call, &asking, &answer, &r->err);

	if (rc == 0)
		reply_json(r, answer_json(&answer, invite_rules_of(call.identity).base_url));
	else if (answer.bound_user)
		r->err_fields = json_pack("{s:s}", "mxid", answer.bound_user);
	return rc;
}

static int store_for_account(struct req *r)
{
	return r->lane == LANE_NET ? ask_directories(r) : store(r, r->user);
}

/* v1 has no accounts, and anybody may name any sender. */
static int store_for_network(struct req *r)
{
	char prefix[64];

	if (r->lane == LANE_NET)
		return ask_directories(r);
	budgets_prefix(r->client, prefix);
	return store(r, prefix);
}

const struct route store_invite_v2_routes[] = {
	{ POST, IDENTITY_V2 "/store-invite", store_for_account, .auth = AUTH_USER,
	  .limit = LIMIT_SEND_MAIL, .txn = TXN_WRITE, .flags = ROUTE_CORS,
	  .body = "identity/store_invite", .reply = "identity/store_invite.reply" },
	{ 0 },
};

const struct route store_invite_v1_routes[] = {
	{ POST, IDENTITY_V1 "/store-invite", store_for_network, .limit = LIMIT_SEND_MAIL,
	  .txn = TXN_WRITE, .flags = ROUTE_CORS | ROUTE_FORM, .body = "identity/store_invite",
	  .reply = "identity/store_invite.reply" },
	{ 0 },
};

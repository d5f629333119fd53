#include "identity/invite/invite.h"

#include "identity/binding/binding.h"
#include "identity/identity.h"
#include "identity/invite/invite_db.h"
#include "identity/invite/invite_mail.h"
#include "identity/invite/invite_rules.h"
#include "identity/invite/onbind.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"
#include "shared/outbox/outbox.h"

#include <string.h>

bool invite_is_expired(const struct invite_rules *rules, const struct invite *invite,
		       int64_t now_ms)
{
	return invite->state == INVITE_PENDING && rules->life_ms > 0 &&
	       now_ms - invite->created_ms >= rules->life_ms;
}

int invite_load(const struct identity_call *call, const char *token, struct invite *ret_invite)
{
	return invite_db_get(call, token, ret_invite);
}

int invite_list(const struct identity_call *call, const struct threepid *threepid,
		struct invite_list *ret_list)
{
	struct invite_list list = { 0 };
	const char **tokens;
	size_t len;
	int rc = invite_db_tokens(call, threepid, &tokens, &len);

	if (rc)
		return rc;
	list.items = mx_arena_calloc(call->mem, len + 1, sizeof(*list.items));
	for (; rc == 0 && list.len < len; list.len++)
		rc = invite_db_get(call, tokens[list.len], &list.items[list.len]);
	if (rc)
		return -MX_STORE;
	*ret_list = list;
	return 0;
}

static int load_for_operator(const struct identity_call *call, const char *token,
			     struct invite *ret_invite, struct mx_error *err)
{
	int rc = invite_db_get(call, token, ret_invite);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "There is no invite with this token");
	return rc;
}

int invite_withdraw(const struct identity_call *call, const char *token, struct mx_error *err)
{
	struct invite invite;
	int rc = load_for_operator(call, token, &invite, err);

	if (rc)
		return rc;
	if (invite.state == INVITE_DELIVERED || invite.state == INVITE_WITHDRAWN)
		return mx_fail(err, MX_NOT_FOUND, "The invite has ended already");
	if (invite.state == INVITE_BOUND)
		outbox_withdraw_in(call->txn, invite.notice_id);
	invite.state = INVITE_WITHDRAWN;
	invite.ended_ms = call->now_ms;
	invite_db_put(call->txn, &invite);
	return 0;
}

int invite_resend(const struct identity_call *call, const char *token, struct mx_error *err)
{
	struct invite_rules rules = invite_rules_of(call->identity);
	struct invite invite;
	int rc = load_for_operator(call, token, &invite, err);

	if (rc)
		return rc;
	if (invite.state != INVITE_PENDING || invite_is_expired(&rules, &invite, call->now_ms))
		return mx_fail(err, MX_CONFLICT, "The invite is not pending any more");
	return invite_mail_again(call, &invite, err);
}

/* ---- binding */

struct telling {
	const struct identity_call *call;
	const json_t *association;
	const char *user_id;
	struct mx_slice server; /* of the user */
};

static int tell(const struct telling *telling, struct invite *invite, struct mx_error *err)
{
	const struct identity_call *call = telling->call;
	mx_str_auto payload = { 0 };
	int rc;

	invite->state = INVITE_BOUND;
	invite->ended_ms = 0;
	invite->user_id = telling->user_id;
	rc = onbind_payload(call, telling->association, invite, &payload, err);
	if (rc)
		return rc;
	invite->notice_id = outbox_add(call->identity->outbox, call->txn,
				       &(struct outbox_new_item){
					       .kind = ONBIND_KIND,
					       .lane = telling->server,
					       .payload = mx_str_slice(&payload),
				       });
	invite_db_put(call->txn, invite);
	return 0;
}

/* One notice for each, so that a room that fails takes no other with it. */
static int tell_all(const struct telling *telling, struct invite_list *list, struct mx_error *err)
{
	struct invite_rules rules = invite_rules_of(telling->call->identity);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < list->len; i++) {
		struct invite *invite = &list->items[i];

		if (invite->state == INVITE_PENDING &&
		    !invite_is_expired(&rules, invite, telling->call->now_ms))
			rc = tell(telling, invite, err);
	}
	return rc;
}

/* False if nobody could be told: the user has no homeserver. */
static bool find_server(struct telling *telling)
{
	struct mx_id id;

	if (!mx_user_id_parse(mx_slice(telling->user_id), false, &id) ||
	    !mx_server_name_valid(id.server))
		return false;
	telling->server = id.server;
	return true;
}

int invite_bind(const struct identity_call *call, const struct threepid *threepid,
		const char *user_id, struct mx_slice signed_association, struct mx_error *err)
{
	struct telling telling = { .call = call, .user_id = user_id };
	json_t *association;
	struct invite_list list;
	int rc;

	/* They stay pending for a user who has a homeserver. */
	if (!find_server(&telling))
		return 0;
	rc = invite_list(call, threepid, &list);
	if (rc || list.len == 0)
		return rc;
	rc = mx_json_parse(signed_association, &mx_json_default_limits, call->mem, &association,
			   err);
	if (rc)
		return rc;
	telling.association = association;
	rc = tell_all(&telling, &list, err);
	json_decref(association);
	return rc;
}

/* ---- telling again */

static int retell(const struct identity_call *call, struct invite *invite, struct mx_error *err)
{
	struct telling telling = { .call = call };
	json_auto_t *association = NULL;
	struct binding binding;
	int rc = binding_find(call, &invite->threepid, &binding);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_CONFLICT, "Nobody has the address now");
	if (rc)
		return rc;
	telling.user_id = binding.user_id;
	if (!find_server(&telling))
		return mx_fail(err, MX_CONFLICT, "The user of the address has no homeserver");
	association = json_loadb(binding.signed_json.ptr, binding.signed_json.len, 0, NULL);
	telling.association = association;
	return tell(&telling, invite, err);
}

int invite_redrive(const struct identity_call *call, const char *token, struct mx_error *err)
{
	struct invite invite;
	int rc = load_for_operator(call, token, &invite, err);

	if (rc)
		return rc;
	if (invite.state == INVITE_WITHDRAWN)
		return mx_fail(err, MX_CONFLICT, "The invite was withdrawn");
	if (invite.state == INVITE_BOUND && invite.ended_ms == 0) {
		rc = outbox_hasten_in(call->txn, invite.notice_id);
		if (rc != -MX_NOT_FOUND)
			return rc;
	}
	return retell(call, &invite, err);
}

int invite_import(struct store_txn *txn, const struct invite *invite, struct mx_error *err)
{
	static const uint8_t unknown[32];

	if (!*invite->token || strlen(invite->token) > MX_ID_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "The token is empty or too long");
	invite_db_expect_absent(txn, invite->token);
	invite_db_put(txn, invite);
	if (memcmp(invite->ephemeral_public, unknown, sizeof(unknown)) != 0)
		ephemeral_db_put(txn, invite->ephemeral_public, invite->token);
	return 0;
}

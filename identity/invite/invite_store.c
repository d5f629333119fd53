#include "identity/binding/listed.h"
#include "identity/budget_kinds.h"
#include "identity/homeservers.h"
#include "identity/identity.h"
#include "identity/invite/block.h"
#include "identity/invite/ephemeral.h"
#include "identity/invite/invite_db.h"
#include "identity/invite/invite_mail.h"
#include "identity/invite/invite_rules.h"
#include "identity/invite/redact.h"
#include "identity/long_term_keys.h"
#include "identity/source/source.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"

#include <string.h>

#define TOKEN_LEN 64

/* Of a room id: it becomes part of a record and of a notice. */
#define ROOM_ID_MAX 255

static int check_asker(const struct invite_asking *asking, struct mx_error *err)
{
	size_t len = strlen(asking->room_id);

	if (len == 0 || len > ROOM_ID_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "The room id is empty or too long");
	if (asking->account && !streq(asking->account, asking->sender))
		return mx_fail(err, MX_NOT_YOURS, "The sender is not the account that asks");
	return 0;
}

static int pay(const struct identity_call *call, const struct invite_asking *asking,
	       enum budget_kind kind, const char *name, struct mx_error *err)
{
	int64_t retry_ms = 0;
	int rc;

	if (asking->paid)
		return 0;
	rc = budgets_take(call->identity->budgets, kind, name, 1, &retry_ms, err);
	if (rc && err)
		err->retry_after_ms = retry_ms;
	return rc;
}

/* An identifier that is none cannot be bound, so its medium decides. */
static int read_threepid(const struct identity_call *call, const struct invite_asking *asking,
			 struct threepid *ret_threepid, struct mx_error *err)
{
	int rc = threepid_parse(asking->medium, asking->address, call->mem, ret_threepid, err);

	if (rc && !streq(asking->medium, "email"))
		return mx_fail(err, MX_UNKNOWN_MEDIUM, "There are no invites for this medium");
	return rc;
}

static int check_unbound(const struct identity_call *call, const struct invite_asking *asking,
			 const struct threepid *threepid, struct invite_answer *answer,
			 struct mx_error *err)
{
	const char *user_id = asking->listed_user;
	int rc = listed_or_bound(call, threepid, &user_id);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (!user_id)
		return 0;
	answer->bound_user = user_id;
	return mx_fail(err, MX_THREEPID_IN_USE, "The address is already bound");
}

static int check_medium(const struct identity_call *call, const struct threepid *threepid,
			struct mx_error *err)
{
	const char **tokens;
	size_t len;
	int rc;

	if (!streq(threepid->medium, "email"))
		return mx_fail(err, MX_UNKNOWN_MEDIUM, "There are no invites for this medium");
	rc = invite_db_tokens(call, threepid, &tokens, &len);
	if (rc == 0 && len >= INVITES_PER_ADDRESS)
		return mx_fail(err, MX_LIMIT_EXCEEDED, "The address has too many invites");
	return rc;
}

/* What the sender pays stays spent when the invite is refused: the refusal tells whose an address
 * is. */
static int check(const struct identity_call *call, const struct invite_asking *asking,
		 struct threepid *ret_threepid, struct invite_answer *answer, struct mx_error *err)
{
	struct invite_rules rules = invite_rules_of(call->identity);
	int rc = check_asker(asking, err);

	if (rc == 0)
		rc = homeserver_check_user(call->identity, asking->sender, err);
	if (rc == 0)
		rc = block_check(&rules, asking, err);
	if (rc == 0)
		rc = pay(call, asking, BUDGET_INVITE_SENDER, asking->payer, err);
	if (rc == 0)
		rc = read_threepid(call, asking, ret_threepid, err);
	if (rc == 0)
		rc = check_unbound(call, asking, ret_threepid, answer, err);
	if (rc == 0)
		rc = check_medium(call, ret_threepid, err);
	if (rc == 0)
		rc = pay(call, asking, BUDGET_INVITE_ADDRESS, ret_threepid->address, err);
	if (rc == 0 && !asking->asked && sources_are_asked(call->identity->sources))
		return -MX_MOVE_NET;
	return rc;
}

static const char *new_token(struct mx_arena *mem)
{
	char *token = mx_arena_alloc(mem, TOKEN_LEN + 1);

	mx_random_token(token, TOKEN_LEN);
	return token;
}

/* Of the address as it came: that is what the inviter typed and will recognise. */
static const char *redacted(const struct identity_call *call, const char *address)
{
	struct invite_rules rules = invite_rules_of(call->identity);
	mx_str_auto name = { 0 };

	redact_address(mx_slice(address), rules.local_max, rules.domain_max, &name);
	return mx_arena_slice(call->mem, mx_str_slice(&name)).ptr;
}

static void fill(const struct identity_call *call, const struct invite_asking *asking,
		 const struct invite *invite, struct invite_answer *answer)
{
	mx_str_auto key = { 0 };
	char id[64];

	mx_base64_add(&key, invite->ephemeral_public, sizeof(invite->ephemeral_public));
	memcpy(answer->ephemeral_public, key.ptr, sizeof(answer->ephemeral_public));
	long_term_public(call->identity->keys, answer->long_term_public, id);
	answer->token = invite->token;
	answer->display_name = redacted(call, asking->address);
}

int invite_store(const struct identity_call *call, const struct invite_asking *asking,
		 struct invite_answer *ret_answer, struct mx_error *err)
{
	struct invite invite = {
		.room_id = asking->room_id,
		.sender = asking->sender,
		.created_ms = call->now_ms,
		.state = INVITE_PENDING,
	};
	struct invite_answer answer = { 0 };
	const char *private_key;
	int rc = check(call, asking, &invite.threepid, &answer, err);

	if (rc == -MX_THREEPID_IN_USE)
		ret_answer->bound_user = answer.bound_user;
	if (rc)
		return rc;
	invite.token = new_token(call->mem);
	ephemeral_make(call->mem, invite.ephemeral_public, &private_key);
	rc = invite_mail(call, asking, &invite, private_key, err);
	if (rc)
		return rc;
	invite.mail = invite_mail_keep(asking, call->mem);
	invite_db_put(call->txn, &invite);
	ephemeral_db_put(call->txn, invite.ephemeral_public, invite.token);
	fill(call, asking, &invite, &answer);
	*ret_answer = answer;
	return 0;
}

#include "identity/account/account.h"
#include "identity/admin/person.h"
#include "identity/bind/bind.h"
#include "identity/binding/binding.h"
#include "identity/identity.h"
#include "identity/invite/invite.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"
#include "shared/outbox/outbox.h"
#include "shared/threepid/claim.h"

struct counts {
	bool account;
	size_t bindings, sessions, invites, items;
};

/* ---- an address */

static int erase_binding(const struct identity_call *call, const struct threepid *threepid,
			 struct counts *counts, struct mx_error *err)
{
	struct binding binding;
	int rc = binding_load(call, threepid, &binding);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	counts->bindings += binding.user_id != NULL;
	return bind_forget(call, threepid, err);
}

static int erase_sessions(const struct identity_call *call, const struct threepid *threepid,
			  struct counts *counts)
{
	const struct page page = { .limit = PAGE_MAX };
	const struct claim_call sessions = claim_call_of(*call);
	struct claim_list list;
	int rc;

	/* What is forgotten is not found again. */
	do {
		rc = claim_list(&sessions, threepid, &page, &list);
		for (size_t i = 0; rc == 0 && i < list.len; i++)
			claim_forget(&sessions, &list.items[i]);
		counts->sessions += rc ? 0 : list.len;
	} while (rc == 0 && list.len > 0);
	return rc;
}

static int erase_invites(const struct identity_call *call, const struct threepid *threepid,
			 struct counts *counts)
{
	struct invite_list list;
	int rc = invite_list(call, threepid, &list);

	for (size_t i = 0; rc == 0 && i < list.len; i++)
		invite_forget(call, &list.items[i]);
	counts->invites += rc ? 0 : list.len;
	return rc;
}

/* ---- the outbox: numbers first, for what is deleted must not be looked through meanwhile */

struct numbers mx_vec(uint64_t);

static void add_number(void *ctx, const struct outbox_item *item)
{
	struct numbers *numbers = ctx;

	mx_vec_push(numbers, item->id);
}

static int erase_items(const struct identity_call *call, const struct person *person,
		       struct counts *counts, struct mx_error *err)
{
	struct identity_call reading = *call;
	struct numbers numbers = { 0 };
	int rc = person_each_item(&reading, person, add_number, &numbers, err);

	for (size_t i = 0; rc == 0 && i < numbers.len; i++)
		outbox_withdraw_in(call->txn, numbers.items[i]);
	counts->items += rc ? 0 : numbers.len;
	mx_vec_done(&numbers);
	return rc;
}

/* ---- a user */

struct tokens mx_vec(char *);

static void add_token(void *ctx, const struct invite *invite)
{
	struct tokens *tokens = ctx;

	mx_vec_push(tokens, mx_strdup(invite->token));
}

static int erase_tokens(const struct identity_call *call, const struct tokens *tokens,
			struct counts *counts)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < tokens->len; i++) {
		struct invite invite;

		rc = invite_load(call, tokens->items[i], &invite);
		if (rc == 0) {
			invite_forget(call, &invite);
			counts->invites++;
		}
		rc = rc == -MX_NOT_FOUND ? 0 : rc;
	}
	return rc;
}

/* An invite names who sent it, to whoever asks for its signature. */
static int erase_sent(const struct identity_call *call, const char *user_id, struct counts *counts)
{
	struct tokens tokens = { 0 };
	int rc = person_each_sent(call, user_id, add_token, &tokens);

	if (rc == 0)
		rc = erase_tokens(call, &tokens, counts);
	for (size_t i = 0; i < tokens.len; i++)
		mx_free(tokens.items[i]);
	mx_vec_done(&tokens);
	return rc;
}

static int erase_user(const struct identity_call *call, const char *user_id, struct counts *counts)
{
	int rc = account_erase(call, user_id, NULL);

	counts->account = rc == 0;
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	return erase_sent(call, user_id, counts);
}

/* ---- */

static int erase_address(const struct identity_call *call, const struct threepid *threepid,
			 struct counts *counts, struct mx_error *err)
{
	int rc = erase_binding(call, threepid, counts, err);

	if (rc == 0)
		rc = erase_sessions(call, threepid, counts);
	return rc ? rc : erase_invites(call, threepid, counts);
}

int person_erase(const struct identity_call *call, const struct person *person, json_t **ret_counts,
		 struct mx_error *err)
{
	struct counts counts = { 0 };
	int rc = erase_items(call, person, &counts, err);

	for (size_t i = 0; rc == 0 && i < person->len; i++)
		rc = erase_address(call, &person->addresses[i], &counts, err);
	if (rc == 0 && person->user_id)
		rc = erase_user(call, person->user_id, &counts);
	if (rc)
		return rc;
	*ret_counts = json_pack("{s:b, s:I, s:I, s:I, s:I}", "account", counts.account, "bindings",
				(json_int_t)counts.bindings, "sessions",
				(json_int_t)counts.sessions, "invites", (json_int_t)counts.invites,
				"outbox", (json_int_t)counts.items);
	return 0;
}

/* Lists of invites, and their end. */
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/invite/invite.h"
#include "identity/invite/invite_db.h"
#include "identity/invite/invite_rules.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"

#define REAPED_ONCE 200

static bool is_pending(const struct identity_call *call, const struct invite *invite)
{
	struct invite_rules rules = invite_rules_of(call->identity);

	return invite->state == INVITE_PENDING && !invite_is_expired(&rules, invite, call->now_ms);
}

int invite_find(const struct identity_call *call, const struct invite_filter *filter,
		const struct page *page, struct invite_page *ret_page)
{
	struct invite_tokens tokens;
	struct invite_page found = { 0 };
	int rc = invite_db_find(call, filter, page, &tokens);

	if (rc)
		return rc;
	found.items = mx_arena_calloc(call->mem, tokens.len + 1, sizeof(*found.items));
	found.next = tokens.next;
	for (size_t i = 0; i < tokens.len; i++) {
		struct invite *invite = &found.items[found.len];

		rc = invite_db_get(call, tokens.items[i], invite);
		if (rc)
			return -MX_STORE;
		found.len += !filter->pending || is_pending(call, invite);
	}
	*ret_page = found;
	return 0;
}

void invite_forget(const struct identity_call *call, const struct invite *invite)
{
	if (invite->state == INVITE_BOUND && invite->ended_ms == 0)
		outbox_withdraw_in(call->txn, invite->notice_id);
	invite_db_delete(call->txn, invite);
}

/* ---- by themselves */

/* When it was over; INT64_MAX: it is not. What was imported may have forgotten when it ended. */
static int64_t end_of(const struct invite_rules *rules, const struct invite *invite)
{
	switch (invite->state) {
	case INVITE_PENDING:
		return rules->life_ms > 0 ? invite->created_ms + rules->life_ms : INT64_MAX;
	case INVITE_BOUND: return invite->ended_ms ? invite->ended_ms : INT64_MAX;
	case INVITE_DELIVERED:
	case INVITE_WITHDRAWN: break;
	}
	return invite->ended_ms ? invite->ended_ms : invite->created_ms;
}

static size_t reap_tokens(const struct identity_call *call, const struct invite_tokens *tokens,
			  int64_t ended_before_ms)
{
	struct invite_rules rules = invite_rules_of(call->identity);
	struct invite invite;
	size_t count = 0;

	for (size_t i = 0; i < tokens->len; i++) {
		if (invite_db_get(call, tokens->items[i], &invite) ||
		    end_of(&rules, &invite) >= ended_before_ms)
			continue;
		invite_forget(call, &invite);
		count++;
	}
	return count;
}

/* One page in a transaction of its own; one that is used meanwhile waits for the next time. */
static size_t reap_page(struct identity_call *call, int64_t ended_before_ms, struct page *page)
{
	struct invite_tokens tokens;
	size_t count = 0;
	int rc;

	call->txn = store_txn_begin(call->identity->store);
	rc = invite_db_born_before(call, ended_before_ms, page, &tokens);
	page->after = rc ? MX_SLICE("") : tokens.next;
	if (rc == 0)
		count = reap_tokens(call, &tokens, ended_before_ms);
	return store_txn_commit(call->txn, NULL) == 0 ? count : 0;
}

size_t invite_reap(struct identity *identity, int64_t now_ms)
{
	int64_t keep_ms = conf_of(identity)->invites.keep_days * MX_DAY_MS;
	struct page page = { .limit = REAPED_ONCE };
	char cursor[STORE_KEY_MAX];
	size_t count = 0;

	do {
		mx_arena_auto *mem = mx_arena_new(0);
		struct identity_call call = { identity, .mem = mem, .now_ms = now_ms };

		count += reap_page(&call, now_ms - keep_ms, &page);
		/* the page's memory goes away with it */
		memcpy(cursor, page.after.ptr, page.after.len);
		page.after.ptr = cursor;
	} while (page.after.len > 0);
	return count;
}

#include "identity/account/account.h"
#include "identity/account/terms.h"
#include "identity/admin/person.h"
#include "identity/admin/show.h"
#include "identity/audit/audit.h"
#include "identity/binding/binding.h"
#include "identity/binding/listed.h"
#include "identity/identity.h"
#include "identity/invite/invite.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"
#include "shared/threepid/claim.h"

#include <inttypes.h>

/* ---- an address */

static int put_binding(const struct identity_call *call, const struct threepid *threepid,
		       json_t *all)
{
	struct binding binding;
	int rc = binding_load(call, threepid, &binding);

	if (rc == 0)
		json_object_set_new(all, "binding", show_binding(&binding));
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

static int put_sessions(const struct identity_call *call, const struct threepid *threepid,
			json_t *all)
{
	struct page page = { .limit = PAGE_MAX };
	json_t *sessions = json_array();
	const struct claim_call reading = claim_call_of(*call);
	struct claim_list list;
	int rc;

	json_object_set_new(all, "sessions", sessions);
	do {
		rc = claim_list(&reading, threepid, &page, &list);
		for (size_t i = 0; rc == 0 && i < list.len; i++)
			json_array_append_new(sessions, show_session(&list.items[i], call->now_ms));
		page.after = rc ? MX_SLICE("") : list.next;
	} while (page.after.len > 0);
	return rc;
}

static int put_invites(const struct identity_call *call, const struct threepid *threepid,
		       json_t *all)
{
	json_t *invites = json_array();
	struct invite_list list;
	int rc = invite_list(call, threepid, &list);

	json_object_set_new(all, "invites", invites);
	for (size_t i = 0; rc == 0 && i < list.len; i++)
		json_array_append_new(invites, show_invite(call, &list.items[i]));
	return rc;
}

static int put_listed(const struct identity_call *call, const struct threepid *threepid,
		      json_t *all)
{
	struct listed listed;
	int rc = listed_find(call, threepid, &listed);

	if (rc == 0)
		json_object_set_new(all, "listed", show_listed(&listed));
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

static int put_address(const struct identity_call *call, const struct threepid *threepid,
		       json_t *addresses)
{
	json_t *all = show_threepid(threepid);
	int rc = put_binding(call, threepid, all);

	json_array_append_new(addresses, all);
	if (rc == 0)
		rc = put_listed(call, threepid, all);
	if (rc == 0)
		rc = put_sessions(call, threepid, all);
	if (rc == 0)
		rc = put_invites(call, threepid, all);
	return rc ? rc : show_if_suppressed(call, threepid, all);
}

/* ---- a user */

static int put_account(const struct identity_call *call, const char *user_id, json_t *all)
{
	struct account_summary account;
	json_t *terms, *shown;
	int rc = account_show(call, user_id, &account, NULL);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	rc = terms_accepted(call, user_id, &terms);
	if (rc)
		return rc;
	shown = show_account(&account);
	json_object_set_new(shown, "terms", terms);
	json_object_set_new(all, "account", shown);
	return 0;
}

/* Whom they invited is another person's data. */
static void add_sent(void *ctx, const struct invite *invite)
{
	json_array_append_new(ctx, json_pack("{s:s, s:s, s:I}", "token", invite->token, "room_id",
					     invite->room_id, "created_ts",
					     (json_int_t)invite->created_ms));
}

static int put_user(const struct identity_call *call, const char *user_id, json_t *all)
{
	json_t *sent = json_array();
	int rc;

	json_object_set_new(all, "user_id", json_string(user_id));
	json_object_set_new(all, "invites_sent", sent);
	rc = put_account(call, user_id, all);
	return rc ? rc : person_each_sent(call, user_id, add_sent, sent);
}

/* ---- what tells of either */

static void add_item(void *ctx, const struct outbox_item *item)
{
	mx_autofree char *id = mx_strf("%" PRIu64, item->id);

	/* The text of a mail has a token in it that proves whose the address is. */
	json_array_append_new(ctx, json_pack("{s:s, s:s, s:s%, s:i, s:I}", "id", id, "kind",
					     item->kind, "lane", item->lane.ptr,
					     (int)item->lane.len, "attempts", (int)item->attempts,
					     "created_ts", (json_int_t)item->created_ms));
}

/* One page of the log: nobody else's entries are kept in memory. */
static int put_audit_page(const struct identity_call *call, const struct audit_filter *filter,
			  struct page *page, json_t *entries)
{
	struct audit_list list;
	int rc = audit_list(call, filter, page, &list);

	for (size_t i = 0; rc == 0 && i < list.len; i++)
		json_array_append_new(entries, show_audit(&list.items[i]));
	page->after = rc ? MX_SLICE("") : list.next;
	return rc;
}

static int put_audit(const struct identity_call *call, const struct person *person, json_t *all)
{
	const struct audit_filter filter = { 0, person->addresses, person->len, person->user_id };
	struct page page = { .limit = PAGE_MAX };
	struct identity_call reading = *call;
	json_t *entries = json_array();
	char cursor[STORE_KEY_MAX];
	int rc;

	json_object_set_new(all, "audit", entries);
	do {
		mx_arena_auto *mem = mx_arena_new(0);

		reading.mem = mem;
		rc = put_audit_page(&reading, &filter, &page, entries);
		memcpy(cursor, page.after.ptr, page.after.len);
		page.after.ptr = cursor;
	} while (page.after.len > 0);
	return rc;
}

static int put_outbox(const struct identity_call *call, const struct person *person, json_t *all,
		      struct mx_error *err)
{
	json_t *items = json_array();

	json_object_set_new(all, "outbox", items);
	return person_each_item(call, person, add_item, items, err);
}

static int put_all(const struct identity_call *call, const struct person *person, json_t *all,
		   struct mx_error *err)
{
	json_t *addresses = json_array();
	int rc = 0;

	json_object_set_new(all, "addresses", addresses);
	if (person->user_id)
		rc = put_user(call, person->user_id, all);
	for (size_t i = 0; rc == 0 && i < person->len; i++)
		rc = put_address(call, &person->addresses[i], addresses);
	if (rc == 0)
		rc = put_audit(call, person, all);
	return rc ? rc : put_outbox(call, person, all, err);
}

int person_export(const struct identity_call *call, const struct person *person, json_t **ret_all,
		  struct mx_error *err)
{
	json_auto_t *all = json_pack("{s:I}", "exported_ts", (json_int_t)call->now_ms);
	int rc = put_all(call, person, all, err);

	if (rc == 0)
		*ret_all = mx_steal(&all);
	return rc;
}

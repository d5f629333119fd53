#include "identity/admin/person.h"

#include "identity/binding/binding.h"
#include "identity/identity.h"
#include "identity/invite/invite.h"
#include "identity/invite/onbind.h"
#include "identity/sms/sms.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"
#include "shared/mail/mailer.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"

/* ---- who it is */

struct addresses mx_vec(struct threepid);

/* Into call->mem: the vector goes away. */
static void keep(const struct identity_call *call, struct addresses *found,
		 struct person *ret_person)
{
	ret_person->len = found->len;
	ret_person->addresses = mx_arena_calloc(call->mem, found->len + 1, sizeof(*found->items));
	for (size_t i = 0; i < found->len; i++)
		ret_person->addresses[i] = found->items[i];
	mx_vec_done(found);
}

int person_of_user(const struct identity_call *call, const char *user_id, struct person *ret_person)
{
	struct page page = { .limit = PAGE_MAX };
	struct addresses found = { 0 };
	struct binding_list list;
	int rc;

	do {
		rc = binding_of_user(call, user_id, &page, &list);
		if (rc) {
			mx_vec_done(&found);
			return rc;
		}
		for (size_t i = 0; i < list.len; i++)
			mx_vec_push(&found, list.items[i]);
		page.after = list.next;
	} while (page.after.len > 0);
	ret_person->user_id = user_id;
	keep(call, &found, ret_person);
	return 0;
}

struct person person_of_address(const struct identity_call *call, const struct threepid *threepid)
{
	struct person person = { .len = 1 };

	person.addresses = mx_arena_calloc(call->mem, 1, sizeof(*person.addresses));
	person.addresses[0] = *threepid;
	return person;
}

static bool person_has(const struct person *person, const struct threepid *threepid)
{
	for (size_t i = 0; i < person->len; i++)
		if (threepid_same(&person->addresses[i], threepid))
			return true;
	return false;
}

/* ---- the outbox: each kind knows whom its items are for */

struct looking {
	const struct identity_call *call;
	const struct person *person;
	void (*visit)(void *ctx, const struct outbox_item *item);
	void *ctx;
};

/* As an address is spelt in an envelope or a number in a payload; owned by the caller. */
static bool is_to(const struct looking *looking, const char *medium, char *spelling)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct threepid threepid;
	bool is = spelling && threepid_parse(medium, spelling, mem, &threepid, NULL) == 0 &&
		  person_has(looking->person, &threepid);

	mx_free(spelling);
	return is;
}

static bool is_invited(const struct looking *looking, struct mx_slice token)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct identity_call call = *looking->call;
	struct invite invite;

	call.mem = mem;
	return invite_load(&call, mx_arena_slice(mem, token).ptr, &invite) == 0 &&
	       person_has(looking->person, &invite.threepid);
}

static bool concerns(const struct looking *looking, const struct outbox_item *item)
{
	if (streq(item->kind, "mail"))
		return is_to(looking, "email", mailer_recipient(item->payload));
	if (streq(item->kind, "sms"))
		return is_to(looking, "msisdn", sms_recipient(item->payload));
	if (streq(item->kind, ONBIND_KIND))
		return is_invited(looking, onbind_token(item->payload));
	return false;
}

static void look_at(void *ctx, const struct outbox_item *item)
{
	const struct looking *looking = ctx;

	if (concerns(looking, item))
		looking->visit(looking->ctx, item);
}

int person_each_item(const struct identity_call *call, const struct person *person,
		     void (*visit)(void *ctx, const struct outbox_item *item), void *ctx,
		     struct mx_error *err)
{
	struct looking looking = { call, person, visit, ctx };

	return outbox_each(call->identity->outbox, look_at, &looking, err);
}

/* ---- sent invites: all are looked through, for nothing else asks by sender */

static int each_of_page(struct identity_call *call, const char *user_id, struct page *page,
			void (*visit)(void *ctx, const struct invite *invite), void *ctx)
{
	const struct invite_filter all = { 0 };
	struct invite_page found;
	int rc = invite_find(call, &all, page, &found);

	for (size_t i = 0; rc == 0 && i < found.len; i++)
		if (streq(found.items[i].sender, user_id))
			visit(ctx, &found.items[i]);
	page->after = rc ? MX_SLICE("") : found.next;
	return rc;
}

int person_each_sent(const struct identity_call *call, const char *user_id,
		     void (*visit)(void *ctx, const struct invite *invite), void *ctx)
{
	struct page page = { .limit = PAGE_MAX };
	struct identity_call reading = *call;
	char cursor[STORE_KEY_MAX];
	int rc;

	/* A transaction would check at its commit that nobody stored an invite meanwhile. */
	reading.txn = NULL;
	reading.view = store_view_begin(call->identity->store);
	do {
		mx_arena_auto *mem = mx_arena_new(0);

		reading.mem = mem;
		rc = each_of_page(&reading, user_id, &page, visit, ctx);
		memcpy(cursor, page.after.ptr, page.after.len);
		page.after.ptr = cursor;
	} while (page.after.len > 0);
	store_view_end(reading.view);
	return rc;
}

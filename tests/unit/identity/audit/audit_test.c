#include "identity/audit/audit.h"

#include "identity/identity.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/each.h"
#include "tests/support/store_fixture.h"

#define NOW INT64_C(1700000000000)
#define DAY INT64_C(86400000)
#define ANN "@ann:hs.test"

static const struct store_table *const store_test_tables[] = { &audit_table, &audit_key_table,
							       NULL };

static const struct threepid mail = { "email", "ann@example.org" };
static const struct threepid other_mail = { "email", "eve@example.org" };

/* A service with a log, and a call of it. */
struct world {
	struct identity identity;
	struct identity_call call;
	void **txn;
};

static struct world world_new(void **txn)
{
	struct world world = { .identity.store = store_fixture_store(txn), .txn = txn };

	assert_int_equal(audit_new(world.identity.store, &world.identity.audit, NULL), 0);
	store_fixture_commit(txn);
	world.call = (struct identity_call){ .txn = *txn, .mem = test_mem, .now_ms = NOW };
	return world;
}

static void world_done(struct world *world)
{
	audit_free(world->identity.audit);
}

static void note(struct world *world, const char *what, const struct threepid *threepid,
		 const char *user_id)
{
	const struct audit_note said = {
		.who = "root", .what = what, .threepid = threepid, .user_id = user_id
	};

	world->call.identity = &world->identity;
	audit_note(&world->call, &said);
	store_fixture_commit(world->txn);
	world->call.txn = *world->txn;
	world->call.now_ms++;
}

static struct audit_list list(struct world *world, const struct audit_filter *filter,
			      const struct page *page)
{
	struct audit_list found;

	assert_int_equal(audit_list(&world->call, filter, page, &found), 0);
	return found;
}

static const struct page all = { .limit = 100 };

static void the_newest_entry_comes_first(void **txn)
{
	const struct audit_filter any = { 0 };
	struct world world = world_new(txn);
	struct audit_list found;

	note(&world, "bind", &mail, ANN);
	note(&world, "unbind", &mail, ANN);
	found = list(&world, &any, &all);
	assert_int_equal(found.len, 2);
	assert_string_equal(found.items[0].what, "unbind");
	assert_string_equal(found.items[1].what, "bind");
	assert_int_equal(found.items[1].at_ms, NOW);
	assert_string_equal(found.items[0].who, "root");
	assert_string_equal(found.items[0].reason, "");
	assert_int_equal(strlen(found.items[0].threepid), AUDIT_ALIAS_LEN);
	world_done(&world);
}

static void pages_follow_each_other(void **txn)
{
	const struct audit_filter any = { 0 };
	struct page page = { .limit = 2 };
	struct world world = world_new(txn);
	struct audit_list found;

	note(&world, "one", NULL, ANN);
	note(&world, "two", NULL, ANN);
	note(&world, "three", NULL, ANN);
	found = list(&world, &any, &page);
	assert_int_equal(found.len, 2);
	page.after = found.next;
	found = list(&world, &any, &page);
	assert_int_equal(found.len, 1);
	assert_string_equal(found.items[0].what, "one");
	assert_int_equal(found.next.len, 0);
	world_done(&world);
}

static void entries_are_found_by_person_and_time(void **txn)
{
	struct world world = world_new(txn);
	const struct audit_filter of_mail = { .threepids = &mail, .threepids_len = 1 };
	const struct audit_filter of_user = { .user_id = ANN };
	const struct audit_filter of_either = { 0, &other_mail, 1, ANN };
	const struct audit_filter later = { .since_ms = NOW + 2 };

	note(&world, "a", &mail, "@eve:hs.test");
	note(&world, "b", &other_mail, ANN);
	note(&world, "c", &other_mail, NULL);
	assert_string_equal(list(&world, &of_mail, &all).items[0].what, "a");
	assert_int_equal(list(&world, &of_mail, &all).len, 1);
	assert_string_equal(list(&world, &of_user, &all).items[0].what, "b");
	assert_int_equal(list(&world, &of_user, &all).len, 1);
	assert_int_equal(list(&world, &of_either, &all).len, 2);
	assert_int_equal(list(&world, &later, &all).len, 1);
	world_done(&world);
}

static void look_for_name(void *ctx, const struct store_row *row)
{
	size_t *rows = ctx;

	++*rows;
	assert_null(memmem(row->value.ptr, row->value.len, ANN, strlen(ANN)));
	assert_null(memmem(row->value.ptr, row->value.len, mail.address, strlen(mail.address)));
}

static void nobody_is_named_in_clear(void **txn)
{
	struct world world = world_new(txn);
	size_t rows = 0;

	note(&world, "bind", &mail, ANN);
	assert_int_equal(store_each(world.identity.store, &audit_table, look_for_name, &rows, NULL),
			 0);
	assert_int_equal(rows, 1);
	world_done(&world);
}

static void hashes_are_the_same_after_a_restart_and_differ_elsewhere(void **txn)
{
	static const struct threepid same_text = { "msisdn", "ann@example.org" };
	char first[AUDIT_ALIAS_LEN + 1], again[AUDIT_ALIAS_LEN + 1], user[AUDIT_ALIAS_LEN + 1];
	struct store *other_store = store_fixture_open(store_test_tables);
	struct world world = world_new(txn);
	struct audit *other;

	audit_threepid_alias(world.identity.audit, &mail, first);
	audit_threepid_alias(world.identity.audit, &same_text, again);
	assert_string_not_equal(first, again);
	audit_free(world.identity.audit);
	assert_int_equal(audit_new(world.identity.store, &world.identity.audit, NULL), 0);
	audit_threepid_alias(world.identity.audit, &mail, again);
	assert_string_equal(first, again);
	audit_user_alias(world.identity.audit, ANN, user);
	assert_string_not_equal(first, user);

	assert_int_equal(audit_new(other_store, &other, NULL), 0);
	audit_threepid_alias(other, &mail, again);
	assert_string_not_equal(first, again);
	audit_free(other);
	store_close(other_store);
	world_done(&world);
}

static void old_entries_are_removed(void **txn)
{
	const struct audit_filter any = { 0 };
	struct world world = world_new(txn);

	note(&world, "old", NULL, ANN);
	world.call.now_ms = NOW + DAY;
	note(&world, "new", NULL, ANN);
	assert_int_equal(audit_reap(world.identity.store, NOW, 10), 0);
	assert_int_equal(audit_reap(world.identity.store, NOW + DAY, 10), 1);
	store_fixture_commit(txn);
	world.call.txn = *txn;
	assert_int_equal(list(&world, &any, &all).len, 1);
	assert_string_equal(list(&world, &any, &all).items[0].what, "new");
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(the_newest_entry_comes_first),
		store_test(pages_follow_each_other),
		store_test(entries_are_found_by_person_and_time),
		store_test(nobody_is_named_in_clear),
		store_test(hashes_are_the_same_after_a_restart_and_differ_elsewhere),
		store_test(old_entries_are_removed),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}

#include "homeserver/room/room_db.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/hs_fixture.h"

#define ROOM   7
#define PARENT MX_SLICE("$parent")

static void add(struct hs_fixture *f, const char *type, int64_t rseq)
{
	const struct relation_row row = { .type = mx_slice(type),
					  .rseq = rseq,
					  .event = (uint32_t)(rseq + 100),
					  .event_type = MX_SLICE("m.reaction"),
					  .sender = MX_SLICE("@ann:x"),
					  .key = MX_SLICE("+1") };

	relation_db_add(f->call.txn, ROOM, PARENT, &row);
}

static void assert_list(struct hs_fixture *f, const char *type, struct timeline_range range,
			const char *expected)
{
	struct relation_list list;
	mx_str_auto rseqs = { 0 };

	assert_int_equal(relation_db_list(&f->call, ROOM, PARENT, mx_slice(type), &range, &list),
			 0);
	for (size_t i = 0; i < list.len; i++)
		mx_str_addf(&rseqs, "%lld ", (long long)list.items[i].rseq);
	assert_true(mx_slice_is(mx_str_slice(&rseqs), expected));
}

static void relations_come_in_the_order_of_arrival(void **state)
{
	struct hs_fixture *f = *state;
	const struct timeline_range all = { .after = INT64_MIN, .before = INT64_MAX };
	const struct timeline_range newest = {
		.after = INT64_MIN, .before = INT64_MAX, .limit = 2, .reverse = true
	};

	add(f, "m.thread", 3);
	add(f, "m.annotation", 1);
	add(f, "m.annotation", 4);
	add(f, "m.annotation", -2);
	hs_fixture_read(f);
	assert_list(f, "", all, "-2 1 3 4 ");
	assert_list(f, "m.annotation", all, "-2 1 4 ");
	assert_list(f, "m.annotation", newest, "4 1 ");
	assert_list(f, "", newest, "4 3 ");
	assert_list(f, "", (struct timeline_range){ .after = 1, .before = 4 }, "3 ");
	assert_list(f, "", (struct timeline_range){ .after = 4, .before = 4 }, "");
	assert_list(f, "m", all, "");
}

static void a_row_is_read_as_it_was(void **state)
{
	struct hs_fixture *f = *state;
	const struct timeline_range all = { .before = INT64_MAX };
	struct relation_list list;

	add(f, "m.annotation", 1);
	assert_int_equal(relation_db_list(&f->call, ROOM, PARENT, MX_SLICE(""), &all, &list), 0);
	assert_int_equal(list.len, 1);
	assert_int_equal(list.items[0].event, 101);
	assert_true(mx_slice_is(list.items[0].type, "m.annotation"));
	assert_true(mx_slice_is(list.items[0].event_type, "m.reaction"));
	assert_true(mx_slice_is(list.items[0].sender, "@ann:x"));
	assert_true(mx_slice_is(list.items[0].key, "+1"));
	assert_int_equal(
		relation_db_list(&f->call, ROOM, MX_SLICE("$pare"), MX_SLICE(""), &all, &list), 0);
	assert_int_equal(list.len, 0);
}

static void what_cannot_be_a_relation_is_not_kept(void **state)
{
	struct hs_fixture *f = *state;
	const struct timeline_range all = { .before = INT64_MAX };
	char long_type[2000];

	memset(long_type, 'm', sizeof(long_type) - 1);
	long_type[sizeof(long_type) - 1] = '\0';
	add(f, "", 1);
	add(f, long_type, 2);
	add(f, "m.thread", 3);
	hs_fixture_read(f);
	assert_list(f, "", all, "3 ");
	assert_list(f, long_type, all, "");
}

static void a_relation_ends(void **state)
{
	struct hs_fixture *f = *state;
	const struct timeline_range all = { .before = INT64_MAX };

	add(f, "m.thread", 1);
	add(f, "m.thread", 2);
	hs_fixture_write(f);
	relation_db_remove(f->call.txn, ROOM, PARENT, MX_SLICE("m.thread"), 1);
	hs_fixture_read(f);
	assert_list(f, "", all, "2 ");
	assert_list(f, "m.thread", all, "2 ");
}

static void a_redaction_waits_for_its_event(void **state)
{
	struct hs_fixture *f = *state;
	char long_id[2000];
	uint32_t redaction;

	memset(long_id, '$', sizeof(long_id));
	redaction_db_wait(f->call.txn, ROOM, mx_slice_of(long_id, sizeof(long_id)), 1);
	redaction_db_wait(f->call.txn, ROOM, MX_SLICE("$later"), 12);
	hs_fixture_read(f);
	assert_int_equal(redaction_db_waiting(&f->call, ROOM, MX_SLICE("$later"), &redaction), 0);
	assert_int_equal(redaction, 12);
	assert_int_equal(redaction_db_waiting(&f->call, ROOM + 1, MX_SLICE("$later"), &redaction),
			 -MX_NOT_FOUND);
	assert_int_equal(redaction_db_waiting(&f->call, ROOM, mx_slice_of(long_id, sizeof(long_id)),
					      &redaction),
			 -MX_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(relations_come_in_the_order_of_arrival), hs_test(a_row_is_read_as_it_was),
		hs_test(what_cannot_be_a_relation_is_not_kept),  hs_test(a_relation_ends),
		hs_test(a_redaction_waits_for_its_event),
	};
	return cmocka_run_group_tests_name("room/relation_db", tests, NULL, NULL);
}

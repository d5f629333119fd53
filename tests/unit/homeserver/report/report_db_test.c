#include "homeserver/report/report_db.h"

#include "homeserver/call.h"
#include "shared/core/error.h"
#include "tests/support/store_fixture.h"

static const struct store_table *store_test_tables[2];

static const struct report about_room = {
	.reporter = "@ann:here",
	.room_id = "!r:here",
	.event_id = "",
	.user_id = "",
	.reason = "spam",
};
static const struct report about_event = {
	.reporter = "@bob:here",
	.room_id = "!r:here",
	.event_id = "$e",
	.user_id = "",
	.reason = "",
	.has_score = true,
	.score = -50,
};

static void the_newest_comes_first(void **txn)
{
	struct hs_call call = { .txn = *txn, .mem = test_mem, .now_ms = 1000 };
	struct page page = { .limit = 1 };
	struct report_page found;

	report_db_add(&call, &about_room);
	call.now_ms = 2000;
	report_db_add(&call, &about_event);
	assert_int_equal(report_db_list(&call, &page, &found), 0);
	assert_int_equal(found.len, 1);
	assert_string_equal(found.items[0].event_id, "$e");
	assert_true(found.items[0].has_score);
	assert_int_equal(found.items[0].score, -50);
	page.after = found.next;
	assert_int_equal(report_db_list(&call, &page, &found), 0);
	assert_string_equal(found.items[0].reason, "spam");
	assert_int_equal(found.items[0].received_ms, 1000);
}

static void what_was_dealt_with_is_removed(void **txn)
{
	struct hs_call call = { .txn = *txn, .mem = test_mem, .now_ms = 1000 };
	const struct page page = { .limit = 10 };
	struct report_page found;
	struct report report;

	report_db_add(&call, &about_room);
	assert_int_equal(report_db_list(&call, &page, &found), 0);
	assert_int_equal(report_db_load(&call, found.items[0].id, &report), 0);
	assert_string_equal(report.reporter, "@ann:here");
	report_db_delete(&call, report.id);
	assert_int_equal(report_db_load(&call, report.id, &report), -MX_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(the_newest_comes_first),
		store_test(what_was_dealt_with_is_removed),
	};

	store_test_tables[0] = report_tables[0];
	return cmocka_run_group_tests_name("report/report_db", tests, NULL, NULL);
}

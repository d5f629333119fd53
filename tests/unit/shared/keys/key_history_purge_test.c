#include "shared/keys/key_history.h"

#include "shared/core/time.h"
#include "tests/support/history_fixture.h"

static void assert_versions(struct history_fixture *f, size_t len, uint64_t first_number)
{
	struct key_entry *entry = history_fixture_load(f, "a.example");

	assert_int_equal(entry->len, len);
	if (len)
		assert_int_equal(entry->versions[0].number, first_number);
	key_entry_unref(entry);
}

static void a_purged_server_is_gone_and_its_numbers_stay_used(void **state)
{
	struct history_fixture *f = *state;
	struct made_object changed = history_first;
	struct key_history_stats stats;
	size_t removed;

	changed.keys[0].seed = 5;
	history_fixture_record(f, &history_first);
	history_fixture_record(f, &history_reused);
	assert_int_equal(
		key_history_purge(f->history, MX_SLICE("a.example"), 0, "stolen", &removed, NULL),
		0);
	assert_int_equal(removed, 1);
	assert_versions(f, 0, 0);
	key_history_stats(f->history, &stats);
	assert_int_equal(stats.servers + stats.versions + stats.conflicts, 0);
	assert_true(history_fixture_record(f, &changed).is_new); /* its id is free again */
	assert_versions(f, 1, 2);
}

static void a_purged_version_frees_the_ids_that_only_it_had(void **state)
{
	struct history_fixture *f = *state;
	struct made_object both = { .server = "a.example",
				    .valid_until_ts = DAY_ZERO + MX_DAY_MS,
				    .keys = { MADE_KEY_1, MADE_KEY_2 } };
	struct made_object other_one = history_first, other_two = history_first;
	size_t removed;

	other_one.keys[0].seed = 5;
	other_two.keys[0] = (struct made_key){ .id = "ed25519:2", .seed = 6 };
	history_fixture_record(f, &history_first);
	history_fixture_record(f, &both);
	assert_int_equal(key_history_purge(f->history, MX_SLICE("a.example"), 2, "not theirs",
					   &removed, NULL),
			 0);
	assert_int_equal(removed, 1);
	assert_versions(f, 1, 1);
	assert_true(history_fixture_record(f, &other_two).is_new);
	assert_true(history_fixture_record(f, &other_one).conflict);
	assert_true(history_fixture_record(f, &history_first).conflict == false);
}

static void a_purged_object_that_returns_is_a_new_version(void **state)
{
	struct history_fixture *f = *state;
	struct made_object later = history_renewed(&history_first, MX_HOUR_MS);
	struct key_renewal *renewals;
	size_t removed, len;

	history_fixture_record(f, &history_first);
	history_fixture_record(f, &later);
	key_history_purge(f->history, MX_SLICE("a.example"), 1, "test", &removed, NULL);
	assert_true(history_fixture_record(f, &later).is_new);
	assert_versions(f, 1, 2);
	assert_int_equal(key_history_renewals(f->history, MX_SLICE("a.example"), 2, 9, f->mem,
					      &renewals, &len, NULL),
			 0);
	assert_int_equal(len, 1);
}

static void purging_nothing_removes_nothing(void **state)
{
	struct history_fixture *f = *state;
	struct key_audit *rows;
	size_t removed = 9, len;

	history_fixture_record(f, &history_first);
	assert_int_equal(
		key_history_purge(f->history, MX_SLICE("a.example"), 7, "typo", &removed, NULL), 0);
	assert_int_equal(removed, 0);
	removed = 9;
	assert_int_equal(
		key_history_purge(f->history, MX_SLICE("b.example"), 0, "typo", &removed, NULL), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(key_history_audit(f->history, 10, f->mem, &rows, &len, NULL), 0);
	assert_int_equal(len, 0);
	assert_versions(f, 1, 1);
}

static void the_audit_tells_the_newest_first(void **state)
{
	struct history_fixture *f = *state;
	struct made_object b = history_first;
	struct key_audit *rows;
	size_t removed, len;

	b.server = "b.example";
	history_fixture_record(f, &history_first);
	history_fixture_record(f, &b);
	key_history_purge(f->history, MX_SLICE("a.example"), 0, "why a", &removed, NULL);
	history_fixture_pass(f, 1);
	key_history_purge(f->history, MX_SLICE("b.example"), 0, "why b", &removed, NULL);
	assert_int_equal(key_history_audit(f->history, 10, f->mem, &rows, &len, NULL), 0);
	assert_int_equal(len, 2);
	assert_true(mx_slice_is(rows[0].what, "purge"));
	assert_true(mx_slice_is(rows[0].server, "b.example"));
	assert_true(mx_slice_is(rows[0].reason, "why b"));
	assert_int_equal(rows[0].at_ms, DAY_ZERO + 1);
	assert_true(mx_slice_is(rows[1].reason, "why a"));
}

static void servers_are_listed_in_order_and_page_by_page(void **state)
{
	struct history_fixture *f = *state;
	struct made_object made = history_first;
	struct mx_slice *names;
	char name[32];
	size_t len, removed, seen = 0;
	struct mx_slice after = { 0 };

	made.server = name;
	for (int i = 0; i < 25; i++) {
		snprintf(name, sizeof(name), "s%02d.example", (i * 7) % 25);
		history_fixture_record(f, &made);
	}
	key_history_purge(f->history, MX_SLICE("s03.example"), 0, "test", &removed, NULL);
	do {
		assert_int_equal(
			key_history_servers(f->history, after, 10, f->mem, &names, &len, NULL), 0);
		for (size_t i = 0; i < len; i++, seen++) {
			snprintf(name, sizeof(name), "s%02zu.example", seen < 3 ? seen : seen + 1);
			assert_true(mx_slice_is(names[i], name));
		}
		after = len ? names[len - 1] : after;
	} while (len == 10);
	assert_int_equal(seen, 24);
}

static void totals_are_right_after_a_restart(void **state)
{
	struct history_fixture *f = *state;
	struct made_object made = history_first;
	struct key_history_stats stats;
	char name[32];
	size_t removed;

	made.server = name;
	for (int i = 0; i < 1100; i++) { /* more than a page of servers */
		snprintf(name, sizeof(name), "s%d.example", i);
		history_fixture_record(f, &made);
	}
	made.note = "second version";
	history_fixture_record(f, &made);
	made.keys[0].seed = 99;
	history_fixture_record(f, &made);
	key_history_purge(f->history, MX_SLICE("s7.example"), 0, "test", &removed, NULL);
	history_fixture_restart(f);
	key_history_stats(f->history, &stats);
	assert_int_equal(stats.servers, 1099);
	assert_int_equal(stats.versions, 1100);
	assert_int_equal(stats.conflicts, 1);
	assert_int_equal(stats.cached_entries, 0);
	assert_int_equal(history_fixture_metric(f, "test_key_servers"), 1099);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		history_test(a_purged_server_is_gone_and_its_numbers_stay_used),
		history_test(a_purged_version_frees_the_ids_that_only_it_had),
		history_test(a_purged_object_that_returns_is_a_new_version),
		history_test(purging_nothing_removes_nothing),
		history_test(the_audit_tells_the_newest_first),
		history_test(servers_are_listed_in_order_and_page_by_page),
		history_test(totals_are_right_after_a_restart),
	};
	return cmocka_run_group_tests_name("keys/key_history_purge", tests, NULL, NULL);
}

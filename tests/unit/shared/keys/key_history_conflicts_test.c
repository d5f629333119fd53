#include "shared/keys/key_history.h"

#include "shared/core/error.h"
#include "shared/core/time.h"
#include "tests/support/history_fixture.h"

static void assert_only_first(struct history_fixture *f)
{
	struct key_entry *entry = history_fixture_load(f, "a.example");
	struct key_found found;

	assert_int_equal(entry->len, 1);
	assert_true(
		mx_slice_eq(entry->versions[0].bytes, key_fixture_text(&history_first, f->mem)));
	assert_false(key_entry_find(entry, MX_SLICE("ed25519:new"), &found));
	key_entry_unref(entry);
}

static void a_known_id_with_other_bytes_refuses_the_whole_object(void **state)
{
	struct history_fixture *f = *state;
	struct key_conflict *conflicts;
	uint8_t kept[32], refused[32];
	size_t len;

	history_fixture_record(f, &history_first);
	history_fixture_pass(f, MX_HOUR_MS);
	assert_true(history_fixture_record(f, &history_reused).conflict);
	history_fixture_pass(f, MX_HOUR_MS);
	assert_true(history_fixture_record(f, &history_reused).conflict);
	assert_only_first(f);
	history_fixture_restart(f);
	assert_only_first(f);
	assert_int_equal(key_history_conflicts(f->history, MX_SLICE("a.example"), 10, f->mem,
					       &conflicts, &len, NULL),
			 0);
	assert_int_equal(len, 1);
	key_fixture_public(1, kept);
	key_fixture_public(8, refused);
	assert_true(mx_slice_is(conflicts[0].server, "a.example"));
	assert_true(mx_slice_is(conflicts[0].key_id, "ed25519:1"));
	assert_memory_equal(conflicts[0].kept, kept, 32);
	assert_memory_equal(conflicts[0].refused, refused, 32);
	assert_int_equal(conflicts[0].count, 2);
	assert_int_equal(conflicts[0].first_seen_ms, DAY_ZERO + MX_HOUR_MS);
	assert_int_equal(conflicts[0].last_seen_ms, DAY_ZERO + 2 * MX_HOUR_MS);
	assert_true(mx_slice_eq(conflicts[0].bytes, key_fixture_text(&history_reused, f->mem)));
	assert_true(mx_slice_is(conflicts[0].source, "origin"));
}

static void a_conflict_is_counted_and_audited_once(void **state)
{
	struct history_fixture *f = *state;
	struct key_history_stats stats;
	struct key_audit *rows;
	size_t len;

	history_fixture_record(f, &history_first);
	history_fixture_record(f, &history_reused);
	history_fixture_record(f, &history_reused);
	key_history_stats(f->history, &stats);
	assert_int_equal(stats.conflicts, 1);
	assert_int_equal(history_fixture_metric(f, "test_key_conflicts"), 1);
	assert_int_equal(
		history_fixture_metric(f, "test_key_objects_recorded_total{result=\"conflict\"}"),
		2);
	assert_int_equal(key_history_audit(f->history, 10, f->mem, &rows, &len, NULL), 0);
	assert_int_equal(len, 1);
	assert_true(mx_slice_is(rows[0].what, "conflict"));
	assert_true(mx_slice_is(rows[0].server, "a.example"));
	assert_true(mx_slice_is(rows[0].reason, "ed25519:1"));
}

/* An old key is bound to its bytes like any other. */
static void an_old_key_may_not_change_either(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object old = {
		.server = "a.example",
		.valid_until_ts = DAY_ZERO + 2 * MX_DAY_MS,
		.keys = { MADE_KEY_2, { .id = "ed25519:1", .seed = 8, .expired_ts = DAY_ZERO } }
	};

	history_fixture_record(f, &history_first);
	assert_true(history_fixture_record(f, &old).conflict);
	assert_only_first(f);
}

static void conflicts_of_one_server_are_bounded(void **state)
{
	struct history_fixture *f = *state;
	struct made_object made = history_first;
	struct key_recorded recorded;
	struct key_history_stats stats;

	history_fixture_record(f, &history_first);
	for (int i = 0; i < 64; i++) {
		made.keys[0].seed = (uint8_t)(10 + i);
		assert_true(history_fixture_record(f, &made).conflict);
	}
	made.keys[0].seed = 9;
	assert_int_equal(history_fixture_record_from(f, &made, "origin", &recorded), -MX_TOO_LARGE);
	made.keys[0].seed = 10; /* a known one is still counted */
	assert_true(history_fixture_record(f, &made).conflict);
	key_history_stats(f->history, &stats);
	assert_int_equal(stats.conflicts, 64);
	assert_int_equal(history_fixture_metric(f, "test_key_objects_over_limit_total"), 1);
	assert_only_first(f);
}

static void conflicts_of_all_servers_are_listed(void **state)
{
	struct history_fixture *f = *state;
	struct made_object b = history_first, b_reused = history_reused;
	struct key_conflict *conflicts;
	size_t len;

	b.server = b_reused.server = "b.example";
	history_fixture_record(f, &history_first);
	history_fixture_record(f, &b);
	history_fixture_record(f, &b_reused);
	history_fixture_record(f, &history_reused);
	assert_int_equal(
		key_history_conflicts(f->history, MX_SLICE(""), 10, f->mem, &conflicts, &len, NULL),
		0);
	assert_int_equal(len, 2);
	assert_true(mx_slice_is(conflicts[0].server, "a.example"));
	assert_true(mx_slice_is(conflicts[1].server, "b.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		history_test(a_known_id_with_other_bytes_refuses_the_whole_object),
		history_test(a_conflict_is_counted_and_audited_once),
		history_test(an_old_key_may_not_change_either),
		history_test(conflicts_of_one_server_are_bounded),
		history_test(conflicts_of_all_servers_are_listed),
	};
	return cmocka_run_group_tests_name("keys/key_history_conflicts", tests, NULL, NULL);
}

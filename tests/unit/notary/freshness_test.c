#include "notary/freshness.h"

#include "shared/core/time.h"
#include "shared/keys/key_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW INT64_C(1700000000000)

static const struct key_entry_key first_keys[] = { { .id = { "ed25519:1", 9 } } };
static const struct key_entry_key second_keys[] = {
	{ .id = { "ed25519:2", 9 } },
	{ .id = { "ed25519:1", 9 }, .expired_ts = NOW - MX_DAY_MS },
};
static const struct key_entry_key third_keys[] = { { .id = { "ed25519:3", 9 } } };

/* A server that went from key 1 to 2 (1 is an old key then), and then to 3 alone. */
static const struct key_version versions[] = {
	{ .number = 1,
	  .valid_until_ts = NOW - MX_DAY_MS,
	  .last_seen_ms = NOW - 2 * MX_DAY_MS,
	  .keys = first_keys,
	  .keys_len = 1 },
	{ .number = 2,
	  .valid_until_ts = NOW + MX_HOUR_MS,
	  .last_seen_ms = NOW - 2 * MX_HOUR_MS,
	  .keys = second_keys,
	  .keys_len = 2 },
	{ .number = 3,
	  .valid_until_ts = NOW + MX_DAY_MS,
	  .last_seen_ms = NOW,
	  .keys = third_keys,
	  .keys_len = 1 },
};
static const struct key_entry entry = { .versions = versions, .len = 3 };
static const struct key_entry two_versions = { .versions = versions, .len = 2 };
static const struct key_entry nothing = { .len = 0 };

static struct want want_of(const char *key_id, int64_t minimum_ms)
{
	return (struct want){ mx_slice(key_id), minimum_ms };
}

static bool is_met(const struct key_entry *known, const char *key_id, int64_t minimum_ms)
{
	const struct want want = want_of(key_id, minimum_ms);

	return want_is_met(&want, known, NOW);
}

static void nothing_known_meets_nothing(void **state)
{
	(void)state;
	assert_false(is_met(&nothing, "", 0));
	assert_false(is_met(&nothing, "ed25519:1", 0));
	assert_null(entry_newest(&nothing));
}

static void a_minimum_of_zero_is_met_by_any_history(void **state)
{
	(void)state;
	assert_true(is_met(&entry, "ed25519:1", 0));
	assert_true(is_met(&entry, "", 0));
	assert_true(is_met(&entry, "", -1));
}

static void all_keys_are_met_by_what_is_valid_at_the_minimum(void **state)
{
	(void)state;
	assert_true(is_met(&entry, "", NOW));
	assert_true(is_met(&entry, "", NOW + MX_DAY_MS));
	assert_false(is_met(&entry, "", NOW + MX_DAY_MS + 1));
}

static void a_key_is_met_only_by_objects_that_hold_it(void **state)
{
	(void)state;
	assert_true(is_met(&entry, "ed25519:2", NOW));
	assert_false(is_met(&entry, "ed25519:2", NOW + 2 * MX_HOUR_MS));
	assert_false(is_met(&entry, "ed25519:unknown", 0));
	assert_false(is_met(&entry, "rsa:1", 0));
}

static void an_old_key_is_met_by_an_object_that_lists_it_as_old(void **state)
{
	(void)state;
	assert_true(is_met(&entry, "ed25519:1", NOW));
}

static void a_minimum_no_origin_has_to_promise_asks_at_most_once_an_hour(void **state)
{
	(void)state;
	assert_true(is_met(&entry, "", INT64_MAX));
	assert_true(is_met(&entry, "", NOW + KEY_TRUST_MS + 1));
	assert_false(is_met(&two_versions, "", INT64_MAX));
}

static void all_keys_mark_every_version(void **state)
{
	bool mark[3] = { 0 }, first[3] = { 0 };
	const struct want want = want_of("", NOW);

	(void)state;
	want_mark(&want, &entry, mark, first);
	assert_true(mark[0] && mark[1] && mark[2]);
	assert_false(first[0] || first[1] || first[2]);
}

static void the_version_that_verifies_with_the_key_comes_first(void **state)
{
	bool mark[3] = { 0 }, first[3] = { 0 };
	const struct want want = want_of("ed25519:1", NOW);

	(void)state;
	want_mark(&want, &entry, mark, first);
	assert_true(first[0]); /* verifies with it */
	assert_true(mark[1] && !first[1]); /* has it as an old key */
	assert_true(mark[2] && !first[2]); /* newest, and lacks it */
}

static void the_newest_version_alone_answers_for_its_own_key(void **state)
{
	bool mark[3] = { 0 }, first[3] = { 0 };
	const struct want want = want_of("ed25519:3", NOW);

	(void)state;
	want_mark(&want, &entry, mark, first);
	assert_true(first[2] && mark[2]);
	assert_false(mark[0] || mark[1]);
}

static void an_unknown_key_gets_the_newest_version(void **state)
{
	bool mark[3] = { 0 }, first[3] = { 0 };
	const struct want want = want_of("ed25519:nobody", NOW);

	(void)state;
	want_mark(&want, &entry, mark, first);
	assert_true(mark[2]);
	assert_false(mark[0] || mark[1] || first[2]);
}

static void the_half_life_lies_between_last_seen_and_the_end(void **state)
{
	(void)state;
	assert_int_equal(version_half_life_ms(&versions[2]), NOW + MX_DAY_MS / 2);
	assert_int_equal(version_half_life_ms(&versions[1]), NOW - MX_HOUR_MS / 2);
}

static void a_promise_of_ten_years_is_looked_at_within_the_week(void **state)
{
	const struct key_version far = { .valid_until_ts = NOW + 3650 * MX_DAY_MS,
					 .last_seen_ms = NOW };
	const struct key_version farthest = { .valid_until_ts = INT64_MAX, .last_seen_ms = NOW };

	(void)state;
	assert_int_equal(version_half_life_ms(&far), NOW + KEY_TRUST_MS / 2);
	assert_int_equal(version_half_life_ms(&farthest), NOW + KEY_TRUST_MS / 2);
}

static void what_was_expired_when_seen_is_due_at_once(void **state)
{
	const struct key_version expired = { .valid_until_ts = 5, .last_seen_ms = NOW };

	(void)state;
	assert_true(version_half_life_ms(&expired) < NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_known_meets_nothing),
		cmocka_unit_test(a_minimum_of_zero_is_met_by_any_history),
		cmocka_unit_test(all_keys_are_met_by_what_is_valid_at_the_minimum),
		cmocka_unit_test(a_key_is_met_only_by_objects_that_hold_it),
		cmocka_unit_test(an_old_key_is_met_by_an_object_that_lists_it_as_old),
		cmocka_unit_test(a_minimum_no_origin_has_to_promise_asks_at_most_once_an_hour),
		cmocka_unit_test(all_keys_mark_every_version),
		cmocka_unit_test(the_version_that_verifies_with_the_key_comes_first),
		cmocka_unit_test(the_newest_version_alone_answers_for_its_own_key),
		cmocka_unit_test(an_unknown_key_gets_the_newest_version),
		cmocka_unit_test(the_half_life_lies_between_last_seen_and_the_end),
		cmocka_unit_test(a_promise_of_ten_years_is_looked_at_within_the_week),
		cmocka_unit_test(what_was_expired_when_seen_is_due_at_once),
	};

	return cmocka_run_group_tests_name("notary/freshness", tests, NULL, NULL);
}

#include "shared/keys/key_history.h"

#include "shared/core/time.h"
#include "tests/support/history_fixture.h"

static void a_far_validity_is_kept_and_trusted_for_seven_days(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object far = history_renewed(&history_first, 3650 * MX_DAY_MS);
	struct key_found found;
	struct key_entry *entry;

	history_fixture_record(f, &far);
	entry = history_fixture_load(f, "a.example");
	assert_true(mx_slice_eq(entry->versions[0].bytes, key_fixture_text(&far, f->mem)));
	assert_true(key_entry_find(entry, MX_SLICE("ed25519:1"), &found));
	assert_int_equal(found.valid_until_ts, DAY_ZERO + 7 * MX_DAY_MS);
	key_entry_unref(entry);
}

static void a_key_of_the_past_is_history(void **state)
{
	struct history_fixture *f = *state;
	struct made_object past = history_first;
	struct key_found found;
	struct key_entry *entry;

	past.valid_until_ts = 1;
	history_fixture_record(f, &past);
	entry = history_fixture_load(f, "a.example");
	assert_true(key_entry_find(entry, MX_SLICE("ed25519:1"), &found));
	assert_int_equal(found.valid_until_ts, 1);
	key_entry_unref(entry);
}

static void a_retired_key_ends_at_its_expiry(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object retired = {
		.server = "a.example",
		.valid_until_ts = DAY_ZERO + MX_DAY_MS / 2,
		.keys = { MADE_KEY_2, { .id = "ed25519:1", .seed = 1, .expired_ts = DAY_ZERO + 5 } }
	};
	struct key_found found;
	struct key_entry *entry;

	history_fixture_record(f, &history_first);
	history_fixture_pass(f, MX_HOUR_MS);
	history_fixture_record(f, &retired);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->versions[1].number, 1); /* valid longest, but said earlier */
	assert_true(key_entry_find(entry, MX_SLICE("ed25519:1"), &found));
	assert_true(found.expired);
	assert_int_equal(found.valid_until_ts, DAY_ZERO + 5);
	key_entry_unref(entry);
}

/* An import of old objects must not bring a retired key back to life. */
static void what_others_pass_on_was_said_when_it_was_valid(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object retired = {
		.server = "a.example",
		.valid_until_ts = DAY_ZERO + MX_DAY_MS,
		.keys = { MADE_KEY_2,
			  { .id = "ed25519:1", .seed = 1, .expired_ts = DAY_ZERO - 9 * MX_DAY_MS } }
	};
	const struct made_object old = history_renewed(&history_first, -9 * MX_DAY_MS);
	struct key_recorded recorded;
	struct key_found found;
	struct key_entry *entry;

	history_fixture_record(f, &retired);
	history_fixture_pass(f, MX_HOUR_MS);
	assert_int_equal(history_fixture_record_from(f, &old, "import", &recorded), 0);
	assert_true(recorded.is_new);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->versions[0].last_seen_ms, old.valid_until_ts);
	assert_true(mx_slice_is(entry->versions[0].source, "import"));
	assert_true(key_entry_find(entry, MX_SLICE("ed25519:1"), &found));
	assert_true(found.expired);
	key_entry_unref(entry);
}

static void a_name_that_no_server_can_have_is_unknown(void **state)
{
	struct history_fixture *f = *state;
	char name[2000];
	struct key_entry *entry;

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	entry = history_fixture_load(f, name);
	assert_int_equal(entry->len, 0);
	key_entry_unref(entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		history_test(a_far_validity_is_kept_and_trusted_for_seven_days),
		history_test(a_key_of_the_past_is_history),
		history_test(a_retired_key_ends_at_its_expiry),
		history_test(what_others_pass_on_was_said_when_it_was_valid),
		history_test(a_name_that_no_server_can_have_is_unknown),
	};
	return cmocka_run_group_tests_name("keys/key_entry", tests, NULL, NULL);
}

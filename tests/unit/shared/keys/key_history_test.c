#include "shared/keys/key_history.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "tests/support/history_fixture.h"

static void assert_sealed(const struct key_version *version, const char *seal_id)
{
	size_t len = strlen(seal_id);

	assert_int_equal(version->sealed.len, version->bytes.len + len + 1);
	assert_memory_equal(version->sealed.ptr, seal_id, len);
	assert_memory_equal(version->sealed.ptr + len + 1, version->bytes.ptr, version->bytes.len);
}

static void a_recorded_object_is_served_from_memory(void **state)
{
	struct history_fixture *f = *state;
	struct key_recorded recorded;
	struct key_entry *entry;
	const struct key_version *version;

	assert_null(key_history_peek(f->history, MX_SLICE("a.example")));
	recorded = history_fixture_record(f, &history_first);
	assert_true(recorded.is_new);
	assert_false(recorded.renewed || recorded.conflict);
	entry = key_history_peek(f->history, MX_SLICE("a.example"));
	assert_non_null(entry);
	assert_true(mx_slice_is(entry->server, "a.example"));
	assert_int_equal(entry->len, 1);
	version = &entry->versions[0];
	assert_int_equal(version->number, 1);
	assert_true(mx_slice_eq(version->bytes, key_fixture_text(&history_first, f->mem)));
	assert_sealed(version, "one");
	assert_int_equal(version->valid_until_ts, DAY_ZERO + MX_DAY_MS);
	assert_int_equal(version->first_seen_ms, DAY_ZERO);
	assert_int_equal(version->last_seen_ms, DAY_ZERO);
	assert_int_equal(version->renewed_ms, DAY_ZERO);
	assert_int_equal(version->renewals, 1);
	assert_true(mx_slice_is(version->source, "origin"));
	assert_true(mx_slice_is(version->address, "192.0.2.1"));
	assert_int_equal(version->certificate.len, 0);
	assert_int_equal(version->keys_len, 1);
	assert_true(mx_slice_is(version->keys[0].id, "ed25519:1"));
	assert_true(version->keys[0].strict_id);
	key_entry_unref(entry);
}

static void a_server_never_seen_has_no_versions(void **state)
{
	struct history_fixture *f = *state;
	struct key_entry *entry = history_fixture_load(f, "nobody.example");

	assert_int_equal(entry->len, 0);
	key_entry_unref(entry);
	entry = key_history_peek(f->history, MX_SLICE("nobody.example"));
	assert_non_null(entry);
	key_entry_unref(entry);
	history_fixture_pass(f, 61 * MX_SECOND_MS);
	assert_null(key_history_peek(f->history, MX_SLICE("nobody.example")));
}

/* A server that was asked for before it had keys has them at once when they come. */
static void a_first_object_replaces_the_empty_entry(void **state)
{
	struct history_fixture *f = *state;
	struct key_entry *entry;

	key_entry_unref(history_fixture_load(f, "a.example"));
	history_fixture_record(f, &history_first);
	entry = key_history_peek(f->history, MX_SLICE("a.example"));
	assert_int_equal(entry->len, 1);
	key_entry_unref(entry);
}

static int64_t last_seen(struct history_fixture *f)
{
	struct key_entry *entry = history_fixture_load(f, "a.example");
	int64_t last_seen_ms = entry->versions[0].last_seen_ms;

	assert_int_equal(entry->len, 1);
	key_entry_unref(entry);
	return last_seen_ms;
}

static void a_repeated_object_only_moves_last_seen(void **state)
{
	struct history_fixture *f = *state;
	struct key_recorded recorded;

	history_fixture_record(f, &history_first);
	history_fixture_pass(f, MX_HOUR_MS / 2);
	recorded = history_fixture_record(f, &history_first);
	assert_false(recorded.is_new || recorded.renewed || recorded.conflict);
	assert_int_equal(last_seen(f), DAY_ZERO + MX_HOUR_MS / 2);
	assert_int_equal(f->seals, 1);
	history_fixture_restart(f); /* too soon to be written */
	assert_int_equal(last_seen(f), DAY_ZERO);
	history_fixture_pass(f, MX_HOUR_MS / 2);
	history_fixture_record(f, &history_first);
	history_fixture_restart(f);
	assert_int_equal(last_seen(f), DAY_ZERO + MX_HOUR_MS);
}

static void a_clock_that_went_back_moves_nothing_back(void **state)
{
	struct history_fixture *f = *state;

	history_fixture_record(f, &history_first);
	history_fixture_pass(f, -MX_HOUR_MS);
	history_fixture_record(f, &history_first);
	assert_int_equal(last_seen(f), DAY_ZERO);
}

/* ---- renewals */

static void assert_renewals(struct history_fixture *f, const struct made_object *const *expected,
			    size_t len)
{
	struct key_renewal *renewals;
	size_t found;

	assert_int_equal(key_history_renewals(f->history, MX_SLICE("a.example"), 1, 100, f->mem,
					      &renewals, &found, NULL),
			 0);
	assert_int_equal(found, len);
	for (size_t i = 0; i < len; i++) {
		struct mx_slice text = key_fixture_text(expected[i], f->mem);

		assert_int_equal(renewals[i].valid_until_ts, expected[i]->valid_until_ts);
		assert_true(mx_slice_eq(renewals[i].bytes, text));
	}
}

static void a_renewal_is_served_and_all_are_kept_byte_for_byte(void **state)
{
	struct history_fixture *f = *state;
	struct made_object second = history_renewed(&history_first, MX_HOUR_MS),
			   third = history_renewed(&history_first, 2 * MX_HOUR_MS);
	const struct made_object *const all[] = { &history_first, &second, &third };
	struct key_recorded recorded;
	struct key_entry *entry;

	history_fixture_record(f, &history_first);
	history_fixture_pass(f, MX_HOUR_MS);
	recorded = history_fixture_record(f, &second);
	assert_true(recorded.renewed);
	assert_false(recorded.is_new || recorded.conflict);
	history_fixture_pass(f, MX_HOUR_MS);
	history_fixture_record(f, &third);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 1);
	assert_int_equal(entry->versions[0].valid_until_ts, third.valid_until_ts);
	assert_int_equal(entry->versions[0].first_seen_ms, DAY_ZERO);
	assert_int_equal(entry->versions[0].renewed_ms, DAY_ZERO + 2 * MX_HOUR_MS);
	assert_int_equal(entry->versions[0].renewals, 3);
	assert_sealed(&entry->versions[0], "one");
	key_entry_unref(entry);
	assert_renewals(f, all, 3);
}

static void an_older_object_is_kept_beside_the_newest(void **state)
{
	struct history_fixture *f = *state;
	struct made_object older = history_renewed(&history_first, -MX_HOUR_MS);
	const struct made_object *const all[] = { &older, &history_first };
	struct key_entry *entry;

	history_fixture_record(f, &history_first);
	assert_true(history_fixture_record(f, &older).renewed);
	assert_false(history_fixture_record(f, &older).renewed);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 1);
	assert_int_equal(entry->versions[0].valid_until_ts, history_first.valid_until_ts);
	assert_int_equal(entry->versions[0].renewals, 2);
	key_entry_unref(entry);
	assert_renewals(f, all, 2);
}

static void what_is_unsigned_is_kept_too(void **state)
{
	struct history_fixture *f = *state;
	struct made_object with = history_first,
			   other = history_renewed(&history_first, MX_HOUR_MS),
			   without = history_renewed(&history_first, 2 * MX_HOUR_MS);
	const struct made_object *const all[] = { &with, &other, &without };

	with.unsigned_json = "{\"age\":1}";
	other.unsigned_json = "[]";
	history_fixture_record(f, &with);
	history_fixture_record(f, &other);
	history_fixture_record(f, &without);
	assert_renewals(f, all, 3);
}

static void more_signatures_make_a_better_object(void **state)
{
	struct history_fixture *f = *state;
	struct made_object full = { .server = "a.example",
				    .valid_until_ts = DAY_ZERO + MX_DAY_MS,
				    .keys = { MADE_KEY_1, MADE_KEY_2 } };
	struct made_object half = full;
	const struct made_object *const all[] = { &half, &full };
	struct key_entry *entry;

	half.keys[1].silent = true;
	history_fixture_record(f, &half);
	assert_true(history_fixture_record(f, &full).renewed);
	assert_false(history_fixture_record(f, &half).renewed);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 1);
	assert_true(mx_slice_eq(entry->versions[0].bytes, key_fixture_text(&full, f->mem)));
	key_entry_unref(entry);
	assert_renewals(f, all, 2);
}

static void endless_renewals_do_not_fill_the_disk(void **state)
{
	struct history_fixture *f = *state;
	struct made_object made = history_first;
	struct key_entry *entry;

	for (int i = 0; i < 1010; i++, made.valid_until_ts++)
		history_fixture_record(f, &made);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->versions[0].valid_until_ts, made.valid_until_ts - 1);
	assert_int_equal(entry->versions[0].renewals, 1000);
	key_entry_unref(entry);
	history_fixture_pass(f, 3 * MX_HOUR_MS);
	history_fixture_record(f, &made);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->versions[0].renewals, 1001);
	key_entry_unref(entry);
}

static void an_unknown_version_has_no_renewals(void **state)
{
	struct history_fixture *f = *state;
	struct key_renewal *renewals;
	size_t len;

	history_fixture_record(f, &history_first);
	assert_int_equal(key_history_renewals(f->history, MX_SLICE("a.example"), 2, 9, f->mem,
					      &renewals, &len, NULL),
			 -MX_NOT_FOUND);
}

/* ---- nothing is forgotten */

static void a_key_that_its_server_dropped_stays_known(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object second = { .server = "a.example",
					    .valid_until_ts = DAY_ZERO + 2 * MX_DAY_MS,
					    .keys = { MADE_KEY_2 } };
	struct key_found found;
	struct key_entry *entry;
	uint8_t public_key[32];

	history_fixture_record(f, &history_first);
	history_fixture_pass(f, MX_DAY_MS);
	assert_true(history_fixture_record(f, &second).is_new);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 2);
	assert_int_equal(entry->versions[0].number, 1);
	assert_int_equal(entry->versions[1].number, 2);
	assert_true(key_entry_find(entry, MX_SLICE("ed25519:1"), &found));
	key_fixture_public(1, public_key);
	assert_memory_equal(found.public_key, public_key, 32);
	assert_false(found.expired);
	assert_int_equal(found.valid_until_ts, history_first.valid_until_ts);
	assert_true(key_entry_find(entry, MX_SLICE("ed25519:2"), &found));
	assert_false(key_entry_find(entry, MX_SLICE("ed25519:3"), &found));
	key_entry_unref(entry);
}

static void names_of_another_case_are_other_servers(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object upper = { .server = "A.example",
					   .valid_until_ts = DAY_ZERO + MX_DAY_MS,
					   .keys = { MADE_KEY_2 } };
	struct key_entry *entry;

	history_fixture_record(f, &history_first);
	history_fixture_record(f, &upper);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 1);
	assert_true(mx_slice_is(entry->versions[0].keys[0].id, "ed25519:1"));
	key_entry_unref(entry);
	entry = history_fixture_load(f, "A.example");
	assert_int_equal(entry->len, 1);
	assert_true(mx_slice_is(entry->versions[0].keys[0].id, "ed25519:2"));
	key_entry_unref(entry);
}

static void everything_is_there_after_a_restart(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object second = {
		.server = "a.example",
		.valid_until_ts = DAY_ZERO - MX_DAY_MS,
		.keys = { { .id = "ed25519:odd-id", .seed = 9 },
			  { .id = "ed25519:1", .seed = 1, .expired_ts = 77 } }
	};
	struct key_entry *before, *after;

	history_fixture_record(f, &history_first);
	history_fixture_record(f, &second);
	before = history_fixture_load(f, "a.example");
	history_fixture_restart(f);
	assert_null(key_history_peek(f->history, MX_SLICE("a.example")));
	after = history_fixture_load(f, "a.example");
	assert_int_equal(after->len, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(after->versions[i].number, before->versions[i].number);
		assert_true(mx_slice_eq(after->versions[i].sealed, before->versions[i].sealed));
		assert_true(mx_slice_eq(after->versions[i].bytes, before->versions[i].bytes));
		assert_true(mx_slice_eq(after->versions[i].address, before->versions[i].address));
		assert_int_equal(after->versions[i].keys_len, before->versions[i].keys_len);
	}
	assert_int_equal(after->versions[0].valid_until_ts, DAY_ZERO - MX_DAY_MS);
	assert_false(after->versions[0].keys[0].strict_id && after->versions[0].keys[1].strict_id);
	assert_int_equal(f->seals, 2); /* what is sealed stays sealed */
	key_entry_unref(before);
	key_entry_unref(after);
}

/* ---- sealing */

static void entries_are_sealed_again_with_new_keys(void **state)
{
	struct history_fixture *f = *state;
	struct key_entry *entry;

	history_fixture_record(f, &history_first);
	f->seal_id = "two";
	key_history_reseal(f->history, MX_SLICE("two"));
	assert_null(key_history_peek(f->history, MX_SLICE("a.example")));
	entry = history_fixture_load(f, "a.example");
	assert_sealed(&entry->versions[0], "two");
	key_entry_unref(entry);
	f->seal_id = "three";
	history_fixture_restart(f);
	entry = history_fixture_load(f, "a.example");
	assert_sealed(&entry->versions[0], "three");
	key_entry_unref(entry);
}

static unsigned prepared_freed;

static void free_prepared(void *prepared)
{
	assert_string_equal(prepared, "answer");
	prepared_freed++;
}

static void what_a_user_prepared_is_freed_with_the_entry(void **state)
{
	struct history_fixture *f = *state;
	const struct key_history_conf conf = { .store = f->store, .prepared_free = free_prepared };
	struct key_history *history;
	struct key_entry *entry;
	void *none = NULL;

	history_fixture_record(f, &history_first);
	assert_int_equal(key_history_new(&conf, &history, NULL), 0);
	assert_int_equal(key_history_load(history, MX_SLICE("a.example"), &entry, NULL), 0);
	assert_int_equal(entry->versions[0].sealed.len, 0); /* nobody seals here */
	assert_true(atomic_compare_exchange_strong(&entry->prepared, &none, (void *)"answer"));
	key_history_free(history);
	assert_int_equal(prepared_freed, 0);
	key_entry_unref(entry);
	assert_int_equal(prepared_freed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		history_test(a_recorded_object_is_served_from_memory),
		history_test(a_server_never_seen_has_no_versions),
		history_test(a_first_object_replaces_the_empty_entry),
		history_test(a_repeated_object_only_moves_last_seen),
		history_test(a_clock_that_went_back_moves_nothing_back),
		history_test(a_renewal_is_served_and_all_are_kept_byte_for_byte),
		history_test(an_older_object_is_kept_beside_the_newest),
		history_test(what_is_unsigned_is_kept_too),
		history_test(more_signatures_make_a_better_object),
		history_test(endless_renewals_do_not_fill_the_disk),
		history_test(an_unknown_version_has_no_renewals),
		history_test(a_key_that_its_server_dropped_stays_known),
		history_test(names_of_another_case_are_other_servers),
		history_test(everything_is_there_after_a_restart),
		history_test(entries_are_sealed_again_with_new_keys),
		history_test(what_a_user_prepared_is_freed_with_the_entry),
	};
	return cmocka_run_group_tests_name("keys/key_history", tests, NULL, NULL);
}

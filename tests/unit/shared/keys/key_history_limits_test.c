#include "shared/keys/key_history.h"

#include "shared/core/error.h"
#include "shared/core/time.h"
#include "tests/support/history_fixture.h"

static void versions_of_one_server_are_bounded(void **state)
{
	struct history_fixture *f = *state;
	struct made_object made = history_first, more;
	struct key_recorded recorded;
	struct key_entry *entry;
	char note[16];

	made.note = note;
	for (int i = 0; i < 512; i++) {
		snprintf(note, sizeof(note), "%d", i);
		assert_true(history_fixture_record(f, &made).is_new);
	}
	snprintf(note, sizeof(note), "more");
	assert_int_equal(history_fixture_record_from(f, &made, "origin", &recorded), -MX_TOO_LARGE);
	assert_int_equal(history_fixture_metric(f, "test_key_objects_over_limit_total"), 1);
	snprintf(note, sizeof(note), "0");
	more = history_renewed(&made, MX_HOUR_MS);
	assert_true(history_fixture_record(f, &more).renewed);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 512);
	assert_int_equal(entry->versions[511].number, 1);
	key_entry_unref(entry);
}

static void bytes_of_one_server_are_bounded(void **state)
{
	struct history_fixture *f = *state;
	struct made_object made = history_first;
	struct key_recorded recorded;
	struct key_history_stats stats;
	static char note[60000];
	int rc = 0, count = 0;

	memset(note, 'x', sizeof(note) - 1);
	made.note = note;
	while (rc == 0 && count < 100) {
		note[0] = (char)('A' + count);
		rc = history_fixture_record_from(f, &made, "origin", &recorded);
		count += rc == 0;
	}
	assert_int_equal(rc, -MX_TOO_LARGE);
	assert_int_equal(count, 8);
	key_history_stats(f->history, &stats);
	assert_int_equal(stats.versions, 8);
}

static void a_long_key_id_is_refused(void **state)
{
	struct history_fixture *f = *state;
	struct key_object object = key_fixture_object(&history_first, f->mem);
	const struct key_source source = { .source = "origin" };
	struct key_recorded recorded;
	char id[257];

	memset(id, 'k', sizeof(id));
	object.keys[0].id = mx_slice_of(id, 256);
	assert_int_equal(key_history_record(f->history, &object, &source, &recorded, NULL),
			 -MX_TOO_LARGE);
	object.keys[0].id.len = 255;
	assert_int_equal(key_history_record(f->history, &object, &source, &recorded, NULL), 0);
}

static void memory_stays_within_its_bounds(void **state)
{
	struct history_fixture *f = *state;
	struct key_history_stats stats;
	struct made_object made = history_first;
	char name[32];

	f->cache_bytes = 64u * 1024;
	history_fixture_restart(f);
	made.server = name;
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "s%d.example", i);
		history_fixture_record(f, &made);
	}
	key_history_stats(f->history, &stats);
	assert_int_equal(stats.servers, 200);
	assert_in_range(stats.cached_entries, 10, 150);
	assert_in_range(stats.cached_bytes, 1, 64 * 1024);
	assert_null(key_history_peek(f->history, MX_SLICE("s0.example")));
	key_entry_unref(history_fixture_load(f, "s0.example"));
}

static void made_up_names_push_nobody_out(void **state)
{
	struct history_fixture *f = *state;
	struct key_entry *entry;
	char name[32];

	f->cache_bytes = 64u * 1024;
	history_fixture_restart(f);
	history_fixture_record(f, &history_first);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "made-up-%d.example", i);
		key_entry_unref(history_fixture_load(f, name));
	}
	entry = key_history_peek(f->history, MX_SLICE("a.example"));
	assert_non_null(entry);
	key_entry_unref(entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		history_test(versions_of_one_server_are_bounded),
		history_test(bytes_of_one_server_are_bounded),
		history_test(a_long_key_id_is_refused),
		history_test(memory_stays_within_its_bounds),
		history_test(made_up_names_push_nobody_out),
	};
	return cmocka_run_group_tests_name("keys/key_history_limits", tests, NULL, NULL);
}

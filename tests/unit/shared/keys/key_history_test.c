#include "shared/keys/key_history.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "tests/support/history_fixture.h"

#define HOUR MX_HOUR_MS
#define DAY  MX_DAY_MS

#define ONE                                  \
	{                                    \
		.id = "ed25519:1", .seed = 1 \
	}
#define TWO                                  \
	{                                    \
		.id = "ed25519:2", .seed = 2 \
	}

static const struct made_object first = {
	.server = "a.example",
	.valid_until_ts = DAY_ZERO + DAY,
	.keys = { ONE },
};

static struct made_object renewed(const struct made_object *made, int64_t by_ms)
{
	struct made_object later = *made;

	later.valid_until_ts += by_ms;
	return later;
}

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
	recorded = history_fixture_record(f, &first);
	assert_true(recorded.is_new);
	assert_false(recorded.renewed || recorded.conflict);
	entry = key_history_peek(f->history, MX_SLICE("a.example"));
	assert_non_null(entry);
	assert_true(mx_slice_is(entry->server, "a.example"));
	assert_int_equal(entry->len, 1);
	version = &entry->versions[0];
	assert_int_equal(version->number, 1);
	assert_true(mx_slice_eq(version->bytes, key_fixture_text(&first, f->mem)));
	assert_sealed(version, "one");
	assert_int_equal(version->valid_until_ts, DAY_ZERO + DAY);
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
	history_fixture_record(f, &first);
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

	history_fixture_record(f, &first);
	history_fixture_pass(f, HOUR / 2);
	recorded = history_fixture_record(f, &first);
	assert_false(recorded.is_new || recorded.renewed || recorded.conflict);
	assert_int_equal(last_seen(f), DAY_ZERO + HOUR / 2);
	assert_int_equal(f->seals, 1);
	history_fixture_restart(f); /* too soon to be written */
	assert_int_equal(last_seen(f), DAY_ZERO);
	history_fixture_pass(f, HOUR / 2);
	history_fixture_record(f, &first);
	history_fixture_restart(f);
	assert_int_equal(last_seen(f), DAY_ZERO + HOUR);
}

static void a_clock_that_went_back_moves_nothing_back(void **state)
{
	struct history_fixture *f = *state;

	history_fixture_record(f, &first);
	history_fixture_pass(f, -HOUR);
	history_fixture_record(f, &first);
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
	struct made_object second = renewed(&first, HOUR), third = renewed(&first, 2 * HOUR);
	const struct made_object *const all[] = { &first, &second, &third };
	struct key_recorded recorded;
	struct key_entry *entry;

	history_fixture_record(f, &first);
	history_fixture_pass(f, HOUR);
	recorded = history_fixture_record(f, &second);
	assert_true(recorded.renewed);
	assert_false(recorded.is_new || recorded.conflict);
	history_fixture_pass(f, HOUR);
	history_fixture_record(f, &third);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 1);
	assert_int_equal(entry->versions[0].valid_until_ts, third.valid_until_ts);
	assert_int_equal(entry->versions[0].first_seen_ms, DAY_ZERO);
	assert_int_equal(entry->versions[0].renewed_ms, DAY_ZERO + 2 * HOUR);
	assert_int_equal(entry->versions[0].renewals, 3);
	assert_sealed(&entry->versions[0], "one");
	key_entry_unref(entry);
	assert_renewals(f, all, 3);
}

static void an_older_object_is_kept_beside_the_newest(void **state)
{
	struct history_fixture *f = *state;
	struct made_object older = renewed(&first, -HOUR);
	const struct made_object *const all[] = { &older, &first };
	struct key_entry *entry;

	history_fixture_record(f, &first);
	assert_true(history_fixture_record(f, &older).renewed);
	assert_false(history_fixture_record(f, &older).renewed);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 1);
	assert_int_equal(entry->versions[0].valid_until_ts, first.valid_until_ts);
	assert_int_equal(entry->versions[0].renewals, 2);
	key_entry_unref(entry);
	assert_renewals(f, all, 2);
}

static void what_is_unsigned_is_kept_too(void **state)
{
	struct history_fixture *f = *state;
	struct made_object with = first, other = renewed(&first, HOUR),
			   without = renewed(&first, 2 * HOUR);
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
				    .valid_until_ts = DAY_ZERO + DAY,
				    .keys = { ONE, TWO } };
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
	struct made_object made = first;
	struct key_entry *entry;

	for (int i = 0; i < 1010; i++, made.valid_until_ts++)
		history_fixture_record(f, &made);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->versions[0].valid_until_ts, made.valid_until_ts - 1);
	assert_int_equal(entry->versions[0].renewals, 1000);
	key_entry_unref(entry);
	history_fixture_pass(f, 3 * HOUR);
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

	history_fixture_record(f, &first);
	assert_int_equal(key_history_renewals(f->history, MX_SLICE("a.example"), 2, 9, f->mem,
					      &renewals, &len, NULL),
			 -MX_NOT_FOUND);
}

/* ---- nothing is forgotten */

static void a_key_that_its_server_dropped_stays_known(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object second = { .server = "a.example",
					    .valid_until_ts = DAY_ZERO + 2 * DAY,
					    .keys = { TWO } };
	struct key_found found;
	struct key_entry *entry;
	uint8_t public_key[32];

	history_fixture_record(f, &first);
	history_fixture_pass(f, DAY);
	assert_true(history_fixture_record(f, &second).is_new);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 2);
	assert_int_equal(entry->versions[0].number, 1);
	assert_int_equal(entry->versions[1].number, 2);
	assert_true(key_entry_find(entry, MX_SLICE("ed25519:1"), &found));
	key_fixture_public(1, public_key);
	assert_memory_equal(found.public_key, public_key, 32);
	assert_false(found.expired);
	assert_int_equal(found.valid_until_ts, first.valid_until_ts);
	assert_true(key_entry_find(entry, MX_SLICE("ed25519:2"), &found));
	assert_false(key_entry_find(entry, MX_SLICE("ed25519:3"), &found));
	key_entry_unref(entry);
}

static void names_of_another_case_are_other_servers(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object upper = { .server = "A.example",
					   .valid_until_ts = DAY_ZERO + DAY,
					   .keys = { TWO } };
	struct key_entry *entry;

	history_fixture_record(f, &first);
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
		.valid_until_ts = DAY_ZERO - DAY,
		.keys = { { .id = "ed25519:odd-id", .seed = 9 },
			  { .id = "ed25519:1", .seed = 1, .expired_ts = 77 } }
	};
	struct key_entry *before, *after;

	history_fixture_record(f, &first);
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
	assert_int_equal(after->versions[0].valid_until_ts, DAY_ZERO - DAY);
	assert_false(after->versions[0].keys[0].strict_id && after->versions[0].keys[1].strict_id);
	assert_int_equal(f->seals, 2); /* what is sealed stays sealed */
	key_entry_unref(before);
	key_entry_unref(after);
}

/* ---- conflicts */

static const struct made_object reused = {
	.server = "a.example",
	.valid_until_ts = DAY_ZERO + 2 * DAY,
	.keys = { { .id = "ed25519:new", .seed = 7 }, { .id = "ed25519:1", .seed = 8 } },
};

static void assert_only_first(struct history_fixture *f)
{
	struct key_entry *entry = history_fixture_load(f, "a.example");
	struct key_found found;

	assert_int_equal(entry->len, 1);
	assert_true(mx_slice_eq(entry->versions[0].bytes, key_fixture_text(&first, f->mem)));
	assert_false(key_entry_find(entry, MX_SLICE("ed25519:new"), &found));
	key_entry_unref(entry);
}

static void a_known_id_with_other_bytes_refuses_the_whole_object(void **state)
{
	struct history_fixture *f = *state;
	struct key_conflict *conflicts;
	uint8_t kept[32], refused[32];
	size_t len;

	history_fixture_record(f, &first);
	history_fixture_pass(f, HOUR);
	assert_true(history_fixture_record(f, &reused).conflict);
	history_fixture_pass(f, HOUR);
	assert_true(history_fixture_record(f, &reused).conflict);
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
	assert_int_equal(conflicts[0].first_seen_ms, DAY_ZERO + HOUR);
	assert_int_equal(conflicts[0].last_seen_ms, DAY_ZERO + 2 * HOUR);
	assert_true(mx_slice_eq(conflicts[0].bytes, key_fixture_text(&reused, f->mem)));
	assert_true(mx_slice_is(conflicts[0].source, "origin"));
}

static void a_conflict_is_counted_and_audited_once(void **state)
{
	struct history_fixture *f = *state;
	struct key_history_stats stats;
	struct key_audit *rows;
	size_t len;

	history_fixture_record(f, &first);
	history_fixture_record(f, &reused);
	history_fixture_record(f, &reused);
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
		.valid_until_ts = DAY_ZERO + 2 * DAY,
		.keys = { TWO, { .id = "ed25519:1", .seed = 8, .expired_ts = DAY_ZERO } }
	};

	history_fixture_record(f, &first);
	assert_true(history_fixture_record(f, &old).conflict);
	assert_only_first(f);
}

static void conflicts_of_one_server_are_bounded(void **state)
{
	struct history_fixture *f = *state;
	struct made_object made = first;
	struct key_recorded recorded;
	struct key_history_stats stats;

	history_fixture_record(f, &first);
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
	struct made_object b = first, b_reused = reused;
	struct key_conflict *conflicts;
	size_t len;

	b.server = b_reused.server = "b.example";
	history_fixture_record(f, &first);
	history_fixture_record(f, &b);
	history_fixture_record(f, &b_reused);
	history_fixture_record(f, &reused);
	assert_int_equal(
		key_history_conflicts(f->history, MX_SLICE(""), 10, f->mem, &conflicts, &len, NULL),
		0);
	assert_int_equal(len, 2);
	assert_true(mx_slice_is(conflicts[0].server, "a.example"));
	assert_true(mx_slice_is(conflicts[1].server, "b.example"));
}

/* ---- limits */

static void versions_of_one_server_are_bounded(void **state)
{
	struct history_fixture *f = *state;
	struct made_object made = first, more;
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
	more = renewed(&made, HOUR);
	assert_true(history_fixture_record(f, &more).renewed);
	entry = history_fixture_load(f, "a.example");
	assert_int_equal(entry->len, 512);
	assert_int_equal(entry->versions[511].number, 1);
	key_entry_unref(entry);
}

static void bytes_of_one_server_are_bounded(void **state)
{
	struct history_fixture *f = *state;
	struct made_object made = first;
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
	struct key_object object = key_fixture_object(&first, f->mem);
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
	struct made_object made = first;
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
	history_fixture_record(f, &first);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "made-up-%d.example", i);
		key_entry_unref(history_fixture_load(f, name));
	}
	entry = key_history_peek(f->history, MX_SLICE("a.example"));
	assert_non_null(entry);
	key_entry_unref(entry);
}

/* ---- sealing */

static void entries_are_sealed_again_with_new_keys(void **state)
{
	struct history_fixture *f = *state;
	struct key_entry *entry;

	history_fixture_record(f, &first);
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

	history_fixture_record(f, &first);
	assert_int_equal(key_history_new(&conf, &history, NULL), 0);
	assert_int_equal(key_history_load(history, MX_SLICE("a.example"), &entry, NULL), 0);
	assert_int_equal(entry->versions[0].sealed.len, 0); /* nobody seals here */
	assert_true(atomic_compare_exchange_strong(&entry->prepared, &none, (void *)"answer"));
	key_history_free(history);
	assert_int_equal(prepared_freed, 0);
	key_entry_unref(entry);
	assert_int_equal(prepared_freed, 1);
}

/* ---- purging and listing */

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
	struct made_object changed = first;
	struct key_history_stats stats;
	size_t removed;

	changed.keys[0].seed = 5;
	history_fixture_record(f, &first);
	history_fixture_record(f, &reused);
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
				    .valid_until_ts = DAY_ZERO + DAY,
				    .keys = { ONE, TWO } };
	struct made_object other_one = first, other_two = first;
	size_t removed;

	other_one.keys[0].seed = 5;
	other_two.keys[0] = (struct made_key){ .id = "ed25519:2", .seed = 6 };
	history_fixture_record(f, &first);
	history_fixture_record(f, &both);
	assert_int_equal(key_history_purge(f->history, MX_SLICE("a.example"), 2, "not theirs",
					   &removed, NULL),
			 0);
	assert_int_equal(removed, 1);
	assert_versions(f, 1, 1);
	assert_true(history_fixture_record(f, &other_two).is_new);
	assert_true(history_fixture_record(f, &other_one).conflict);
	assert_true(history_fixture_record(f, &first).conflict == false);
}

static void a_purged_object_that_returns_is_a_new_version(void **state)
{
	struct history_fixture *f = *state;
	struct made_object later = renewed(&first, HOUR);
	struct key_renewal *renewals;
	size_t removed, len;

	history_fixture_record(f, &first);
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

	history_fixture_record(f, &first);
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
	struct made_object b = first;
	struct key_audit *rows;
	size_t removed, len;

	b.server = "b.example";
	history_fixture_record(f, &first);
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
	struct made_object made = first;
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
	struct made_object made = first;
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

/* ---- finding keys */

static void a_far_validity_is_kept_and_trusted_for_seven_days(void **state)
{
	struct history_fixture *f = *state;
	const struct made_object far = renewed(&first, 3650 * DAY);
	struct key_found found;
	struct key_entry *entry;

	history_fixture_record(f, &far);
	entry = history_fixture_load(f, "a.example");
	assert_true(mx_slice_eq(entry->versions[0].bytes, key_fixture_text(&far, f->mem)));
	assert_true(key_entry_find(entry, MX_SLICE("ed25519:1"), &found));
	assert_int_equal(found.valid_until_ts, DAY_ZERO + 7 * DAY);
	key_entry_unref(entry);
}

static void a_key_of_the_past_is_history(void **state)
{
	struct history_fixture *f = *state;
	struct made_object past = first;
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
		.valid_until_ts = DAY_ZERO + DAY / 2,
		.keys = { TWO, { .id = "ed25519:1", .seed = 1, .expired_ts = DAY_ZERO + 5 } }
	};
	struct key_found found;
	struct key_entry *entry;

	history_fixture_record(f, &first);
	history_fixture_pass(f, HOUR);
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
		.valid_until_ts = DAY_ZERO + DAY,
		.keys = { TWO, { .id = "ed25519:1", .seed = 1, .expired_ts = DAY_ZERO - 9 * DAY } }
	};
	const struct made_object old = renewed(&first, -9 * DAY);
	struct key_recorded recorded;
	struct key_found found;
	struct key_entry *entry;

	history_fixture_record(f, &retired);
	history_fixture_pass(f, HOUR);
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
		history_test(a_known_id_with_other_bytes_refuses_the_whole_object),
		history_test(a_conflict_is_counted_and_audited_once),
		history_test(an_old_key_may_not_change_either),
		history_test(conflicts_of_one_server_are_bounded),
		history_test(conflicts_of_all_servers_are_listed),
		history_test(versions_of_one_server_are_bounded),
		history_test(bytes_of_one_server_are_bounded),
		history_test(a_long_key_id_is_refused),
		history_test(memory_stays_within_its_bounds),
		history_test(made_up_names_push_nobody_out),
		history_test(entries_are_sealed_again_with_new_keys),
		history_test(what_a_user_prepared_is_freed_with_the_entry),
		history_test(a_purged_server_is_gone_and_its_numbers_stay_used),
		history_test(a_purged_version_frees_the_ids_that_only_it_had),
		history_test(a_purged_object_that_returns_is_a_new_version),
		history_test(purging_nothing_removes_nothing),
		history_test(the_audit_tells_the_newest_first),
		history_test(servers_are_listed_in_order_and_page_by_page),
		history_test(totals_are_right_after_a_restart),
		history_test(a_far_validity_is_kept_and_trusted_for_seven_days),
		history_test(a_key_of_the_past_is_history),
		history_test(a_retired_key_ends_at_its_expiry),
		history_test(what_others_pass_on_was_said_when_it_was_valid),
		history_test(a_name_that_no_server_can_have_is_unknown),
	};
	return cmocka_run_group_tests_name("keys/key_history", tests, NULL, NULL);
}

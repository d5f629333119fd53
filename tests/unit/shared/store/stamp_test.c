#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define WRITERS      4
#define WRITER_STEPS 100
#define LOOKERS      3
#define LOOKS        50000

static const struct store_table log_table = { .name = "log" };
static const struct store_table heads = { .name = "heads" };
static const struct store_table *const tables[] = { &log_table, &heads, NULL };

static struct store *store_of(const char *directory)
{
	const struct store_conf conf = {
		.directory = directory,
		.tables = tables,
		.stamp_table = &log_table,
		.free_bytes_min = -1,
	};
	struct mx_error err = { 0 };
	struct store *store = NULL;

	if (store_open(&conf, &store, &err))
		fail_msg("%s", err.text);
	return store;
}

/* stamp + index → a record that holds the stamp too */
static void log_put(struct store_txn *txn, uint64_t index)
{
	struct store_key key = { 0 };
	mx_str_auto value = { 0 };
	struct store_stamp_at at = { .key_at = store_key_stamp(&key) };

	store_key_u64(&key, index);
	record_begin(&value, 1);
	record_put_u64(&value, 300);
	at.value_at = record_put_stamp(&value);
	record_put_u64(&value, index);
	store_txn_put_stamped(txn, &log_table, store_key_slice(&key), mx_str_slice(&value), &at);
}

static void head_put(struct store_txn *txn, const char *name)
{
	mx_str_auto value = { 0 };
	struct store_stamp_at at = { .key_at = STORE_NO_STAMP };

	record_begin(&value, 1);
	at.value_at = record_put_stamp(&value);
	store_txn_put_stamped(txn, &heads, mx_slice(name), mx_str_slice(&value), &at);
}

static uint64_t stamp_in(struct mx_slice value)
{
	struct record_reader reader = record_open(value);

	return record_stamp(&reader);
}

static uint64_t head_of(struct store *store, const char *name)
{
	struct store_view *view = store_view_begin(store);
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_slice value = { 0 };
	int rc = store_get(view, &heads, mx_slice(name), mem, &value);

	store_view_end(view);
	return rc ? 0 : stamp_in(value);
}

static int head_commit(struct store *store, const char *name)
{
	struct store_txn *txn = store_txn_begin(store);

	head_put(txn, name);
	return store_txn_commit(txn, NULL);
}

static void stamps_grow_by_one_with_each_transaction(void **state)
{
	struct store *store = store_of(NULL);

	(void)state;
	assert_int_equal(store_stamp(store), 0);
	assert_int_equal(head_commit(store, "a"), 0);
	assert_int_equal(head_commit(store, "b"), 0);
	assert_int_equal(head_of(store, "a"), 1);
	assert_int_equal(head_of(store, "b"), 2);
	assert_int_equal(store_stamp(store), 2);
	store_close(store);
}

static void all_rows_of_a_transaction_have_one_stamp_in_key_and_value(void **state)
{
	struct store *store = store_of(NULL);
	struct store_txn *txn = store_txn_begin(store);
	mx_arena_auto *mem = mx_arena_new(0);
	const struct store_range all = { .from = MX_SLICE("\0\0\0\0\0\0\0\2") };
	struct store_rows rows = { 0 };
	struct store_view *view;

	(void)state;
	assert_int_equal(head_commit(store, "earlier"), 0);
	log_put(txn, 7);
	log_put(txn, 8);
	head_put(txn, "a");
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	view = store_view_begin(store);
	assert_int_equal(store_scan(view, &log_table, &all, mem, &rows), 0);
	store_view_end(view);
	assert_int_equal(rows.len, 2);
	for (size_t i = 0; i < 2; i++) {
		struct record_reader reader = record_open(rows.items[i].value);
		struct mx_slice rest = rows.items[i].key;
		uint64_t stamp, index;

		assert_true(store_key_read_stamp(&rest, &stamp));
		assert_true(store_key_read_u64(&rest, &index));
		assert_int_equal(stamp, 2);
		assert_int_equal(index, 7 + i);
		assert_int_equal(record_u64(&reader), 300);
		assert_int_equal(record_stamp(&reader), 2);
		assert_int_equal(record_u64(&reader), 7 + i);
		assert_true(record_ok(&reader));
	}
	assert_int_equal(head_of(store, "a"), 2);
	store_close(store);
}

static void who_fails_its_checks_takes_no_stamp(void **state)
{
	struct store *store = store_of(NULL);
	struct store_txn *txn = store_txn_begin(store);

	(void)state;
	assert_int_equal(head_commit(store, "a"), 0);
	store_txn_expect_absent(txn, &heads, MX_SLICE("a"));
	head_put(txn, "b");
	assert_int_equal(store_txn_commit(txn, NULL), -MX_CONFLICT);
	assert_int_equal(store_stamp(store), 1);
	assert_int_equal(head_commit(store, "c"), 0);
	assert_int_equal(head_of(store, "c"), 2);
	store_close(store);
}

static void plain_transactions_take_no_stamp(void **state)
{
	struct store *store = store_of(NULL);
	struct store_txn *txn = store_txn_begin(store);

	(void)state;
	store_txn_put(txn, &heads, MX_SLICE("x"), MX_SLICE("12345678901234567890"));
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	assert_int_equal(store_stamp(store), 0);
	store_close(store);
}

static void counting_goes_on_after_the_store_is_opened_again(void **state)
{
	char *directory = store_fixture_directory();
	struct store *store = store_of(directory);

	(void)state;
	for (uint64_t i = 0; i < 300; i++) {
		struct store_txn *txn = store_txn_begin(store);

		log_put(txn, i);
		assert_int_equal(store_txn_commit(txn, NULL), 0);
	}
	store_close(store);
	store = store_of(directory);
	assert_int_equal(store_stamp(store), 300);
	assert_int_equal(head_commit(store, "a"), 0);
	assert_int_equal(head_of(store, "a"), 301);
	store_close(store);
	store_fixture_directory_remove(directory);
}

static void a_stamp_that_is_not_in_the_log_is_not_given_again(void **state)
{
	char *directory = store_fixture_directory();
	struct store *store = store_of(directory);

	(void)state;
	assert_int_equal(head_commit(store, "a"), 0);
	store_close(store);
	store = store_of(directory);
	assert_int_equal(store_stamp(store), 1);
	assert_int_equal(head_commit(store, "b"), 0);
	assert_int_equal(head_of(store, "b"), 2);
	store_close(store);
	store_fixture_directory_remove(directory);
}

static void count_groups(void *ctx, uint64_t stamp)
{
	uint64_t *last = ctx;

	assert_true(stamp > *last);
	*last = stamp;
}

static void the_end_of_a_group_is_told_before_its_answers(void **state)
{
	struct store *store = store_of(NULL);
	struct store_txn *txn = store_txn_begin(store);
	uint64_t last = 0;

	(void)state;
	store_watch_stamps(store, count_groups, &last);
	assert_int_equal(head_commit(store, "a"), 0);
	assert_int_equal(last, 1);
	store_txn_put(txn, &heads, MX_SLICE("plain"), MX_SLICE("x"));
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	assert_int_equal(last, 1);
	assert_int_equal(head_commit(store, "b"), 0);
	assert_int_equal(last, 2);
	store_watch_stamps(store, NULL, NULL);
	assert_int_equal(head_commit(store, "c"), 0);
	assert_int_equal(last, 2);
	store_close(store);
}

static void serials_tell_rows_of_a_transaction_apart(void **state)
{
	struct store *store = store_of(NULL);
	struct store_txn *txn = store_txn_begin(store);

	(void)state;
	assert_int_equal(store_txn_serial(txn), 1);
	assert_int_equal(store_txn_serial(txn), 2);
	store_txn_abort(txn);
	store_close(store);
}

static void a_log_whose_last_key_is_none_is_refused(void **state)
{
	char *directory = store_fixture_directory();
	struct store *store = store_of(directory);
	const struct store_conf conf = {
		.directory = directory,
		.tables = tables,
		.stamp_table = &log_table,
		.free_bytes_min = -1,
	};
	struct store_txn *txn = store_txn_begin(store);
	struct mx_error err = { 0 };

	(void)state;
	store_txn_put(txn, &log_table, MX_SLICE("short"), MX_SLICE("x"));
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	store_close(store);
	assert_int_equal(store_open(&conf, &store, &err), -MX_STORE);
	assert_string_equal(err.text, "the last row of log cannot be read");
	store_fixture_directory_remove(directory);
}

static void a_row_with_a_stamp_in_its_value_is_seen_and_replaced_like_others(void **state)
{
	struct store *store = store_of(NULL);
	struct store_txn *txn = store_txn_begin(store);
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_slice value = { 0 };
	struct store_view *view;

	(void)state;
	head_put(txn, "a");
	head_put(txn, "b");
	head_put(txn, "c");
	assert_int_equal(store_txn_get(txn, &heads, MX_SLICE("a"), mem, &value), 0);
	assert_int_equal(stamp_in(value), 0);
	store_txn_put(txn, &heads, MX_SLICE("a"), MX_SLICE("plain again"));
	store_txn_delete(txn, &heads, MX_SLICE("b"));
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	view = store_view_begin(store);
	assert_int_equal(store_get(view, &heads, MX_SLICE("a"), mem, &value), 0);
	assert_true(mx_slice_eq(value, MX_SLICE("plain again")));
	assert_int_equal(store_get(view, &heads, MX_SLICE("b"), mem, &value), -MX_NOT_FOUND);
	store_view_end(view);
	assert_int_equal(head_of(store, "c"), 1);
	store_close(store);
}

static void a_view_knows_its_last_stamp(void **state)
{
	struct store *store = store_of(NULL);
	struct store_view *before, *after;

	(void)state;
	assert_int_equal(head_commit(store, "a"), 0);
	before = store_view_begin(store);
	assert_int_equal(head_commit(store, "b"), 0);
	after = store_view_begin(store);
	assert_int_equal(store_view_stamp(before), 1);
	assert_int_equal(store_view_stamp(after), 2);
	store_view_end(before);
	store_view_end(after);
	store_close(store);
}

struct told {
	struct store *store;
	uint64_t stamp, published;
};

static void note(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct told *told = ctx;

	(void)value;
	assert_true(store_key_read_stamp(&key, &told->stamp));
	told->published = store_stamp(told->store);
}

static void watches_are_told_the_real_stamp_when_views_see_it(void **state)
{
	struct told told = { .store = store_of(NULL) };
	struct store_txn *txn = store_txn_begin(told.store);

	(void)state;
	store_watch(told.store, &log_table, note, &told);
	assert_int_equal(head_commit(told.store, "a"), 0);
	log_put(txn, 1);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	assert_int_equal(told.stamp, 2);
	assert_int_equal(told.published, 2);
	store_close(told.store);
}

static void rows_that_are_too_large_are_refused(void **state)
{
	struct store *store = store_of(NULL);
	struct store_txn *txn = store_txn_begin(store);
	const struct store_stamp_at at = { .key_at = 0, .value_at = STORE_NO_STAMP };
	char key[STORE_KEY_MAX + 1] = { 0 };

	(void)state;
	store_txn_put_stamped(txn, &log_table, mx_slice_of(key, sizeof(key)), MX_SLICE(""), &at);
	assert_int_equal(store_txn_commit(txn, NULL), -MX_TOO_LARGE);
	assert_int_equal(store_stamp(store), 0);
	store_close(store);
}

/* ---- many writers */

struct race {
	struct store *store;
	atomic_bool stop;
	atomic_uint wrong;
};

static void *write_heads(void *arg)
{
	struct race *race = arg;
	char name[2] = { 'a', 0 };

	for (unsigned i = 0; i < WRITER_STEPS; i++) {
		name[0] = (char)('a' + i % 8);
		if (head_commit(race->store, name))
			atomic_fetch_add(&race->wrong, 1);
	}
	return NULL;
}

/* The view's stamp is the largest that it sees, and store_stamp() never runs ahead of views. */
static void *look_at_heads(void *arg)
{
	struct race *race = arg;

	while (!atomic_load(&race->stop)) {
		const struct store_range all = { 0 };
		mx_arena_auto *mem = mx_arena_new(0);
		struct store_rows rows = { 0 };
		uint64_t published = store_stamp(race->store), largest = 0;
		struct store_view *view = store_view_begin(race->store);

		if (store_scan(view, &heads, &all, mem, &rows))
			atomic_fetch_add(&race->wrong, 1);
		for (size_t i = 0; i < rows.len; i++) {
			uint64_t stamp = stamp_in(rows.items[i].value);

			largest = stamp > largest ? stamp : largest;
		}
		if (largest != store_view_stamp(view) || largest < published)
			atomic_fetch_add(&race->wrong, 1);
		store_view_end(view);
	}
	return NULL;
}

static void views_and_stamps_agree_while_many_write(void **state)
{
	struct race race = { .store = store_of(NULL) };
	pthread_t writers[WRITERS], reader;

	(void)state;
	pthread_create(&reader, NULL, look_at_heads, &race);
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_create(&writers[i], NULL, write_heads, &race);
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&race.stop, true);
	pthread_join(reader, NULL);
	assert_int_equal(atomic_load(&race.wrong), 0);
	assert_int_equal(store_stamp(race.store), WRITERS * WRITER_STEPS);
	store_close(race.store);
}

static void *write_on(void *arg)
{
	struct race *race = arg;

	while (!atomic_load(&race->stop))
		if (head_commit(race->store, "a"))
			atomic_fetch_add(&race->wrong, 1);
	return NULL;
}

/* Who has a view asks what happened up to it: the answer may not be from before it. */
static void *look_at_stamps(void *arg)
{
	struct race *race = arg;

	for (unsigned i = 0; i < LOOKS; i++) {
		uint64_t before = store_stamp(race->store);
		struct store_view *view = store_view_begin(race->store);
		uint64_t after = store_stamp(race->store);

		if (store_view_stamp(view) < before || store_view_stamp(view) > after)
			atomic_fetch_add(&race->wrong, 1);
		store_view_end(view);
	}
	return NULL;
}

static void no_view_is_ahead_of_the_last_stamp_or_behind_it(void **state)
{
	struct race race = { .store = store_of(NULL) };
	pthread_t writer, lookers[LOOKERS];

	(void)state;
	pthread_create(&writer, NULL, write_on, &race);
	for (unsigned i = 0; i < LOOKERS; i++)
		pthread_create(&lookers[i], NULL, look_at_stamps, &race);
	for (unsigned i = 0; i < LOOKERS; i++)
		pthread_join(lookers[i], NULL);
	atomic_store(&race.stop, true);
	pthread_join(writer, NULL);
	assert_int_equal(atomic_load(&race.wrong), 0);
	store_close(race.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps_grow_by_one_with_each_transaction),
		cmocka_unit_test(all_rows_of_a_transaction_have_one_stamp_in_key_and_value),
		cmocka_unit_test(who_fails_its_checks_takes_no_stamp),
		cmocka_unit_test(plain_transactions_take_no_stamp),
		cmocka_unit_test(counting_goes_on_after_the_store_is_opened_again),
		cmocka_unit_test(a_log_whose_last_key_is_none_is_refused),
		cmocka_unit_test(a_stamp_that_is_not_in_the_log_is_not_given_again),
		cmocka_unit_test(the_end_of_a_group_is_told_before_its_answers),
		cmocka_unit_test(serials_tell_rows_of_a_transaction_apart),
		cmocka_unit_test(a_row_with_a_stamp_in_its_value_is_seen_and_replaced_like_others),
		cmocka_unit_test(a_view_knows_its_last_stamp),
		cmocka_unit_test(watches_are_told_the_real_stamp_when_views_see_it),
		cmocka_unit_test(rows_that_are_too_large_are_refused),
		cmocka_unit_test(views_and_stamps_agree_while_many_write),
		cmocka_unit_test(no_view_is_ahead_of_the_last_stamp_or_behind_it),
	};

	return cmocka_run_group_tests_name("store/stamp", tests, NULL, NULL);
}

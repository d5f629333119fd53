#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS   8
#define ROUNDS    150
#define HOT_KEYS  4
#define PAIR_ROWS 40

static const struct store_table numbers = { .name = "numbers" };
static const struct store_table *const tables[] = { &numbers, NULL };

struct shared {
	struct store *store;
	pthread_barrier_t start;
	atomic_bool stop;
	atomic_uint conflicts;
};

struct worker {
	struct shared *shared;
	pthread_t thread;
	unsigned number;
	bool failed; /* cmocka's asserts belong to the main thread */
};

static struct store_key key_of(uint64_t number)
{
	struct store_key key = { 0 };

	store_key_u64(&key, number);
	return key;
}

static uint64_t number_of(struct mx_slice value)
{
	struct record_reader reader = record_open(value);

	return record_u64(&reader);
}

static void number_put(struct store_txn *txn, uint64_t at, uint64_t number)
{
	struct store_key key = key_of(at);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, number);
	store_txn_put(txn, &numbers, store_key_slice(&key), mx_str_slice(&value));
}

static int increment(struct store *store, uint64_t at)
{
	struct store_txn *txn = store_txn_begin(store);
	struct store_key key = key_of(at);
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_slice value;
	int rc = store_txn_get(txn, &numbers, store_key_slice(&key), mem, &value);

	if (rc && rc != -MX_NOT_FOUND) {
		store_txn_abort(txn);
		return rc;
	}
	number_put(txn, at, rc ? 1 : number_of(value) + 1);
	return store_txn_commit(txn, NULL);
}

static void *increment_hot_keys(void *arg)
{
	struct worker *worker = arg;
	struct shared *shared = worker->shared;

	pthread_barrier_wait(&shared->start);
	for (unsigned i = 0; i < ROUNDS; i++) {
		int rc;

		while ((rc = increment(shared->store, (i + worker->number) % HOT_KEYS)) ==
		       -MX_CONFLICT)
			shared->conflicts++;
		worker->failed |= rc != 0;
	}
	return NULL;
}

static void workers_start(struct worker *workers, struct shared *shared, void *(*run)(void *))
{
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .shared = shared, .number = i };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
	}
}

static void workers_join(struct worker *workers)
{
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		assert_false(workers[i].failed);
}

static uint64_t sum_of_all(struct store *store)
{
	struct store_view *view = store_view_begin(store);
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_rows rows;
	uint64_t sum = 0;

	assert_int_equal(store_scan(view, &numbers, &(struct store_range){ 0 }, mem, &rows), 0);
	for (size_t i = 0; i < rows.len; i++)
		sum += number_of(rows.items[i].value);
	store_view_end(view);
	return sum;
}

static void hammer_hot_keys(const char *directory)
{
	const struct store_conf conf = { .directory = directory, .tables = tables };
	struct shared shared = { .stop = false };
	struct worker workers[THREADS];

	assert_int_equal(store_open(&conf, &shared.store, NULL), 0);
	pthread_barrier_init(&shared.start, NULL, THREADS);
	workers_start(workers, &shared, increment_hot_keys);
	workers_join(workers);
	assert_int_equal(sum_of_all(shared.store), THREADS * ROUNDS);
	assert_true(shared.conflicts > 0);
	pthread_barrier_destroy(&shared.start);
	store_close(shared.store);
}

static void no_increment_of_a_hot_row_is_lost(void **state)
{
	(void)state;
	hammer_hot_keys(NULL);
}

static void no_increment_of_a_hot_row_is_lost_on_disk(void **state)
{
	char *directory = store_fixture_directory();

	(void)state;
	hammer_hot_keys(directory);
	store_fixture_directory_remove(directory);
}

/* ---- every commit writes the same number into all rows; they are spread over many pages */

static void all_rows_write(struct store *store, uint64_t number)
{
	struct store_txn *txn = store_txn_begin(store);
	char filler[700] = { 0 };

	for (uint64_t at = 0; at < PAIR_ROWS; at++) {
		struct store_key key = key_of(at);
		mx_str_auto value = { 0 };

		/* Rows come and go, so that scans see structure change. */
		if (at % 3 == 2 && number % 2) {
			store_txn_delete(txn, &numbers, store_key_slice(&key));
			continue;
		}
		record_begin(&value, 1);
		record_put_u64(&value, number);
		mx_str_add(&value, filler, sizeof(filler));
		store_txn_put(txn, &numbers, store_key_slice(&key), mx_str_slice(&value));
	}
	assert_int_equal(store_txn_commit(txn, NULL), 0);
}

static bool view_is_whole(struct store_view *view, bool reverse)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_range range = { .reverse = reverse };
	struct store_key first = key_of(0);
	struct store_rows rows;
	struct mx_slice value;
	uint64_t number;

	if (store_get(view, &numbers, store_key_slice(&first), mem, &value))
		return false;
	number = number_of(value);
	if (store_scan(view, &numbers, &range, mem, &rows))
		return false;
	if (rows.len != (number % 2 ? PAIR_ROWS - PAIR_ROWS / 3 : PAIR_ROWS))
		return false;
	for (size_t i = 0; i < rows.len; i++) {
		if (number_of(rows.items[i].value) != number)
			return false;
	}
	return true;
}

static void *look_all_the_time(void *arg)
{
	struct worker *worker = arg;

	for (unsigned i = 0; !worker->shared->stop; i++) {
		struct store_view *view = store_view_begin(worker->shared->store);

		worker->failed |= !view_is_whole(view, i % 2);
		worker->failed |= !view_is_whole(view, i % 3); /* and it stays so */
		store_view_end(view);
	}
	return NULL;
}

static void no_view_sees_half_a_commit(void **state)
{
	struct shared shared = { .store = store_fixture_open(tables) };
	struct worker workers[THREADS];

	(void)state;
	all_rows_write(shared.store, 0);
	workers_start(workers, &shared, look_all_the_time);
	for (uint64_t i = 1; i <= 100; i++)
		all_rows_write(shared.store, i);
	shared.stop = true;
	workers_join(workers);
	store_close(shared.store);
}

static void *reserve_numbers(void *arg)
{
	struct worker *worker = arg;
	uint64_t first, last = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		worker->failed |= store_reserve(worker->shared->store, "events", 3, &first, NULL);
		worker->failed |= first <= last;
		last = first;
	}
	return NULL;
}

static void blocks_of_numbers_never_overlap(void **state)
{
	struct shared shared = { .store = store_fixture_open(tables) };
	struct worker workers[THREADS];
	uint64_t next;

	(void)state;
	workers_start(workers, &shared, reserve_numbers);
	workers_join(workers);
	assert_int_equal(store_reserve(shared.store, "events", 1, &next, NULL), 0);
	assert_int_equal(next, THREADS * ROUNDS * 3 + 1);
	store_close(shared.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_increment_of_a_hot_row_is_lost),
		cmocka_unit_test(no_increment_of_a_hot_row_is_lost_on_disk),
		cmocka_unit_test(no_view_sees_half_a_commit),
		cmocka_unit_test(blocks_of_numbers_never_overlap),
	};
	return cmocka_run_group_tests_name("store/concurrency", tests, NULL, NULL);
}

/* Many threads on a few servers; meant for the thread sanitizer too. */
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "tests/support/history_fixture.h"

#include <pthread.h>
#include <sched.h>

#define WRITERS 4
#define ROUNDS  40

static const char *const names[] = { "a.example", "b.example" };
#define NAMES 2

struct work {
	struct key_history *history;
	int number;
	struct key_object objects[ROUNDS];
	_Atomic bool *stop;
	int failed;
};

/* Every writer has notes of his own: all of his objects are versions that nobody else makes. */
static void make_objects(struct work *work, struct mx_arena *mem)
{
	for (int i = 0; i < ROUNDS; i++) {
		const struct made_object made = {
			.server = names[i % NAMES],
			.valid_until_ts = DAY_ZERO + i,
			.keys = { { .id = "ed25519:1", .seed = (uint8_t)(i % NAMES + 1) } },
			.note = mx_arena_strf(mem, "%d of %d", i, work->number),
		};

		work->objects[i] = key_fixture_object(&made, mem);
	}
}

static void *write_all(void *ctx)
{
	const struct key_source source = { .source = "origin" };
	struct work *work = ctx;

	for (int i = 0; i < ROUNDS; i++) {
		struct key_recorded recorded;
		struct mx_slice server = work->objects[i].server;
		struct key_entry *entry;
		bool found = false;

		work->failed |= key_history_record(work->history, &work->objects[i], &source,
						   &recorded, NULL) != 0;
		work->failed |= !recorded.is_new;
		/* What I was told is durable, everybody sees from now on. */
		work->failed |= key_history_load(work->history, server, &entry, NULL) != 0;
		for (size_t v = 0; v < entry->len; v++)
			found |= mx_slice_eq(entry->versions[v].bytes, work->objects[i].bytes);
		work->failed |= !found;
		key_entry_unref(entry);
	}
	return NULL;
}

static void *read_all(void *ctx)
{
	struct work *work = ctx;
	size_t seen[NAMES] = { 0 };

	while (!*work->stop) {
		for (int i = 0; i < NAMES; i++) {
			struct key_entry *entry = key_history_peek(work->history,
								   mx_slice(names[i]));

			if (!entry)
				continue;
			work->failed |= entry->len < seen[i]; /* never back */
			seen[i] = entry->len;
			key_entry_unref(entry);
		}
		sched_yield();
	}
	return NULL;
}

static void assert_all_there(struct key_history *history)
{
	for (int i = 0; i < NAMES; i++) {
		struct key_entry *entry;

		assert_int_equal(key_history_load(history, mx_slice(names[i]), &entry, NULL), 0);
		assert_int_equal(entry->len, WRITERS * ROUNDS / NAMES);
		key_entry_unref(entry);
	}
}

/* With `second`, half of the writers know the store through another history, as another
 * process would. */
static void run_writers(struct history_fixture *f, struct key_history *second)
{
	_Atomic bool stop = false;
	struct work work[WRITERS + 1] = { 0 };
	pthread_t threads[WRITERS + 1];

	for (int i = 0; i <= WRITERS; i++) {
		work[i] = (struct work){ .history = second && i % 2 ? second : f->history,
					 .number = i,
					 .stop = &stop };
		if (i < WRITERS)
			make_objects(&work[i], f->mem);
	}
	for (int i = 0; i <= WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i < WRITERS ? write_all : read_all, &work[i]),
				 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	stop = true;
	pthread_join(threads[WRITERS], NULL);
	for (int i = 0; i <= WRITERS; i++)
		assert_int_equal(work[i].failed, 0);
}

static void concurrent_records_lose_nothing(void **state)
{
	struct history_fixture *f = *state;

	run_writers(f, NULL);
	assert_all_there(f->history);
	history_fixture_restart(f);
	assert_all_there(f->history);
}

static void two_histories_over_one_store_lose_nothing(void **state)
{
	struct history_fixture *f = *state;
	const struct key_history_conf conf = { .store = f->store };
	struct key_history *second;

	assert_int_equal(key_history_new(&conf, &second, NULL), 0);
	run_writers(f, second);
	key_history_free(second);
	history_fixture_restart(f);
	assert_all_there(f->history);
}

/* ---- a purge in the middle of it */

static void *purge_often(void *ctx)
{
	struct work *work = ctx;

	while (!*work->stop) {
		size_t removed;

		work->failed |= key_history_purge(work->history, mx_slice(names[0]), 0, "test",
						  &removed, NULL) != 0;
		key_history_reseal(work->history, MX_SLICE("one"));
		sched_yield();
	}
	return NULL;
}

static void *write_any(void *ctx)
{
	const struct key_source source = { .source = "origin" };
	struct work *work = ctx;

	for (int i = 0; i < ROUNDS; i++) {
		struct key_recorded recorded;
		struct key_entry *entry;

		work->failed |= key_history_record(work->history, &work->objects[i], &source,
						   &recorded, NULL) != 0;
		work->failed |= key_history_load(work->history, work->objects[i].server, &entry,
						 NULL) != 0;
		key_entry_unref(entry);
	}
	return NULL;
}

static void assert_memory_equals_store(struct history_fixture *f, const char *name)
{
	struct key_entry *before = history_fixture_load(f, name), *after;

	history_fixture_restart(f);
	after = history_fixture_load(f, name);
	assert_int_equal(before->len, after->len);
	for (size_t i = 0; i < after->len; i++)
		assert_int_equal(before->versions[i].number, after->versions[i].number);
	key_entry_unref(before);
	key_entry_unref(after);
}

static void a_purge_between_records_leaves_memory_and_store_equal(void **state)
{
	struct history_fixture *f = *state;
	_Atomic bool stop = false;
	struct work work[3] = { 0 };
	pthread_t threads[3];

	for (int i = 0; i < 3; i++) {
		work[i] = (struct work){ .history = f->history, .number = i, .stop = &stop };
		make_objects(&work[i], f->mem);
	}
	pthread_create(&threads[2], NULL, purge_often, &work[2]);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, write_any, &work[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	stop = true;
	pthread_join(threads[2], NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(work[i].failed, 0);
	assert_memory_equals_store(f, names[0]);
	assert_memory_equals_store(f, names[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		history_test(concurrent_records_lose_nothing),
		history_test(two_histories_over_one_store_lose_nothing),
		history_test(a_purge_between_records_leaves_memory_and_store_equal),
	};
	return cmocka_run_group_tests_name("keys/key_history_threads", tests, NULL, NULL);
}

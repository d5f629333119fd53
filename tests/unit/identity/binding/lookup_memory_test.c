#include "identity/binding/lookup_memory.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "tests/support/store_fixture.h"

#include <stdatomic.h>
#include <stdio.h>

#define MIB (1024 * 1024)

static const struct store_table *const store_test_tables[] = { &lookup_table, NULL };

typedef uint8_t hash_bytes[LOOKUP_HASH_LEN];

/* Many of one shard and neighbouring slots, so that probes run into each other. */
static void make_hash(unsigned number, hash_bytes ret_hash)
{
	uint64_t word = (uint64_t)(number % 4) * 256;

	memset(ret_hash, 0, LOOKUP_HASH_LEN);
	memcpy(ret_hash, &word, sizeof(word));
	memcpy(ret_hash + 8, &number, sizeof(number));
}

static void put(struct store_txn *txn, unsigned number, const char *user_id)
{
	const struct lookup_entry entry = { .user_id = user_id, .not_after_ms = number };
	hash_bytes hash;

	make_hash(number, hash);
	if (user_id)
		lookup_db_put(txn, 1 + number % 2, hash, &entry);
	else
		lookup_db_delete(txn, 1 + number % 2, hash);
}

struct found {
	bool remembered;
	struct lookup_entry memory, store;
};

static struct found find(struct store *store, struct lookup_memory *memory, unsigned number,
			 struct mx_arena *mem)
{
	struct store_view *view = store_view_begin(store);
	struct lookup_hashes hashes = { .generation = 1 + number % 2, .len = 1 };
	struct found found = { 0 };
	hash_bytes hash[1];

	make_hash(number, hash[0]);
	hashes.items = (const hash_bytes *)hash;
	found.remembered = lookup_memory_get_many(memory, &hashes, mem, &found.memory);
	assert_int_equal(lookup_db_get_many(view, &hashes, mem, &found.store), 0);
	store_view_end(view);
	return found;
}

static void assert_same(struct store *store, struct lookup_memory *memory, unsigned number)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct found found = find(store, memory, number, mem);

	assert_true(found.remembered);
	assert_int_equal(found.memory.user_id == NULL, found.store.user_id == NULL);
	if (found.store.user_id)
		assert_string_equal(found.memory.user_id, found.store.user_id);
	assert_int_equal(found.memory.not_after_ms, found.store.not_after_ms);
}

static void what_was_stored_before_is_remembered(void **txn)
{
	struct store *store = store_fixture_store(txn);
	struct lookup_memory *memory;

	for (unsigned i = 0; i < 100; i++)
		put(*txn, i, "@alice:example.org");
	store_fixture_commit(txn);
	assert_int_equal(lookup_memory_new(store, MIB, &memory, NULL), 0);
	for (unsigned i = 0; i < 110; i++)
		assert_same(store, memory, i);
	lookup_memory_free(memory);
}

static void a_commit_is_remembered_when_it_is_answered(void **txn)
{
	struct store *store = store_fixture_store(txn);
	struct lookup_memory *memory;

	assert_int_equal(lookup_memory_new(store, MIB, &memory, NULL), 0);
	for (unsigned step = 0; step < 400; step++) {
		unsigned number = mx_random_below(60);
		char user[64];

		snprintf(user, sizeof(user), "@user%u:example.org", step);
		put(*txn, number, mx_random_below(3) ? user : NULL);
		store_fixture_commit(txn);
		assert_same(store, memory, number);
	}
	for (unsigned i = 0; i < 60; i++)
		assert_same(store, memory, i);
	lookup_memory_free(memory);
}

static void a_memory_is_as_large_as_what_it_holds(void **txn)
{
	struct store *store = store_fixture_store(txn);
	struct lookup_memory *memory;
	size_t one;

	assert_int_equal(lookup_memory_new(store, MIB, &memory, NULL), 0);
	assert_int_equal(lookup_memory_bytes(memory), 0);
	put(*txn, 1, "@alice:example.org");
	store_fixture_commit(txn);
	one = lookup_memory_bytes(memory);
	put(*txn, 3, "@bob:example.org");
	put(*txn, 3, NULL);
	put(*txn, 1, "@alice:example.com");
	store_fixture_commit(txn);
	assert_true(one > 0);
	assert_int_equal(lookup_memory_bytes(memory), one);
	lookup_memory_free(memory);
}

static void a_memory_that_is_too_small_leaves_it_to_the_store(void **txn)
{
	struct store *store = store_fixture_store(txn);
	mx_arena_auto *mem = mx_arena_new(0);
	struct lookup_memory *memory;

	assert_int_equal(lookup_memory_new(store, 4096, &memory, NULL), 0);
	for (unsigned i = 0; i < 200; i++)
		put(*txn, i, "@alice:example.org");
	store_fixture_commit(txn);
	assert_false(find(store, memory, 1, mem).remembered);
	assert_int_equal(lookup_memory_bytes(memory), 0);
	lookup_memory_free(memory);
}

/* One row of a generation that has `rows` of them. */
static bool is_remembered(struct lookup_memory *memory, uint64_t generation, unsigned rows)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct lookup_hashes hashes = { .generation = generation, .len = 1 };
	struct lookup_entry entry = { .user_id = "somebody else" };
	hash_bytes hash[1];

	make_hash(0, hash[0]);
	hashes.items = (const hash_bytes *)hash;
	if (!lookup_memory_get_many(memory, &hashes, mem, &entry))
		return false;
	assert_int_equal(entry.user_id != NULL, rows > 0);
	return true;
}

static void put_generation(void **txn, uint64_t generation, unsigned rows)
{
	const struct lookup_entry entry = { .user_id = "@alice:example.org" };
	hash_bytes hash;

	for (unsigned i = 0; i < rows; i++) {
		make_hash(i, hash);
		lookup_db_put(*txn, generation, hash, &entry);
	}
	store_fixture_commit(txn);
}

static void the_oldest_pepper_is_given_up_first(void **txn)
{
	struct store *store = store_fixture_store(txn);
	struct lookup_memory *memory;
	size_t one;

	assert_int_equal(lookup_memory_new(store, MIB, &memory, NULL), 0);
	put_generation(txn, 1, 300);
	one = lookup_memory_bytes(memory);
	lookup_memory_free(memory);
	assert_int_equal(lookup_memory_new(store, one + one / 2, &memory, NULL), 0);
	assert_true(is_remembered(memory, 1, 300));
	put_generation(txn, 2, 300);
	assert_false(is_remembered(memory, 1, 300));
	assert_true(is_remembered(memory, 2, 300));
	put_generation(txn, 1, 300);
	assert_false(is_remembered(memory, 1, 300));
	put_generation(txn, 3, 300);
	assert_false(is_remembered(memory, 2, 300));
	assert_true(is_remembered(memory, 3, 300));
	assert_true(lookup_memory_bytes(memory) <= one + one / 2);
	lookup_memory_free(memory);
}

static void a_start_remembers_the_newest_pepper_that_fits(void **txn)
{
	struct store *store = store_fixture_store(txn);
	struct lookup_memory *memory;
	size_t one;

	put_generation(txn, 7, 300);
	assert_int_equal(lookup_memory_new(store, MIB, &memory, NULL), 0);
	one = lookup_memory_bytes(memory);
	lookup_memory_free(memory);
	put_generation(txn, 8, 300);
	assert_int_equal(lookup_memory_new(store, one + one / 2, &memory, NULL), 0);
	assert_false(is_remembered(memory, 7, 300));
	assert_true(is_remembered(memory, 8, 300));
	lookup_memory_free(memory);
}

static void a_pepper_without_hashes_finds_nobody(void **txn)
{
	struct store *store = store_fixture_store(txn);
	struct lookup_memory *memory;

	assert_int_equal(lookup_memory_new(store, MIB, &memory, NULL), 0);
	assert_true(is_remembered(memory, 5, 0));
	lookup_memory_free(memory);
}

static void many_peppers_come_and_go(void **txn)
{
	struct store *store = store_fixture_store(txn);
	struct lookup_memory *memory;
	hash_bytes hash;

	make_hash(0, hash);
	assert_int_equal(lookup_memory_new(store, MIB, &memory, NULL), 0);
	put_generation(txn, 1, 1);
	for (uint64_t generation = 2; generation < 40; generation++) {
		put_generation(txn, generation, 1);
		assert_true(is_remembered(memory, generation, 1));
		if (generation > 2)
			lookup_db_delete(*txn, generation - 2, hash);
		store_fixture_commit(txn);
		assert_true(is_remembered(memory, generation - 1, 1));
	}
	lookup_memory_free(memory);
}

static void no_memory_is_no_error(void **txn)
{
	struct store *store = store_fixture_store(txn);
	mx_arena_auto *mem = mx_arena_new(0);
	struct lookup_memory *memory;

	assert_int_equal(lookup_memory_new(store, 0, &memory, NULL), 0);
	assert_null(memory);
	assert_false(find(store, memory, 1, mem).remembered);
	lookup_memory_free(memory);
}

/* ---- readers beside the committer */

struct reader {
	struct store *store;
	struct lookup_memory *memory;
	_Atomic bool stop;
};

static void *read_on(void *ctx)
{
	struct reader *reader = ctx;
	hash_bytes hash[1];
	const struct lookup_hashes hashes = { 1, (const hash_bytes *)hash, 1 };

	make_hash(0, hash[0]);
	while (!reader->stop) {
		mx_arena_auto *mem = mx_arena_new(0);
		struct lookup_entry entry;

		if (!lookup_memory_get_many(reader->memory, &hashes, mem, &entry) ||
		    !streq(entry.user_id, "@alice:example.org"))
			return ctx;
	}
	return NULL;
}

static void somebody_is_found_while_others_come_and_go(void **txn)
{
	struct reader reader = { .store = store_fixture_store(txn) };
	void *missed;
	pthread_t thread;

	assert_int_equal(lookup_memory_new(reader.store, MIB, &reader.memory, NULL), 0);
	put(*txn, 0, "@alice:example.org");
	store_fixture_commit(txn);
	thread = mx_thread_start("reader", read_on, &reader);
	for (unsigned step = 0; step < 300; step++) {
		put(*txn, 2 + 2 * (step % 40), step / 40 % 2 ? NULL : "@bob:example.org");
		store_fixture_commit(txn);
	}
	reader.stop = true;
	pthread_join(thread, &missed);
	assert_null(missed);
	lookup_memory_free(reader.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(what_was_stored_before_is_remembered),
		store_test(a_commit_is_remembered_when_it_is_answered),
		store_test(a_memory_is_as_large_as_what_it_holds),
		store_test(a_memory_that_is_too_small_leaves_it_to_the_store),
		store_test(the_oldest_pepper_is_given_up_first),
		store_test(a_start_remembers_the_newest_pepper_that_fits),
		store_test(a_pepper_without_hashes_finds_nobody),
		store_test(many_peppers_come_and_go),
		store_test(no_memory_is_no_error),
		store_test(somebody_is_found_while_others_come_and_go),
	};

	return cmocka_run_group_tests_name("lookup_memory", tests, NULL, NULL);
}

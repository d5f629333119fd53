#include "identity/binding/lookup_table.h"

#include "shared/core/arena.h"
#include "shared/core/map.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

#include <stdio.h>

typedef uint8_t hash_bytes[LOOKUP_HASH_LEN];

static int setup(void **table)
{
	*table = lookup_table_new();
	return 0;
}

static int teardown(void **table)
{
	lookup_table_free(*table);
	return 0;
}

/* Numbers below 1,000 share a shard and few homes; what differs is at the hash's end. */
static void make_hash(unsigned number, hash_bytes ret_hash)
{
	memset(ret_hash, 0, LOOKUP_HASH_LEN);
	ret_hash[7] = (uint8_t)(number % 3 * 80);
	memcpy(ret_hash + 12, &number, sizeof(number));
}

static struct lookup_entry get(struct lookup_table *table, unsigned number, struct mx_arena *mem)
{
	struct lookup_entry entry;
	hash_bytes hash;

	make_hash(number, hash);
	lookup_table_get(table, hash, mem, &entry);
	return entry;
}

static void put(struct lookup_table *table, unsigned number, const struct lookup_entry *entry)
{
	hash_bytes hash;

	make_hash(number, hash);
	if (entry)
		lookup_table_put(table, hash, entry);
	else
		lookup_table_remove(table, hash);
}

static void an_entry_comes_back_as_it_was_put(void **table)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct lookup_entry timed = { "@ann:x", -5, INT64_MAX }, plain = { "@ben:x", 0, 0 };

	put(*table, 1, &timed);
	put(*table, 2, &plain);
	assert_string_equal(get(*table, 1, mem).user_id, "@ann:x");
	assert_int_equal(get(*table, 1, mem).not_before_ms, -5);
	assert_int_equal(get(*table, 1, mem).not_after_ms, INT64_MAX);
	assert_string_equal(get(*table, 2, mem).user_id, "@ben:x");
	assert_int_equal(get(*table, 2, mem).not_after_ms, 0);
	assert_null(get(*table, 3, mem).user_id);
	assert_int_equal(lookup_table_len(*table), 2);
}

static void users_may_be_as_long_as_can_be(void **table)
{
	mx_arena_auto *mem = mx_arena_new(0);
	char longest[LOOKUP_USER_MAX + 1];
	const struct lookup_entry entry = { .user_id = longest }, empty = { .user_id = "" };

	memset(longest, 'a', LOOKUP_USER_MAX);
	longest[LOOKUP_USER_MAX] = '\0';
	put(*table, 1, &entry);
	put(*table, 2, &empty);
	assert_string_equal(get(*table, 1, mem).user_id, longest);
	assert_string_equal(get(*table, 2, mem).user_id, "");
}

/* A map says what should be there. */
static void a_long_life_leaves_what_it_should(void **table)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_map expected = { 0 };

	for (unsigned step = 0; step < 30000; step++) {
		unsigned number = mx_random_below(700);
		struct mx_slice key = mx_slice_of(&number, sizeof(number));
		char *user = mx_arena_strf(
			mem, "@%.*s%u:x", (int)mx_random_below(60),
			"an.address.with.many.letters.that.goes.on.and.on.and.on", step);
		const struct lookup_entry entry = { user, 0, mx_random_below(2) };

		put(*table, number, step % 5 < 3 ? &entry : NULL);
		if (step % 5 < 3)
			mx_map_put(&expected, key, user);
		else
			mx_map_remove(&expected, key);
	}
	assert_int_equal(lookup_table_len(*table), expected.len);
	for (unsigned number = 0; number < 700; number++) {
		const char *user = mx_map_find(&expected, mx_slice_of(&number, sizeof(number)));

		if (user)
			assert_string_equal(get(*table, number, mem).user_id, user);
		else
			assert_null(get(*table, number, mem).user_id);
	}
	mx_map_done(&expected, NULL);
}

static void it_stays_small(void **table)
{
	const struct lookup_entry entry = { .user_id = "@person.0000001:example.org" };
	hash_bytes hash;

	for (unsigned i = 0; i < 100000; i++) {
		mx_random_bytes(hash, sizeof(hash));
		lookup_table_put(*table, hash, &entry);
	}
	assert_int_equal(lookup_table_len(*table), 100000);
	assert_true(lookup_table_bytes(*table) / 100000 < 72);
}

static void changes_do_not_make_it_grow(void **table)
{
	const struct lookup_entry entry = { .user_id = "@person.0000001:example.org" };
	size_t bytes;

	for (unsigned i = 0; i < 500; i++)
		put(*table, i, &entry);
	bytes = lookup_table_bytes(*table);
	for (unsigned i = 0; i < 50000; i++)
		put(*table, i % 500, &entry);
	assert_true(lookup_table_bytes(*table) <= bytes * 3 / 2);
	for (unsigned i = 0; i < 500; i++)
		put(*table, i, NULL);
	assert_int_equal(lookup_table_len(*table), 0);
	assert_true(lookup_table_bytes(*table) < bytes);
	lookup_table_clear(*table);
	assert_int_equal(lookup_table_bytes(*table), 0);
}

#define table_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		table_test(an_entry_comes_back_as_it_was_put),
		table_test(users_may_be_as_long_as_can_be),
		table_test(a_long_life_leaves_what_it_should),
		table_test(it_stays_small),
		table_test(changes_do_not_make_it_grow),
	};

	return cmocka_run_group_tests_name("lookup_table", tests, NULL, NULL);
}

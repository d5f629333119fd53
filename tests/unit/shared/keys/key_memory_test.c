#include "shared/keys/key_memory.h"

#include "shared/core/time.h"
#include "shared/keys/key_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define BYTES (4u * 1024 * 1024) /* of the cache: one shard */

static const char filling[8192];

static struct key_entry *entry_of(const char *server, size_t versions)
{
	struct key_version made[64] = { 0 };

	assert_true(versions <= 64);
	for (size_t i = 0; i < versions; i++)
		made[i] = (struct key_version){ .number = i + 1,
						.bytes = { filling, sizeof(filling) } };
	return key_entry_new(mx_slice(server), made, versions, NULL);
}

static void put(struct key_memory *memory, const char *server, size_t versions)
{
	struct key_entry *entry = entry_of(server, versions);

	key_memory_put(memory, entry);
	key_entry_unref(entry);
}

/* How many versions it knows of the server, -1 if the server is not there. */
static int known(struct key_memory *memory, const char *server)
{
	struct key_entry *entry = key_memory_find(memory, mx_slice(server));
	int len = entry ? (int)entry->len : -1;

	if (entry)
		key_entry_unref(entry);
	return len;
}

static int set_up(void **state)
{
	mx_time_fake(MX_DAY_MS, MX_DAY_MS);
	*state = key_memory_new(BYTES);
	return 0;
}

static int tear_down(void **state)
{
	key_memory_free(*state);
	mx_time_fake(-1, -1);
	return 0;
}

static void an_entry_outlives_its_place(void **state)
{
	struct key_entry *held;

	put(*state, "a.example", 2);
	held = key_memory_find(*state, MX_SLICE("a.example"));
	put(*state, "a.example", 3);
	assert_int_equal(known(*state, "a.example"), 3);
	key_memory_remove(*state, MX_SLICE("a.example"));
	assert_int_equal(known(*state, "a.example"), -1);
	assert_int_equal(held->len, 2);
	assert_memory_equal(held->versions[1].bytes.ptr, filling, sizeof(filling));
	key_entry_unref(held);
}

static void names_are_bytes(void **state)
{
	put(*state, "a.example", 1);
	assert_int_equal(known(*state, "A.example"), -1);
	assert_int_equal(known(*state, "a.example."), -1);
	assert_int_equal(known(*state, ""), -1);
}

static void what_nobody_asked_for_goes_first(void **state)
{
	char name[32];
	size_t entries, bytes;

	put(*state, "used.example", 1);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%d.example", i);
		put(*state, name, 1);
		assert_int_equal(known(*state, "used.example"), 1);
	}
	assert_int_equal(known(*state, "s0.example"), -1);
	assert_int_equal(known(*state, "s999.example"), 1);
	key_memory_size(*state, &entries, &bytes);
	assert_in_range(bytes, BYTES / 2, BYTES);
	assert_in_range(entries, 100, 600);
}

static void a_server_without_keys_is_remembered_for_a_minute(void **state)
{
	size_t entries, bytes;

	put(*state, "none.example", 0);
	assert_int_equal(known(*state, "none.example"), 0);
	key_memory_size(*state, &entries, &bytes);
	assert_int_equal(entries, 0);
	mx_time_fake(MX_DAY_MS, MX_DAY_MS + KEY_UNKNOWN_MS + 1);
	assert_int_equal(known(*state, "none.example"), -1);
}

static void made_up_names_push_no_keys_out(void **state)
{
	char name[32];

	put(*state, "a.example", 1);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "s%d.example", i);
		put(*state, name, 0);
	}
	assert_int_equal(known(*state, "a.example"), 1);
	assert_int_equal(known(*state, "s0.example"), -1);
}

static void keys_take_the_place_of_none_and_back(void **state)
{
	put(*state, "a.example", 0);
	put(*state, "a.example", 1);
	assert_int_equal(known(*state, "a.example"), 1);
	put(*state, "a.example", 0);
	assert_int_equal(known(*state, "a.example"), 0);
}

/* Larger than a quarter of the shard: it would push too many others out. */
static void a_giant_is_not_kept(void **state)
{
	struct key_memory *small = key_memory_new(1024 * 1024);

	(void)state;
	put(small, "giant.example", 16);
	put(small, "giant.example", 64);
	assert_int_equal(known(small, "giant.example"), -1);
	put(small, "usual.example", 4);
	assert_int_equal(known(small, "usual.example"), 4);
	key_memory_free(small);
}

static void an_empty_memory_knows_nobody(void **state)
{
	size_t entries, bytes;

	put(*state, "a.example", 1);
	put(*state, "none.example", 0);
	key_memory_clear(*state);
	assert_int_equal(known(*state, "a.example"), -1);
	assert_int_equal(known(*state, "none.example"), -1);
	key_memory_size(*state, &entries, &bytes);
	assert_int_equal(entries + bytes, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(an_entry_outlives_its_place),
		test(names_are_bytes),
		test(what_nobody_asked_for_goes_first),
		test(a_server_without_keys_is_remembered_for_a_minute),
		test(made_up_names_push_no_keys_out),
		test(keys_take_the_place_of_none_and_back),
		test(a_giant_is_not_kept),
		test(an_empty_memory_knows_nobody),
	};
	return cmocka_run_group_tests_name("keys/key_memory", tests, NULL, NULL);
}

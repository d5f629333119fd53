#include "shared/keys/key_backoff_db.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

static const struct store_table *const tables[] = { &key_backoff_table, NULL };

static int set_up(void **state)
{
	*state = store_fixture_open(tables);
	return 0;
}

static int tear_down(void **state)
{
	store_close(*state);
	return 0;
}

static size_t load(struct store *store, size_t limit, struct mx_arena *mem,
		   struct key_backoff_row **ret_rows)
{
	size_t len;

	assert_int_equal(key_backoff_db_load(store, limit, mem, ret_rows, &len, NULL), 0);
	return len;
}

static void nothing_is_kept_at_first(void **state)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_backoff_row *rows;

	assert_int_equal(load(*state, 10, mem, &rows), 0);
}

static void what_is_saved_replaces_what_was_there(void **state)
{
	static const struct key_backoff_row first[] = {
		{ false, { "a.example", 9 }, 1700000000000, 3 },
		{ true, { "192.0.2.1", 9 }, 1700000000001, 1 },
	};
	static const struct key_backoff_row second[] = {
		/* A server may have an address for its name. */
		{ false, { "192.0.2.1", 9 }, -1, 4000000000u },
		{ true, { "192.0.2.1", 9 }, INT64_MAX, 0 },
	};
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_backoff_row *rows;

	assert_int_equal(key_backoff_db_save(*state, first, 2, NULL), 0);
	assert_int_equal(load(*state, 10, mem, &rows), 2);
	assert_true(mx_slice_is(rows[0].name, "a.example"));
	assert_int_equal(rows[0].until_ms, 1700000000000);
	assert_int_equal(key_backoff_db_save(*state, second, 2, NULL), 0);
	assert_int_equal(load(*state, 10, mem, &rows), 2);
	assert_false(rows[0].is_address);
	assert_int_equal(rows[0].failures, 4000000000u);
	assert_int_equal(rows[0].until_ms, -1);
	assert_true(rows[1].is_address);
	assert_int_equal(rows[1].until_ms, INT64_MAX);
	assert_int_equal(key_backoff_db_save(*state, NULL, 0, NULL), 0);
	assert_int_equal(load(*state, 10, mem, &rows), 0);
}

static void more_rows_than_a_batch_are_saved_and_loading_is_bounded(void **state)
{
	enum { ROWS = 2500 };
	struct key_backoff_row *all = mx_calloc(ROWS, sizeof(*all)), *rows;
	mx_arena_auto *mem = mx_arena_new(0);
	char names[ROWS][16];

	for (int i = 0; i < ROWS; i++) {
		snprintf(names[i], sizeof(names[i]), "s%d.example", i);
		all[i] = (struct key_backoff_row){ false, mx_slice(names[i]), i, 1 };
	}
	assert_int_equal(key_backoff_db_save(*state, all, ROWS, NULL), 0);
	assert_int_equal(load(*state, 10000, mem, &rows), ROWS);
	assert_int_equal(load(*state, 7, mem, &rows), 7);
	mx_free(all);
}

static void a_damaged_row_is_told(void **state)
{
	struct store_txn *txn = store_txn_begin(*state);
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_backoff_row *rows;
	struct store_key key = { 0 };
	struct mx_error err = { 0 };
	size_t len;

	store_key_u64(&key, 0);
	store_key_text(&key, MX_SLICE("a.example"));
	store_txn_put(txn, &key_backoff_table, store_key_slice(&key), MX_SLICE("\1\1\x7fname"));
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	assert_int_equal(key_backoff_db_load(*state, 10, mem, &rows, &len, &err), -MX_STORE);
	assert_non_null(strstr(err.text, "damaged"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(nothing_is_kept_at_first),
		test(what_is_saved_replaces_what_was_there),
		test(more_rows_than_a_batch_are_saved_and_loading_is_bounded),
		test(a_damaged_row_is_told),
	};
	return cmocka_run_group_tests_name("keys/key_backoff_db", tests, NULL, NULL);
}

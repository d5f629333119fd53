#include "shared/store/store_reader.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "tests/support/store_fixture.h"

static const struct store_table cats = { .name = "cats" };
static const struct store_table *const store_test_tables[] = { &cats, NULL };

static int get(const struct store_reader *reader, const char *key)
{
	struct mx_slice value;
	int rc = store_reader_get(reader, &cats, mx_slice(key), &value);

	if (rc == 0)
		assert_true(mx_slice_is(value, "here"));
	return rc;
}

static size_t count(const struct store_reader *reader)
{
	const struct store_range all = { .limit = 10 };
	struct store_rows rows;

	assert_int_equal(store_reader_scan(reader, &cats, &all, &rows), 0);
	return rows.len;
}

static void a_transaction_reads_what_it_wrote(void **txn)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct store_reader reader = { .txn = *txn, .mem = mem };

	store_txn_put(*txn, &cats, MX_SLICE("tom"), MX_SLICE("here"));
	assert_int_equal(get(&reader, "tom"), 0);
	assert_int_equal(get(&reader, "kit"), -MX_NOT_FOUND);
	assert_int_equal(count(&reader), 1);
}

static void without_a_transaction_the_view_is_read(void **txn)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_reader reader = { .mem = mem };

	store_txn_put(*txn, &cats, MX_SLICE("tom"), MX_SLICE("here"));
	store_fixture_commit(txn);
	store_txn_put(*txn, &cats, MX_SLICE("kit"), MX_SLICE("here"));
	reader.view = store_view_begin(store_fixture_store(txn));
	assert_int_equal(get(&reader, "tom"), 0);
	assert_int_equal(get(&reader, "kit"), -MX_NOT_FOUND);
	assert_int_equal(count(&reader), 1);
	store_view_end(reader.view);
}

static void where_there_are_both_the_transaction_is_read(void **txn)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_reader reader = { .txn = *txn, .mem = mem };

	reader.view = store_view_begin(store_fixture_store(txn));
	store_txn_put(*txn, &cats, MX_SLICE("tom"), MX_SLICE("here"));
	assert_int_equal(get(&reader, "tom"), 0);
	assert_int_equal(count(&reader), 1);
	store_view_end(reader.view);
}

static void what_no_key_can_hold_is_not_found(void **txn)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct store_reader reader = { .txn = *txn, .mem = mem };
	struct store_key key = { 0 };
	char name[STORE_KEY_MAX] = { 0 };
	struct mx_slice value;

	memset(name, 'x', sizeof(name) - 1);
	store_key_text(&key, MX_SLICE("tom"));
	store_txn_put(*txn, &cats, store_key_slice(&key), MX_SLICE("here"));
	assert_int_equal(store_reader_find(&reader, &cats, &key, &value), 0);
	assert_true(mx_slice_is(value, "here"));
	store_key_text(&key, mx_slice(name));
	assert_int_equal(store_reader_find(&reader, &cats, &key, &value), -MX_NOT_FOUND);
	assert_int_equal(store_reader_get(&reader, &cats, store_key_slice(&key), &value),
			 -MX_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(a_transaction_reads_what_it_wrote),
		store_test(without_a_transaction_the_view_is_read),
		store_test(what_no_key_can_hold_is_not_found),
		store_test(where_there_are_both_the_transaction_is_read),
	};

	return cmocka_run_group_tests_name("store/store_reader", tests, NULL, NULL);
}

#include "shared/store/each.h"

#include "shared/store/key.h"
#include "tests/support/store_fixture.h"

static const struct store_table cats = { .name = "cats" };
static const struct store_table *const tables[] = { &cats, NULL };

static struct store *store_with(uint64_t rows)
{
	struct store *store = store_fixture_open(tables);
	struct store_txn *txn = store_txn_begin(store);

	for (uint64_t i = 0; i < rows; i++) {
		struct store_key key = { 0 };

		store_key_u64(&key, i);
		store_txn_put(txn, &cats, store_key_slice(&key), mx_slice("cat"));
	}
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	return store;
}

static void visit(void *ctx, const struct store_row *row)
{
	uint64_t *next = ctx;
	struct mx_slice rest = row->key;
	uint64_t number = 0;

	assert_true(store_key_read_u64(&rest, &number));
	assert_int_equal(number, (*next)++);
	assert_true(mx_slice_is(row->value, "cat"));
}

static void every_row_is_visited_once_in_order_however_many_there_are(void **state)
{
	static const uint64_t counts[] = { 0, 1, 999, 1000, 1001, 2000, 3456 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct store *store = store_with(counts[i]);
		uint64_t next = 0;
		int64_t counted = -1;

		assert_int_equal(store_each(store, &cats, visit, &next, NULL), 0);
		assert_int_equal(next, counts[i]);
		assert_int_equal(store_count(store, &cats, &counted, NULL), 0);
		assert_int_equal(counted, counts[i]);
		store_close(store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_visited_once_in_order_however_many_there_are),
	};
	return cmocka_run_group_tests_name("store/each", tests, NULL, NULL);
}

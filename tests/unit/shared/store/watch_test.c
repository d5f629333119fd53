#include "shared/store/store.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

static const struct store_table watched = { .name = "watched" };
static const struct store_table other = { .name = "other" };
static const struct store_table *const tables[] = { &watched, &other, NULL };

/* "a=1 b- " */
static void note(void *ctx, struct mx_slice key, struct mx_slice value)
{
	if (value.ptr)
		mx_str_addf(ctx, "%.*s=%.*s ", MX_SLICE_ARG(key), MX_SLICE_ARG(value));
	else
		mx_str_addf(ctx, "%.*s- ", MX_SLICE_ARG(key));
}

static void rows_are_told_in_the_order_of_the_commits(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct store_txn *txn = store_txn_begin(store);
	mx_str_auto told = { 0 };

	(void)state;
	store_watch(store, &watched, note, &told);
	store_txn_put(txn, &watched, MX_SLICE("a"), MX_SLICE("1"));
	store_txn_put(txn, &other, MX_SLICE("x"), MX_SLICE("9"));
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	txn = store_txn_begin(store);
	store_txn_put(txn, &watched, MX_SLICE("b"), MX_SLICE("2"));
	store_txn_delete(txn, &watched, MX_SLICE("a"));
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	/* Told before the answer, so nothing is to be waited for. */
	assert_true(streq(told.ptr, "a=1 b=2 a- ") || streq(told.ptr, "a=1 a- b=2 "));
	store_close(store);
}

static void what_did_not_happen_is_not_told(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct store_txn *txn = store_txn_begin(store);
	mx_str_auto told = { 0 };

	(void)state;
	store_watch(store, &watched, note, &told);
	store_txn_put(txn, &watched, MX_SLICE("a"), MX_SLICE("1"));
	store_txn_abort(txn);
	txn = store_txn_begin(store);
	store_txn_put(txn, &watched, MX_SLICE("b"), MX_SLICE("1"));
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	txn = store_txn_begin(store);
	store_txn_put(txn, &watched, MX_SLICE("b"), MX_SLICE("2"));
	store_txn_expect_absent(txn, &watched, MX_SLICE("b"));
	assert_int_equal(store_txn_commit(txn, NULL), -MX_CONFLICT);
	assert_string_equal(told.ptr, "b=1 ");
	store_close(store);
}

static void nobody_is_told_after_the_watch_ended(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct store_txn *txn = store_txn_begin(store);
	mx_str_auto told = { 0 };

	(void)state;
	store_watch(store, &watched, note, &told);
	store_watch(store, &watched, NULL, NULL);
	store_txn_put(txn, &watched, MX_SLICE("a"), MX_SLICE("1"));
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	assert_null(told.ptr);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_told_in_the_order_of_the_commits),
		cmocka_unit_test(what_did_not_happen_is_not_told),
		cmocka_unit_test(nobody_is_told_after_the_watch_ended),
	};

	return cmocka_run_group_tests_name("store/watch", tests, NULL, NULL);
}

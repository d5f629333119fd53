#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

static const struct store_table cats = { .name = "cats" };
static const struct store_table *const tables[] = { &cats, NULL };

static struct mx_error err;

static int clock_begin(void **state)
{
	mx_time_fake(1000000, 5000);
	*state = store_fixture_open(tables);
	return 0;
}

static int clock_end(void **state)
{
	store_close(*state);
	mx_time_fake(-1, -1);
	return 0;
}

static struct store_lease take(struct store *store, const char *name)
{
	struct store_lease lease = { 0 };

	assert_int_equal(store_lease_take(store, name, 1000, &lease, &err), 0);
	return lease;
}

static int commit_under(struct store *store, const struct store_lease *lease)
{
	struct store_txn *txn = store_txn_begin(store);

	store_txn_put(txn, &cats, mx_slice("tom"), mx_slice("grey"));
	store_txn_expect_lease(txn, lease);
	return store_txn_commit(txn, &err);
}

static void taking_ones_own_again_renews_it(void **state)
{
	struct store_lease first = take(*state, "outbox"), second;

	assert_int_equal(first.until_mono_ms, 6000);
	mx_time_fake(1000000, 5900);
	second = take(*state, "outbox");
	assert_true(second.epoch == first.epoch);
	assert_int_equal(second.until_mono_ms, 6900);
	assert_int_equal(commit_under(*state, &first), 0);
}

static void after_its_time_a_lease_has_a_new_epoch(void **state)
{
	struct store_lease first = take(*state, "outbox"), second;

	mx_time_fake(1000000, 6000);
	second = take(*state, "outbox");
	assert_true(second.epoch > first.epoch);
	assert_int_equal(commit_under(*state, &first), -MX_LEASE_LOST);
	assert_int_equal(commit_under(*state, &second), 0);
}

static void nothing_is_written_under_a_lost_lease(void **state)
{
	struct store_lease lease = take(*state, "outbox");
	struct store_txn *txn;

	store_lease_release(*state, &lease);
	assert_int_equal(commit_under(*state, &lease), -MX_LEASE_LOST);
	txn = store_txn_begin(*state);
	store_txn_expect_absent(txn, &cats, mx_slice("tom"));
	assert_int_equal(store_txn_commit(txn, &err), 0);
}

static void leases_of_other_names_are_apart(void **state)
{
	struct store_lease outbox = take(*state, "outbox"), sender = take(*state, "sender");

	store_lease_release(*state, &sender);
	assert_int_equal(commit_under(*state, &outbox), 0);
}

static void an_old_lease_cannot_release_a_new_one(void **state)
{
	struct store_lease first = take(*state, "outbox"), second;

	store_lease_release(*state, &first);
	second = take(*state, "outbox");
	store_lease_release(*state, &first);
	assert_int_equal(commit_under(*state, &second), 0);
}

static void a_name_has_a_limit(void **state)
{
	char name[70];
	struct store_lease lease;

	memset(name, 'x', sizeof(name));
	name[69] = '\0';
	assert_int_equal(store_lease_take(*state, name, 1000, &lease, &err), -MX_TOO_LARGE);
}

static void epochs_and_numbers_grow_across_openings(void **state)
{
	char *directory = store_fixture_directory();
	struct store *store = store_fixture_at(directory, tables);
	struct store_lease before = take(store, "outbox"), after;
	uint64_t first;

	(void)state;
	assert_int_equal(store_reserve(store, "events", 10, &first, &err), 0);
	assert_int_equal(first, 1);
	store_close(store);
	store = store_fixture_at(directory, tables);
	after = take(store, "outbox");
	assert_true(after.epoch > before.epoch);
	assert_int_equal(commit_under(store, &before), -MX_LEASE_LOST);
	assert_int_equal(store_reserve(store, "events", 1, &first, &err), 0);
	assert_int_equal(first, 11);
	assert_int_equal(store_reserve(store, "others", 1, &first, &err), 0);
	assert_int_equal(first, 1);
	store_close(store);
	store_fixture_directory_remove(directory);
}

static void numbers_do_not_wrap(void **state)
{
	uint64_t first;

	assert_int_equal(store_reserve(*state, "events", UINT64_MAX - 1, &first, &err), 0);
	assert_int_equal(store_reserve(*state, "events", 1, &first, &err), -MX_STORE);
}

#define lease_test(function) cmocka_unit_test_setup_teardown(function, clock_begin, clock_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		lease_test(taking_ones_own_again_renews_it),
		lease_test(after_its_time_a_lease_has_a_new_epoch),
		lease_test(nothing_is_written_under_a_lost_lease),
		lease_test(leases_of_other_names_are_apart),
		lease_test(an_old_lease_cannot_release_a_new_one),
		lease_test(a_name_has_a_limit),
		cmocka_unit_test(epochs_and_numbers_grow_across_openings),
		lease_test(numbers_do_not_wrap),
	};
	return cmocka_run_group_tests_name("store/lease", tests, NULL, NULL);
}

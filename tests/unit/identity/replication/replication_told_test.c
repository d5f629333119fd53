#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/replication/replication.h"
#include "identity/replication/replication_db.h"
#include "tests/support/store_fixture.h"

static const struct store_table *const store_test_tables[] = { &replication_peer_table, NULL };

static struct replication_peer_conf peers[] = {
	{ .name = "a.test", .url = "https://a.test" },
	{ .name = "quiet.test" },
	{ .name = "b.test", .url = "https://b.test" },
};

static uint64_t told(void **txn, unsigned peers_count)
{
	const struct identity_conf conf = { .replication = { .peers = peers,
							     .peers_count = peers_count } };
	const struct identity identity = { .conf = &conf, .store = store_fixture_store(txn) };

	return replication_told(&identity);
}

static void reached(void **txn, const char *peer, uint64_t number)
{
	assert_int_equal(replication_db_set_position(store_fixture_store(txn), peer, number, NULL),
			 0);
}

static void without_peers_nobody_waits_for_anything(void **txn)
{
	assert_true(told(txn, 0) == UINT64_MAX);
}

static void the_slowest_peer_counts(void **txn)
{
	reached(txn, "a.test", 7);
	assert_int_equal(told(txn, 3), 0);
	reached(txn, "b.test", 5);
	assert_int_equal(told(txn, 3), 5);
	reached(txn, "b.test", 9);
	assert_int_equal(told(txn, 3), 7);
}

static void a_peer_that_only_pushes_is_not_waited_for(void **txn)
{
	reached(txn, "a.test", 7);
	assert_int_equal(told(txn, 2), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(without_peers_nobody_waits_for_anything),
		store_test(the_slowest_peer_counts),
		store_test(a_peer_that_only_pushes_is_not_waited_for),
	};

	return cmocka_run_group_tests_name("replication/told", tests, NULL, NULL);
}

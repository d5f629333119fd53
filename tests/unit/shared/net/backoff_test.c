#include "shared/net/backoff.h"

#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define START_MS 1000000
#define FIRST_MS (30 * MX_SECOND_MS)

/* By that much a pause may be shorter or longer. */
#define SHORTEST(ms) ((ms)*3 / 4)
#define LONGEST(ms)  ((ms)*5 / 4)

static const struct mx_slice peer = { "peer.test", 9 };
static int64_t mono;

static void pass(int64_t ms)
{
	mono += ms;
	mx_time_fake(mono + START_MS, mono);
}

static int set_up(void **state)
{
	mono = START_MS;
	pass(0);
	*state = net_backoff_new(NULL);
	return 0;
}

static int tear_down(void **state)
{
	net_backoff_free(*state);
	mx_time_fake(-1, -1);
	return 0;
}

/* The pause that is left, by the wall clock. */
static int64_t pause_left(struct net_backoff *set)
{
	int64_t until = net_backoff_until_ms(set, peer, NULL);

	return until ? until - mx_now_ms() : 0;
}

static void an_unknown_peer_may_be_tried(void **state)
{
	unsigned failures = 9;

	assert_true(net_backoff_may_try(*state, peer));
	assert_true(net_backoff_may_try(*state, peer));
	assert_int_equal(net_backoff_until_ms(*state, peer, &failures), 0);
	assert_int_equal(failures, 0);
}

static void pauses_double_up_to_the_limit(void **state)
{
	int64_t expected = FIRST_MS;

	for (unsigned i = 1; i <= 12; i++) {
		unsigned failures;

		assert_true(net_backoff_may_try(*state, peer));
		net_backoff_failed(*state, peer);
		assert_in_range(pause_left(*state), SHORTEST(expected), LONGEST(expected));
		net_backoff_until_ms(*state, peer, &failures);
		assert_int_equal(failures, i);
		assert_false(net_backoff_may_try(*state, peer));
		pass(pause_left(*state));
		expected = expected * 2 > MX_HOUR_MS ? MX_HOUR_MS : expected * 2;
	}
}

static void failures_of_one_moment_count_once(void **state)
{
	unsigned failures;

	for (int i = 0; i < 50; i++)
		net_backoff_failed(*state, peer);
	net_backoff_until_ms(*state, peer, &failures);
	assert_int_equal(failures, 1);
	assert_in_range(pause_left(*state), SHORTEST(FIRST_MS), LONGEST(FIRST_MS));
}

static void after_the_pause_one_caller_probes(void **state)
{
	net_backoff_failed(*state, peer);
	pass(LONGEST(FIRST_MS));
	assert_true(net_backoff_may_try(*state, peer));
	assert_false(net_backoff_may_try(*state, peer));
	pass(FIRST_MS - 1);
	assert_false(net_backoff_may_try(*state, peer));
	pass(1);
	assert_true(net_backoff_may_try(*state, peer));
}

static void a_success_forgets_all_failures(void **state)
{
	net_backoff_failed(*state, peer);
	net_backoff_worked(*state, peer);
	assert_int_equal(net_backoff_len(*state), 0);
	assert_true(net_backoff_may_try(*state, peer));
	net_backoff_failed(*state, peer);
	assert_in_range(pause_left(*state), SHORTEST(FIRST_MS), LONGEST(FIRST_MS));
}

static void a_jump_of_the_wall_clock_releases_nobody(void **state)
{
	net_backoff_failed(*state, peer);
	mx_time_fake(START_MS + MX_DAY_MS, mono);
	assert_false(net_backoff_may_try(*state, peer));
	mx_time_fake(1, mono);
	assert_false(net_backoff_may_try(*state, peer));
	pass(LONGEST(FIRST_MS));
	assert_true(net_backoff_may_try(*state, peer));
}

static void names_are_bytes_and_keep_their_case(void **state)
{
	net_backoff_failed(*state, MX_SLICE("Peer.test"));
	assert_true(net_backoff_may_try(*state, peer));
	net_backoff_failed(*state, mx_slice_of("\0\0\0\1", 4));
	assert_true(net_backoff_may_try(*state, mx_slice_of("\0\0\0\2", 4)));
	assert_false(net_backoff_may_try(*state, mx_slice_of("\0\0\0\1", 4)));
}

static void the_least_recently_failed_go_first(void **state)
{
	const struct net_backoff_conf conf = { .first_ms = 10, .entries_max = 2 };
	struct net_backoff *set = net_backoff_new(&conf);

	(void)state;
	net_backoff_failed(set, MX_SLICE("a"));
	net_backoff_failed(set, MX_SLICE("b"));
	pass(20);
	net_backoff_failed(set, MX_SLICE("a"));
	net_backoff_failed(set, MX_SLICE("c"));
	assert_int_equal(net_backoff_len(set), 2);
	assert_false(net_backoff_may_try(set, MX_SLICE("a")));
	assert_true(net_backoff_may_try(set, MX_SLICE("b")));
	net_backoff_free(set);
}

struct kept {
	int count;
	int64_t until_ms;
	unsigned failures;
};

static void keep(void *ctx, struct mx_slice key, int64_t until_ms, unsigned failures)
{
	struct kept *kept = ctx;

	assert_true(mx_slice_eq(key, peer));
	*kept = (struct kept){ kept->count + 1, until_ms, failures };
}

static void pauses_survive_a_restart(void **state)
{
	struct net_backoff *next = net_backoff_new(NULL);
	struct kept kept = { 0 };
	unsigned failures;

	for (int i = 0; i < 3; i++) {
		net_backoff_failed(*state, peer);
		pass(i < 2 ? pause_left(*state) : 0);
	}
	net_backoff_each(*state, keep, &kept);
	assert_int_equal(kept.count, 1);
	net_backoff_restore(next, peer, kept.until_ms, kept.failures);
	assert_int_equal(net_backoff_until_ms(next, peer, &failures), kept.until_ms);
	assert_int_equal(failures, 3);
	assert_false(net_backoff_may_try(next, peer));
	net_backoff_free(next);
}

static void a_restored_pause_is_never_longer_than_the_longest(void **state)
{
	net_backoff_restore(*state, peer, mx_now_ms() + 365 * MX_DAY_MS, 4);
	assert_in_range(pause_left(*state), 1, LONGEST(MX_HOUR_MS));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(an_unknown_peer_may_be_tried),
		test(pauses_double_up_to_the_limit),
		test(failures_of_one_moment_count_once),
		test(after_the_pause_one_caller_probes),
		test(a_success_forgets_all_failures),
		test(a_jump_of_the_wall_clock_releases_nobody),
		test(names_are_bytes_and_keep_their_case),
		test(the_least_recently_failed_go_first),
		test(pauses_survive_a_restart),
		test(a_restored_pause_is_never_longer_than_the_longest),
	};
	return cmocka_run_group_tests_name("net/backoff", tests, NULL, NULL);
}

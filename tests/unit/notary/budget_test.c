#include "notary/budget.h"

#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct budget_conf conf = {
	.burst = 3, .per_minute = 60, .total_burst = 5, .total_per_minute = 600
};

static int set_up(void **state)
{
	mx_time_fake(1700000000000, 1000);
	*state = budget_new(&conf);
	return 0;
}

static int tear_down(void **state)
{
	budget_free(*state);
	mx_time_fake(-1, -1);
	return 0;
}

static unsigned take(struct budget *budget, const char *address, unsigned tries)
{
	unsigned granted = 0;

	for (unsigned i = 0; i < tries; i++)
		granted += budget_take(budget, address);
	return granted;
}

static void an_asker_gets_a_burst_and_no_more(void **state)
{
	assert_int_equal(take(*state, "192.0.2.1", 10), 3);
}

static void what_was_taken_comes_back_with_time(void **state)
{
	assert_int_equal(take(*state, "192.0.2.1", 10), 3);
	mx_time_fake(1700000002000, 3000);
	assert_int_equal(take(*state, "192.0.2.1", 10), 2);
}

static void neighbours_in_one_prefix_share_a_bucket(void **state)
{
	assert_int_equal(take(*state, "192.0.2.1", 2), 2);
	assert_int_equal(take(*state, "192.0.2.200", 10), 1);
	assert_int_equal(take(*state, "2001:db8:0:1::1", 1), 1);
	assert_int_equal(budget_askers(*state), 2);
	assert_int_equal(take(*state, "2001:db8:0:ff::9", 1), 1);
	assert_int_equal(budget_askers(*state), 2);
}

static void all_askers_together_have_a_limit(void **state)
{
	assert_int_equal(take(*state, "192.0.2.1", 3), 3);
	assert_int_equal(take(*state, "198.51.100.1", 3), 2);
	assert_int_equal(take(*state, "203.0.113.1", 3), 0);
}

static void a_refused_asker_keeps_what_it_has(void **state)
{
	assert_int_equal(take(*state, "192.0.2.1", 3), 3);
	assert_int_equal(take(*state, "198.51.100.1", 3), 2);
	mx_time_fake(1700000000100, 1100); /* one comes back for all, none was lost */
	assert_int_equal(take(*state, "198.51.100.1", 3), 1);
}

static void new_limits_count_at_once(void **state)
{
	const struct budget_conf none = { 0 };

	budget_set(*state, &none);
	assert_int_equal(take(*state, "192.0.2.1", 3), 0);
}

static void a_clock_that_stands_still_gives_nothing_back(void **state)
{
	assert_int_equal(take(*state, "192.0.2.1", 3), 3);
	assert_int_equal(take(*state, "192.0.2.1", 100), 0);
}

#define budget_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		budget_test(an_asker_gets_a_burst_and_no_more),
		budget_test(what_was_taken_comes_back_with_time),
		budget_test(neighbours_in_one_prefix_share_a_bucket),
		budget_test(all_askers_together_have_a_limit),
		budget_test(a_refused_asker_keeps_what_it_has),
		budget_test(new_limits_count_at_once),
		budget_test(a_clock_that_stands_still_gives_nothing_back),
	};

	return cmocka_run_group_tests_name("notary/budget", tests, NULL, NULL);
}

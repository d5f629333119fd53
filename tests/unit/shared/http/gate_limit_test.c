#include "shared/http/gate_limit.h"

#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ANN  MX_SLICE("@ann:here")
#define BOB  MX_SLICE("@bob:here")
#define NOON INT64_C(1000000)

static int set_up(void **state)
{
	const struct http_limit limits[LIMIT_COUNT] = {
		[LIMIT_QUERY] = { .per_second = 2, .burst = 3 },
		[LIMIT_LOGIN] = { .per_second = 0.1, .burst = 0 },
	};

	*state = limiter_new(limits);
	return 0;
}

static int tear_down(void **state)
{
	limiter_free(*state);
	return 0;
}

static int64_t query(void **state, struct mx_slice who, int64_t now_ms)
{
	return limiter_take(*state, LIMIT_QUERY, who, now_ms);
}

static void empty_by_now(void **state, struct mx_slice who)
{
	for (int i = 0; i < 3; i++)
		assert_int_equal(query(state, who, NOON), 0);
	assert_int_equal(query(state, who, NOON), 500);
}

static void a_burst_passes_and_then_the_rate(void **state)
{
	empty_by_now(state, ANN);
	assert_in_range(query(state, ANN, NOON + 400), 100, 101);
	assert_int_equal(query(state, ANN, NOON + 500), 0);
	assert_int_equal(query(state, ANN, NOON + 500), 500);
}

static void a_refusal_costs_no_token(void **state)
{
	empty_by_now(state, ANN);
	for (int i = 0; i < 100; i++)
		assert_int_equal(query(state, ANN, NOON), 500);
	assert_int_equal(query(state, ANN, NOON + 500), 0);
}

static void a_bucket_never_holds_more_than_its_burst(void **state)
{
	empty_by_now(state, ANN);
	for (int i = 0; i < 3; i++)
		assert_int_equal(query(state, ANN, NOON + 3600000), 0);
	assert_true(query(state, ANN, NOON + 3600000) > 0);
}

static void clients_and_classes_do_not_share(void **state)
{
	empty_by_now(state, ANN);
	assert_int_equal(query(state, BOB, NOON), 0);
	assert_int_equal(limiter_take(*state, LIMIT_LOGIN, ANN, NOON), 0);
	assert_int_equal(limiter_take(*state, LIMIT_LOGIN, ANN, NOON), 10000);
}

static void what_has_no_rate_is_not_limited(void **state)
{
	for (int i = 0; i < 100; i++) {
		assert_int_equal(limiter_take(*state, LIMIT_MEDIA, ANN, NOON), 0);
		assert_int_equal(limiter_take(*state, LIMIT_NONE, ANN, NOON), 0);
	}
}

static void a_clock_that_stands_or_goes_back_gives_nothing(void **state)
{
	empty_by_now(state, ANN);
	assert_true(query(state, ANN, NOON - 60000) > 0);
	assert_true(query(state, ANN, NOON - 60000) > 0);
}

static void rates_may_change_meanwhile(void **state)
{
	const struct http_limit limits[LIMIT_COUNT] = { [LIMIT_QUERY] = { 1000, 1 } };

	empty_by_now(state, ANN);
	limiter_set(*state, limits);
	assert_int_equal(query(state, ANN, NOON + 1), 0);
	assert_int_equal(query(state, ANN, NOON + 1), 1);
}

/* More than there are buckets: memory stays the same, and who is new is not refused. */
static void crowds_push_out_who_asked_longest_ago(void **state)
{
	char name[24];

	empty_by_now(state, ANN);
	for (int i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "@crowd%d:here", i);
		assert_int_equal(query(state, mx_slice(name), NOON + 1), 0);
	}
	assert_int_equal(query(state, ANN, NOON + 1), 0);
}

#define limit_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		limit_test(a_burst_passes_and_then_the_rate),
		limit_test(a_refusal_costs_no_token),
		limit_test(a_bucket_never_holds_more_than_its_burst),
		limit_test(clients_and_classes_do_not_share),
		limit_test(what_has_no_rate_is_not_limited),
		limit_test(a_clock_that_stands_or_goes_back_gives_nothing),
		limit_test(rates_may_change_meanwhile),
		limit_test(crowds_push_out_who_asked_longest_ago),
	};
	return cmocka_run_group_tests_name("http/gate_limit", tests, NULL, NULL);
}

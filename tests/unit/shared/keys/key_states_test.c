#include "shared/keys/key_states.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define A MX_SLICE("a.example")
#define B MX_SLICE("b.example")

static int64_t now_ms;

static void pass(int64_t ms)
{
	now_ms += ms;
	mx_time_fake(now_ms, now_ms);
}

static int set_up(void **state)
{
	const struct key_states_conf conf = { .max = 10, .burst = 3, .pause_ms = 1000 };

	now_ms = MX_DAY_MS;
	pass(0);
	*state = key_states_new(&conf);
	return 0;
}

static int tear_down(void **state)
{
	key_states_free(*state);
	mx_time_fake(-1, -1);
	return 0;
}

static void add(struct key_states *states, struct mx_slice server, struct key_result result)
{
	result.started_ms = now_ms;
	key_states_add(states, server, &result);
}

static void a_stranger_may_be_asked(void **state)
{
	struct key_fetch_state shown;

	assert_true(key_states_may(*state, A));
	assert_string_equal(key_states_address(*state, A), "");
	assert_false(key_states_get(*state, A, &shown));
}

static void successes_are_paid_for_one_by_one(void **state)
{
	for (int i = 0; i < 3; i++) {
		assert_true(key_states_may(*state, A));
		add(*state, A, (struct key_result){ .is_paid = true });
	}
	assert_false(key_states_may(*state, A));
	assert_true(key_states_may(*state, B));
	pass(999);
	assert_false(key_states_may(*state, A));
	pass(1);
	assert_true(key_states_may(*state, A));
	add(*state, A, (struct key_result){ .is_paid = true });
	assert_false(key_states_may(*state, A));
	pass(3000);
	for (int i = 0; i < 3; i++) {
		assert_true(key_states_may(*state, A));
		add(*state, A, (struct key_result){ .is_paid = true });
	}
	assert_false(key_states_may(*state, A));
}

static void a_long_rest_saves_nothing_up(void **state)
{
	add(*state, A, (struct key_result){ .is_paid = true });
	pass(MX_DAY_MS);
	for (int i = 0; i < 3; i++)
		add(*state, A, (struct key_result){ .is_paid = true });
	assert_false(key_states_may(*state, A));
}

static void a_no_lasts_for_its_time(void **state)
{
	add(*state, A, (struct key_result){ .rc = -MX_REMOTE_FAILED, .negative_ms = 60 });
	pass(59);
	assert_false(key_states_may(*state, A));
	pass(1);
	assert_true(key_states_may(*state, A));
}

static void the_last_result_is_shown_and_failures_are_counted(void **state)
{
	struct key_fetch_state shown;

	add(*state, A, (struct key_result){ .took_ms = 5, .address = "192.0.2.1" });
	pass(10);
	for (int i = 0; i < 2; i++)
		add(*state, A,
		    (struct key_result){ .rc = -MX_REMOTE_TIMEOUT, .error = "slow", .took_ms = 8 });
	assert_true(key_states_get(*state, A, &shown));
	assert_int_equal(shown.last_success_ms, MX_DAY_MS);
	assert_int_equal(shown.last_try_ms, now_ms);
	assert_int_equal(shown.took_ms, 8);
	assert_int_equal(shown.failures, 2);
	assert_int_equal(shown.last_rc, -MX_REMOTE_TIMEOUT);
	assert_string_equal(shown.last_error, "slow");
	assert_string_equal(key_states_address(*state, A), "192.0.2.1"); /* where it was before */
	add(*state, A, (struct key_result){ 0 });
	assert_true(key_states_get(*state, A, &shown));
	assert_int_equal(shown.failures, 0);
	assert_string_equal(shown.last_error, "");
}

static void the_worst_come_first_and_not_more_than_wanted(void **state)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_fetch_state found[3];
	char name[] = "0.example";

	for (int i = 0; i < 6; i++) {
		name[0] = (char)('0' + (i * 5) % 6);
		add(*state, mx_slice(name), (struct key_result){ .took_ms = (i * 5) % 6 });
	}
	assert_int_equal(key_states_worst(*state, true, found, 3, mem), 3);
	assert_true(mx_slice_is(found[0].server, "5.example"));
	assert_true(mx_slice_is(found[1].server, "4.example"));
	assert_true(mx_slice_is(found[2].server, "3.example"));
	assert_int_equal(key_states_worst(*state, false, found, 3, mem), 0); /* nobody fails */
	add(*state, A, (struct key_result){ .rc = -MX_REMOTE_FAILED, .took_ms = 9 });
	assert_int_equal(key_states_worst(*state, false, found, 3, mem), 1);
	assert_true(mx_slice_eq(found[0].server, A));
	assert_int_equal(key_states_worst(*state, true, found, 1, mem), 1);
	assert_true(mx_slice_is(found[0].server, "5.example")); /* a failure is not slow */
	assert_int_equal(key_states_worst(*state, true, found, 0, mem), 0);
}

static void those_not_heard_of_for_longest_go_first(void **state)
{
	struct key_fetch_state shown;
	char name[] = "0.example";

	for (int i = 0; i < 11; i++) {
		name[0] = (char)('0' + i);
		add(*state, mx_slice(name), (struct key_result){ 0 });
	}
	assert_false(key_states_get(*state, MX_SLICE("0.example"), &shown));
	assert_true(key_states_get(*state, MX_SLICE("1.example"), &shown));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_stranger_may_be_asked),
		test(successes_are_paid_for_one_by_one),
		test(a_long_rest_saves_nothing_up),
		test(a_no_lasts_for_its_time),
		test(the_last_result_is_shown_and_failures_are_counted),
		test(the_worst_come_first_and_not_more_than_wanted),
		test(those_not_heard_of_for_longest_go_first),
	};
	return cmocka_run_group_tests_name("keys/key_states", tests, NULL, NULL);
}

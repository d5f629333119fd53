#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

static int real_clocks(void **state)
{
	(void)state;
	mx_time_fake(-1, -1);
	return 0;
}

static void fake_clocks_stand_still(void **state)
{
	(void)state;
	mx_time_fake(1000, 50);
	assert_int_equal(mx_now_ms(), 1000);
	assert_int_equal(mx_mono_ms(), 50);
	assert_int_equal(mx_mono_us(), 50000);
	assert_int_equal(mx_now_ms(), 1000);
}

static void each_clock_is_faked_alone(void **state)
{
	(void)state;
	mx_time_fake(0, -1);
	assert_int_equal(mx_now_ms(), 0);
	assert_true(mx_mono_us() > 0);
	mx_time_fake(-1, 0);
	assert_int_equal(mx_mono_ms(), 0);
	assert_true(mx_now_ms() > INT64_C(1600000000000));
}

static void a_shift_moves_the_wall_clock_only(void **state)
{
	(void)state;
	mx_time_fake(1000, 50);
	mx_time_shift(500);
	mx_time_shift(-200);
	assert_int_equal(mx_now_ms(), 1300);
	assert_int_equal(mx_mono_ms(), 50);
	mx_time_fake(1000, 50);
	assert_int_equal(mx_now_ms(), 1000);
}

static void the_real_clocks_are_the_systems(void **state)
{
	int64_t before = (int64_t)time(NULL) * 1000;

	(void)state;
	assert_true(mx_now_ms() >= before - 1000);
	assert_true(mx_now_ms() < before + 60000);
	assert_true(mx_mono_us() <= mx_mono_us());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(fake_clocks_stand_still, real_clocks),
		cmocka_unit_test_teardown(each_clock_is_faked_alone, real_clocks),
		cmocka_unit_test_teardown(a_shift_moves_the_wall_clock_only, real_clocks),
		cmocka_unit_test_teardown(the_real_clocks_are_the_systems, real_clocks),
	};
	return cmocka_run_group_tests_name("core/time", tests, NULL, NULL);
}

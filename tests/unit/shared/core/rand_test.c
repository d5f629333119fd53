#include "shared/core/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void a_token_has_letters_and_digits_only(void **state)
{
	char text[65];

	(void)state;
	mx_random_token(text, 64);
	assert_int_equal(strlen(text), 64);
	assert_int_equal(
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"), 64);
}

static void tokens_do_not_repeat(void **state)
{
	char tokens[100][23];

	(void)state;
	for (int i = 0; i < 100; i++) {
		mx_random_token(tokens[i], 22);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(tokens[i], tokens[j]);
	}
}

static void numbers_stay_below_their_bound_and_reach_all_values(void **state)
{
	unsigned seen[7] = { 0 };

	(void)state;
	for (int i = 0; i < 7000; i++) {
		uint32_t number = mx_random_below(7);

		assert_true(number < 7);
		seen[number]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 700, 1300);
	assert_int_equal(mx_random_below(1), 0);
}

static void jitter_stays_within_its_percentage(void **state)
{
	int64_t low = INT64_MAX, high = INT64_MIN;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t value = mx_jitter(1000, 25);

		low = value < low ? value : low;
		high = value > high ? value : high;
	}
	assert_in_range(low, 750, 760);
	assert_in_range(high, 1240, 1250);
}

static void jitter_of_huge_and_tiny_values_is_safe(void **state)
{
	(void)state;
	assert_int_equal(mx_jitter(0, 50), 0);
	assert_int_equal(mx_jitter(1000, 0), 1000);
	for (int i = 0; i < 100; i++) {
		assert_true(mx_jitter(INT64_MAX / 2, 100) > INT64_MAX / 4);
		assert_in_range(mx_jitter(10, 50), 5, 15);
	}
}

static void bytes_differ_from_call_to_call(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	mx_random_bytes(a, sizeof(a));
	mx_random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_has_letters_and_digits_only),
		cmocka_unit_test(tokens_do_not_repeat),
		cmocka_unit_test(numbers_stay_below_their_bound_and_reach_all_values),
		cmocka_unit_test(jitter_stays_within_its_percentage),
		cmocka_unit_test(jitter_of_huge_and_tiny_values_is_safe),
		cmocka_unit_test(bytes_differ_from_call_to_call),
	};
	return cmocka_run_group_tests_name("core/rand", tests, NULL, NULL);
}

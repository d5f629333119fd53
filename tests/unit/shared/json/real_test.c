#include "shared/json/real.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_written(const char *lexeme, const char *expected)
{
	char text[MX_REAL_TEXT];

	assert_true(mx_real_format(mx_slice(lexeme), text));
	assert_string_equal(text, expected);
}

static void reals_are_written_with_the_digits_that_they_need(void **state)
{
	(void)state;
	assert_written("1.10", "1.1");
	assert_written("50.57", "50.57");
	assert_written("0.1", "0.1");
	assert_written("1.0", "1.0");
	assert_written("-2.50", "-2.5");
	assert_written("123456789.125", "123456789.125");
	assert_written("0.30000000000000004", "0.30000000000000004");
	assert_written("100.0", "100.0");
	assert_written("9007199254740993.0", "9007199254740992.0");
}

static void exponents_are_written_only_where_they_are_short(void **state)
{
	(void)state;
	assert_written("1e3", "1000.0");
	assert_written("5.114698E4", "51146.98");
	assert_written("1e15", "1000000000000000.0");
	assert_written("1e16", "1e+16");
	assert_written("1.5e300", "1.5e+300");
	assert_written("0.0001", "0.0001");
	assert_written("0.00012", "0.00012");
	assert_written("0.00001", "1e-05");
	assert_written("1.25e-7", "1.25e-07");
}

static void zero_keeps_its_sign(void **state)
{
	(void)state;
	assert_written("0.0", "0.0");
	assert_written("-0.0", "-0.0");
	assert_written("0e5", "0.0");
	assert_written("1e-400", "0.0");
}

static void what_no_double_holds_is_refused(void **state)
{
	char text[MX_REAL_TEXT], lexeme[600];

	(void)state;
	assert_false(mx_real_format(mx_slice("1e999"), text));
	assert_false(mx_real_format(mx_slice("-1e999"), text));
	memset(lexeme, '1', sizeof(lexeme));
	assert_false(mx_real_format(mx_slice_of(lexeme, sizeof(lexeme)), text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reals_are_written_with_the_digits_that_they_need),
		cmocka_unit_test(exponents_are_written_only_where_they_are_short),
		cmocka_unit_test(zero_keeps_its_sign),
		cmocka_unit_test(what_no_double_holds_is_refused),
	};
	return cmocka_run_group_tests_name("json/real", tests, NULL, NULL);
}

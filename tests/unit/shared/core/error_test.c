#include "shared/core/error.h"

#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_row_is_usable_on_the_wire(void **state)
{
	(void)state;
	for (int code = 1; code < MX_CODE_COUNT; code++) {
		const struct mx_errc *row = mx_errc((enum mx_code)code);

		if (code == MX_INTERACTIVE)
			continue; /* it says all in its fields */
		assert_in_range(row->status, 400, 599);
		assert_true(mx_starts_with(row->errcode, "M_"));
		assert_true(row->text[0] && row->name[0]);
	}
}

static void names_of_rows_are_unique(void **state)
{
	(void)state;
	for (int a = 0; a < MX_CODE_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(mx_errc((enum mx_code)a)->name,
						mx_errc((enum mx_code)b)->name);
}

static void a_failure_keeps_code_and_sentence(void **state)
{
	struct mx_error err = { 0 };

	(void)state;
	assert_int_equal(mx_fail(&err, MX_FORBIDDEN, "You may not remove %s", "#a:b"),
			 -MX_FORBIDDEN);
	assert_int_equal(err.code, MX_FORBIDDEN);
	assert_string_equal(err.text, "You may not remove #a:b");
	assert_string_equal(mx_error_text(&err, -MX_FORBIDDEN), "You may not remove #a:b");
}

static void nobody_has_to_listen(void **state)
{
	(void)state;
	assert_int_equal(mx_fail(NULL, MX_NOT_FOUND, "%d", 1), -MX_NOT_FOUND);
	assert_string_equal(mx_error_text(NULL, -MX_NOT_FOUND), "Not found");
}

static void a_sentence_of_another_failure_is_not_shown(void **state)
{
	struct mx_error err = { 0 };

	(void)state;
	mx_fail(&err, MX_FORBIDDEN, "You may not");
	assert_string_equal(mx_error_text(&err, -MX_NOT_FOUND), "Not found");
	mx_fail(&err, MX_FORBIDDEN, "%s", "");
	assert_string_equal(mx_error_text(&err, -MX_FORBIDDEN), "Not allowed");
}

static void long_sentences_are_cut(void **state)
{
	struct mx_error err = { 0 };

	(void)state;
	mx_fail(&err, MX_UNKNOWN, "%0500d", 1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_usable_on_the_wire),
		cmocka_unit_test(names_of_rows_are_unique),
		cmocka_unit_test(a_failure_keeps_code_and_sentence),
		cmocka_unit_test(nobody_has_to_listen),
		cmocka_unit_test(a_sentence_of_another_failure_is_not_shown),
		cmocka_unit_test(long_sentences_are_cut),
	};
	return cmocka_run_group_tests_name("core/error", tests, NULL, NULL);
}

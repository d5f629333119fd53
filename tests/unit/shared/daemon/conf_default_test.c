#include "shared/daemon/conf_default.h"

#include "shared/core/alloc.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void what_is_not_named_gets_its_default(void **state)
{
	mx_autofree bool *yes = NULL, *no = NULL;
	mx_autofree char *text = NULL;
	unsigned number = 0;

	(void)state;
	conf_default_number(&number, 7);
	conf_default_bool(&yes, true);
	conf_default_bool(&no, false);
	conf_default_text(&text, "en");
	assert_int_equal(number, 7);
	assert_true(*yes);
	assert_false(*no);
	assert_string_equal(text, "en");
}

static void what_is_named_stays(void **state)
{
	bool off = false, *named = &off;
	char french[] = "fr", *text = french;
	unsigned number = 1;

	(void)state;
	conf_default_number(&number, 7);
	conf_default_bool(&named, true);
	conf_default_text(&text, "en");
	assert_int_equal(number, 1);
	assert_ptr_equal(named, &off);
	assert_false(off);
	assert_ptr_equal(text, french);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_named_gets_its_default),
		cmocka_unit_test(what_is_named_stays),
	};

	return cmocka_run_group_tests_name("daemon/conf_default", tests, NULL, NULL);
}

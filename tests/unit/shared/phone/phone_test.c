#include "shared/phone/phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct number {
	const char *text, *country;
	const char *msisdn; /* NULL: no number */
} numbers[] = {
	{ "07700900001", "GB", "447700900001" },
	{ "+44 7700 900001", "GB", "447700900001" },
	{ "+44 7700 900001", "DE", "447700900001" },
	{ "0044 7700 900001", "GB", "447700900001" },
	{ "011 44 7700900001", "US", "447700900001" },
	{ "447700900750", "GB", "447700900750" },
	{ "447700900750", "FR", "447700900750" },
	{ "(800) 555-2067", "US", "18005552067" },
	{ "1-800-FLOWERS", "US", "18003569377" },
	{ "06 1234567", "IT", "39061234567" }, /* Italy keeps the 0 */
	{ "8 912 345-67-89", "RU", "79123456789" },
	{ "06 20 123 4567", "HU", "36201234567" },
	{ "0 11 15 2345-6789", "AR", "5491123456789" },
	{ "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x90\xEF\xBC\x92"
	  "5550123",
	  "US", "12025550123" }, /* full-width digits */
	{ "\xD9\xA0\xD9\xA7\xD9\xA7\xD9\xA0\xD9\xA0"
	  "900001",
	  "GB", "447700900001" }, /* Arabic-Indic digits */
	{ "123", "US", NULL },
	{ "", "GB", NULL },
	{ "+", "GB", NULL },
	{ "abcdef", "US", NULL },
	{ "123456789012345678901234567890", "US", NULL },
	{ "07700900001", "gb", NULL },
	{ "07700900001", "ZZ", NULL },
	{ "07700900001", "", NULL },
	{ "07700900001", "GBR", NULL },
	{ "00000001", "BG", NULL }, /* read again it would be another number */
	{ "+44 7700 900001;ext=5", "GB", NULL },
	{ "+44 7700 900001 ext 5", "GB", NULL },
};

static void numbers_get_their_canonical_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct number *number = &numbers[i];
		struct phone phone = { .msisdn = "untouched" };
		bool parsed = phone_parse(number->text, number->country, &phone);

		if (parsed != (number->msisdn != NULL))
			fail_msg("%s in %s", number->text, number->country);
		assert_string_equal(phone.msisdn, parsed ? number->msisdn : "untouched");
	}
}

static void a_text_longer_than_any_number_is_refused(void **state)
{
	struct phone phone;
	char text[2000];

	(void)state;
	memset(text, '0', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_false(phone_parse(text, "GB", &phone));
	assert_false(phone_of_msisdn(text, &phone));
}

static void a_number_tells_where_it_belongs(void **state)
{
	struct phone phone;

	(void)state;
	assert_true(phone_parse("07700900001", "GB", &phone));
	assert_string_equal(phone.display, "+44 7700 900001");
	assert_string_equal(phone.region, "GB");
	assert_int_equal(phone.calling_code, 44);
	assert_true(phone_parse("+1 876 555 0123", "US", &phone));
	assert_string_equal(phone.region, "JM");
	assert_int_equal(phone.calling_code, 1);
}

static void numbers_that_cost_extra_are_known(void **state)
{
	struct phone phone;

	(void)state;
	assert_true(phone_parse("0900 1234567", "DE", &phone));
	assert_true(phone.is_premium);
	assert_true(phone_parse("+1 900 555 0123", "US", &phone));
	assert_true(phone.is_premium);
	assert_true(phone_parse("0151 23456789", "DE", &phone));
	assert_false(phone.is_premium);
	assert_true(phone.is_mobile);
	assert_true(phone_parse("030 123456", "DE", &phone));
	assert_false(phone.is_mobile);
}

static void canonical_forms_are_read_back(void **state)
{
	struct phone phone;

	(void)state;
	assert_true(phone_of_msisdn("447700900001", &phone));
	assert_string_equal(phone.msisdn, "447700900001");
	assert_false(phone_of_msisdn("+447700900001", &phone));
	assert_false(phone_of_msisdn("44 7700900001", &phone));
	assert_false(phone_of_msisdn("", &phone));
	assert_false(phone_of_msisdn("1234567890123456", &phone));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_get_their_canonical_form),
		cmocka_unit_test(a_text_longer_than_any_number_is_refused),
		cmocka_unit_test(a_number_tells_where_it_belongs),
		cmocka_unit_test(numbers_that_cost_extra_are_known),
		cmocka_unit_test(canonical_forms_are_read_back),
	};

	return cmocka_run_group_tests_name("shared/phone/phone", tests, NULL, NULL);
}

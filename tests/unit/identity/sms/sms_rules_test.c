#include "identity/sms/sms_rules.h"

#include "identity/sms/sms_conf.h"
#include "shared/core/error.h"
#include "shared/phone/phone.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#define GERMAN    "4915112345678"
#define BRITISH   "447700900001"
#define PREMIUM   "449098790001" /* GB 0909 */
#define JAMAICAN  "18765551234"
#define AMERICAN  "12025550123"
#define SATELLITE "881612345678"

static struct phone phone_of(const char *msisdn)
{
	struct phone phone;

	assert_true(phone_of_msisdn(msisdn, &phone));
	return phone;
}

static int rule_for(const struct sms_conf *conf, const char *msisdn)
{
	const struct phone phone = phone_of(msisdn);

	return sms_rules_check(conf, &phone, NULL);
}

static void only_listed_countries_get_messages(void **state)
{
	const char *allow[] = { "DE", "+447" };
	const struct sms_conf conf = { .countries = { .allow = allow, .allow_count = 2 } };

	(void)state;
	assert_int_equal(rule_for(&conf, GERMAN), 0);
	assert_int_equal(rule_for(&conf, BRITISH), 0);
	assert_int_equal(rule_for(&conf, AMERICAN), -MX_DESTINATION_REJECTED);
}

static void what_is_denied_stays_denied(void **state)
{
	const char *allow[] = { "+1", "DE" }, *deny[] = { "JM", "+4915" };
	const struct sms_conf conf = {
		.countries = { .allow = allow, .allow_count = 2, .deny = deny, .deny_count = 2 },
	};

	(void)state;
	assert_int_equal(rule_for(&conf, AMERICAN), 0);
	assert_int_equal(rule_for(&conf, JAMAICAN), -MX_DESTINATION_REJECTED);
	assert_int_equal(rule_for(&conf, GERMAN), -MX_DESTINATION_REJECTED);
}

static void a_country_is_not_its_calling_code(void **state)
{
	const char *allow[] = { "US" };
	const struct sms_conf conf = { .countries = { .allow = allow, .allow_count = 1 } };

	(void)state;
	assert_int_equal(rule_for(&conf, AMERICAN), 0);
	assert_int_equal(rule_for(&conf, JAMAICAN), -MX_DESTINATION_REJECTED);
}

static void premium_numbers_are_refused_unless_permitted(void **state)
{
	struct sms_conf conf = { .countries = { .otherwise = SMS_ALLOW } };

	(void)state;
	assert_int_equal(rule_for(&conf, BRITISH), 0);
	assert_int_equal(rule_for(&conf, PREMIUM), -MX_DESTINATION_REJECTED);
	conf.countries.premium = true;
	assert_int_equal(rule_for(&conf, PREMIUM), 0);
}

static void numbers_of_no_country_must_be_named(void **state)
{
	const char *allow[] = { "+881" };
	struct sms_conf conf = { .countries = { .otherwise = SMS_ALLOW } };

	(void)state;
	assert_int_equal(rule_for(&conf, SATELLITE), -MX_DESTINATION_REJECTED);
	conf.countries.allow = allow;
	conf.countries.allow_count = 1;
	assert_int_equal(rule_for(&conf, SATELLITE), 0);
}

static const char *originator_of(const struct sms_conf *conf, const char *msisdn)
{
	const struct phone phone = phone_of(msisdn);

	return sms_rules_originator(conf, &phone);
}

static void the_nearest_originators_are_taken(void **state)
{
	const char *german[] = { "DE-FROM" }, *american[] = { "NANP" }, *jamaican[] = { "JM-FROM" },
		   *others[] = { "OTHERS" };
	struct sms_originator_conf rows[] = {
		{ SMS_DEFAULT, others, 1 },
		{ "+1", american, 1 },
		{ "DE", german, 1 },
		{ "+1876", jamaican, 1 },
	};
	const struct sms_conf conf = { .originators = rows, .originators_count = 4 };
	const struct sms_conf none = { 0 };

	(void)state;
	assert_string_equal(originator_of(&conf, GERMAN), "DE-FROM");
	assert_string_equal(originator_of(&conf, AMERICAN), "NANP");
	assert_string_equal(originator_of(&conf, JAMAICAN), "JM-FROM");
	assert_string_equal(originator_of(&conf, BRITISH), "OTHERS");
	assert_string_equal(originator_of(&none, BRITISH), "");
}

static void a_number_keeps_its_originator_and_all_are_used(void **state)
{
	const char *from[] = { "A", "B", "C" };
	struct sms_originator_conf rows[] = { { SMS_DEFAULT, from, 3 } };
	const struct sms_conf conf = { .originators = rows, .originators_count = 1 };
	unsigned used[3] = { 0 };

	(void)state;
	for (int i = 0; i < 60; i++) {
		struct phone phone = phone_of(BRITISH);
		const char *chosen;

		phone.msisdn[10] = (char)('0' + i % 10);
		phone.msisdn[11] = (char)('0' + i / 10);
		chosen = sms_rules_originator(&conf, &phone);
		assert_ptr_equal(chosen, sms_rules_originator(&conf, &phone));
		used[*chosen - 'A']++;
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(used[i], 5, 50);
}

static void amounts_are_read_exactly(void **state)
{
	static const struct {
		const char *text;
		int64_t micros; /* -1: refused */
	} cases[] = {
		{ "1", 1000000 },      { "0.075", 75000 }, { "12.50", 12500000 },
		{ "0.000001", 1 },     { "0", 0 },         { "", -1 },
		{ "-1", -1 },          { "1.-5", -1 },     { "1.", -1 },
		{ ".5", -1 },          { "1,50", -1 },     { "0.0000001", -1 },
		{ "99999999999", -1 }, { "1.5.5", -1 },    { "1e3", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t micros = -1;

		assert_int_equal(sms_amount_parse(cases[i].text, &micros), cases[i].micros >= 0);
		assert_int_equal(micros, cases[i].micros);
	}
}

static void prices_follow_the_same_order(void **state)
{
	struct sms_price_conf rows[] = { { "DE", "0.07" },
					 { "default", "0.20" },
					 { "+1", "0.01" } };
	const struct sms_conf conf = { .prices = rows, .prices_count = 3 };
	const struct phone german = phone_of(GERMAN), british = phone_of(BRITISH),
			   american = phone_of(AMERICAN);

	(void)state;
	assert_int_equal(sms_rules_price(&conf, &german), 70000);
	assert_int_equal(sms_rules_price(&conf, &british), 200000);
	assert_int_equal(sms_rules_price(&conf, &american), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_listed_countries_get_messages),
		cmocka_unit_test(what_is_denied_stays_denied),
		cmocka_unit_test(a_country_is_not_its_calling_code),
		cmocka_unit_test(premium_numbers_are_refused_unless_permitted),
		cmocka_unit_test(numbers_of_no_country_must_be_named),
		cmocka_unit_test(the_nearest_originators_are_taken),
		cmocka_unit_test(a_number_keeps_its_originator_and_all_are_used),
		cmocka_unit_test(amounts_are_read_exactly),
		cmocka_unit_test(prices_follow_the_same_order),
	};

	return cmocka_run_group_tests_name("sms/sms_rules", tests, NULL, NULL);
}

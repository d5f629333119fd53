#include "identity/source/ldap_filter.h"

#include "identity/source/source_conf.h"
#include "shared/core/str.h"
#include "shared/threepid/threepid.h"
#include "tests/support/store_fixture.h"

static char filter[] = "(objectClass=person)", changed[] = "modifyTimestamp", mail[] = "mail",
	    alias[] = "alias", mobile[] = "mobile";
static char *emails[] = { mail, alias }, *phones[] = { mobile };

static const struct source_conf conf = {
	.filter = filter,
	.changed = changed,
	.email = emails,
	.email_count = 2,
	.msisdn = phones,
	.msisdn_count = 1,
};

static void assert_value(struct mx_slice value, const char *escaped)
{
	mx_str_auto made = { 0 };

	ldap_filter_add_value(&made, value);
	assert_string_equal(made.ptr, escaped);
}

/* Spec: RFC 4515, section 3. */
static void what_means_something_in_a_filter_is_escaped(void **state)
{
	(void)state;
	assert_value(MX_SLICE("ann.b-c_d+e@example.com"), "ann.b-c_d+e@example.com");
	assert_value(MX_SLICE("*"), "\\2a");
	assert_value(MX_SLICE(")(uid=*"), "\\29\\28uid\\3d\\2a");
	assert_value(MX_SLICE("a\\b"), "a\\5cb");
	assert_value(MX_SLICE("a\0b"), "a\\00b");
	assert_value(MX_SLICE("\xc3\xa4"), "\\c3\\a4");
	assert_value(MX_SLICE("&|!<>~ \n"), "\\26\\7c\\21\\3c\\3e\\7e\\20\\0a");
}

static void every_byte_comes_back_as_itself(void **state)
{
	mx_str_auto made = { 0 };
	char all[256];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	ldap_filter_add_value(&made, mx_slice_of(all, sizeof(all)));
	assert_null(strpbrk(made.ptr, "*()&|!=<>~ "));
	for (size_t i = 0, at = 0; i < sizeof(all); i++) {
		char digits[3] = { 0 };

		if (made.ptr[at] != '\\') {
			assert_int_equal((unsigned char)made.ptr[at++], i);
			continue;
		}
		memcpy(digits, made.ptr + at + 1, 2);
		assert_int_equal(strtol(digits, NULL, 16), i);
		at += 3;
	}
}

static void an_address_is_looked_for_in_all_its_attributes(void **state)
{
	const struct threepid threepids[] = { { "email", "ann@example.com" },
					      { "msisdn", "447700900001" } };
	mx_str_auto made = { 0 };

	(void)state;
	assert_true(ldap_filter_of(&made, &conf, threepids, 2));
	assert_string_equal(made.ptr,
			    "(&(objectClass=person)(|(mail=ann@example.com)(alias=ann@example.com)"
			    "(mobile=+447700900001)(mobile=447700900001)))");
}

static void an_address_stays_a_value(void **state)
{
	const struct threepid evil = { "email", "x)(|(uid=*" };
	mx_str_auto made = { 0 };

	(void)state;
	assert_true(ldap_filter_of(&made, &conf, &evil, 1));
	assert_string_equal(made.ptr, "(&(objectClass=person)(|(mail=x\\29\\28\\7c\\28uid\\3d\\2a)"
				      "(alias=x\\29\\28\\7c\\28uid\\3d\\2a)))");
}

static void a_medium_without_attributes_is_not_asked_for(void **state)
{
	struct source_conf only_phones = conf;
	const struct threepid ann = { "email", "ann@example.com" };
	mx_str_auto made = { 0 };

	(void)state;
	only_phones.email_count = 0;
	assert_false(ldap_filter_of(&made, &only_phones, &ann, 1));
}

static void everybody_is_who_has_an_address(void **state)
{
	mx_str_auto all = { 0 };
	mx_str_auto later = { 0 };

	(void)state;
	ldap_filter_all(&all, &conf, "");
	assert_string_equal(all.ptr, "(&(objectClass=person)(|(mail=*)(alias=*)(mobile=*)))");
	ldap_filter_all(&later, &conf, "20261121180000Z");
	assert_string_equal(later.ptr, "(&(objectClass=person)(modifyTimestamp>=20261121180000Z)"
				       "(|(mail=*)(alias=*)(mobile=*)))");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_means_something_in_a_filter_is_escaped),
		cmocka_unit_test(every_byte_comes_back_as_itself),
		cmocka_unit_test(an_address_is_looked_for_in_all_its_attributes),
		cmocka_unit_test(an_address_stays_a_value),
		cmocka_unit_test(a_medium_without_attributes_is_not_asked_for),
		cmocka_unit_test(everybody_is_who_has_an_address),
	};

	return cmocka_run_group_tests_name("ldap_filter", tests, NULL, NULL);
}

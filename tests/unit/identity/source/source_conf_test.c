/* Entries as they stand in a configuration. */
#include "identity/source/source_conf.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

static const cyaml_schema_value_t list = {
	CYAML_VALUE_SEQUENCE(CYAML_FLAG_POINTER, struct source_conf, &source_item, 0, 100),
};

static const cyaml_config_t reading = {
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR + 1,
};

#define LDAP                                                         \
	"- name: staff\n  type: ldap\n  url: ldaps://ldap.example\n" \
	"  user_id: \"@{uid}:example.org\"\n  base: ou=people\n"
#define HTTP                                                                  \
	"- name: intranet\n  type: http\n  url: https://known.example/bulk\n" \
	"  user_id: \"@{localpart}:example.org\"\n"

struct entries {
	struct source_conf *items;
	unsigned len;
	int rc;
	struct mx_error err;
};

static struct entries check(const char *text)
{
	struct entries made = { 0 };

	assert_int_equal(cyaml_load_data((const uint8_t *)text, strlen(text), &reading, &list,
					 (cyaml_data_t **)&made.items, &made.len),
			 CYAML_OK);
	made.rc = source_conf_check(made.items, made.len, &made.err);
	return made;
}

static void done(struct entries *entries)
{
	cyaml_free(&reading, &list, entries->items, entries->len);
}

static void a_directory_has_defaults(void **state)
{
	struct entries made = check(LDAP HTTP);
	const struct source_conf *ldap = &made.items[0], *http = &made.items[1];

	(void)state;
	assert_int_equal(made.rc, 0);
	assert_string_equal(ldap->filter, "(objectClass=person)");
	assert_string_equal(ldap->changed, "modifyTimestamp");
	assert_string_equal(ldap->email[0], "mail");
	assert_int_equal(ldap->email_count, 1);
	assert_int_equal(ldap->tls, SOURCE_STARTTLS);
	assert_true(*ldap->read && !*ldap->live);
	assert_true(!*http->read && *http->live);
	assert_int_equal(http->timeout_ms, 2000);
	assert_null(http->filter);
	done(&made);
}

static void one_that_has_phone_numbers_need_not_have_addresses(void **state)
{
	struct entries made = check(LDAP "  msisdn: [ mobile ]\n");

	(void)state;
	assert_int_equal(made.rc, 0);
	assert_int_equal(made.items[0].email_count, 0);
	done(&made);
}

static void refused(const char *text, const char *because)
{
	struct entries made = check(text);

	assert_int_equal(made.rc, -MX_BAD_CONFIG);
	assert_non_null(strstr(made.err.text, because));
	done(&made);
}

static void what_cannot_work_is_refused(void **state)
{
	(void)state;
	refused("- name: \"a b\"\n  type: ldap\n  url: ldap://x\n  user_id: \"{a}\"\n", "name");
	refused(LDAP LDAP, "two of that name");
	refused(LDAP "  user: cn=reader\n", "password_file");
	refused(LDAP "  timeout_ms: 99\n", "timeout_ms");
	refused(LDAP "  connections: 17\n", "connections");
	refused(LDAP "  refresh_minutes: 10081\n", "refresh_minutes");
	refused(LDAP "  addresses_max: 10000001\n", "addresses_max");
	refused(LDAP "  filter: uid=*\n", "filter");
	refused(LDAP "  email: [ \"mail)(uid=*\" ]\n", "attribute");
	refused(LDAP "  msisdn: [ \"a b\" ]\n", "attribute");
	refused(LDAP "  changed: \"x>\"\n", "attribute");
	refused(LDAP "  read: false\n", "neither");
	refused(LDAP "  allow: [ 10.0.0.0/8 ]\n", "allow");
	refused("- name: a\n  type: ldap\n  url: http://x\n  user_id: \"{a}\"\n  base: x\n", "url");
	refused("- name: a\n  type: ldap\n  url: ldap://x\n  user_id: \"{a}\"\n", "base");
	refused("- name: a\n  type: ldap\n  url: ldap://x\n  user_id: a\n  base: x\n", "user_id");
	refused("- name: a\n  type: ldap\n  url: \"ldap://x ldap://y\"\n  user_id: \"{a}\"\n"
		"  base: x\n",
		"url");
	refused(HTTP "  read: true\n", "cannot be read");
	refused(HTTP "  live: false\n", "live");
	refused(HTTP "  filter: (a=b)\n", "LDAP");
	refused(HTTP "  allow: [ here ]\n", "here");
	refused("- name: a\n  type: http\n  url: ldap://x\n  user_id: \"{a}\"\n", "url");
}

static void there_are_not_many(void **state)
{
	mx_str_auto text = { 0 };

	(void)state;
	for (int i = 0; i <= SOURCES_MAX; i++)
		mx_str_addf(&text,
			    "- name: s%d\n  type: http\n  url: https://x\n"
			    "  user_id: \"{a}\"\n",
			    i);
	refused(text.ptr, "at most 8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_has_defaults),
		cmocka_unit_test(one_that_has_phone_numbers_need_not_have_addresses),
		cmocka_unit_test(what_cannot_work_is_refused),
		cmocka_unit_test(there_are_not_many),
	};

	return cmocka_run_group_tests_name("source_conf", tests, NULL, NULL);
}

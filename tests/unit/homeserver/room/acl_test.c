#include "homeserver/room/acl.h"

#include "shared/core/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static bool allows(const char *acl, const char *server)
{
	json_auto_t *content = json_loads(acl, 0, NULL);

	assert_non_null(content);
	return acl_allows(content, mx_slice(server));
}

static int check(const char *acl)
{
	json_auto_t *content = json_loads(acl, 0, NULL);

	assert_non_null(content);
	return acl_check(content, "here.test:8448", NULL);
}

static void what_is_not_allowed_is_denied(void **state)
{
	(void)state;
	assert_true(allows("{\"allow\": [\"*\"]}", "a.test"));
	assert_false(allows("{}", "a.test"));
	assert_false(allows("{\"allow\": [\"b.test\"]}", "a.test"));
	assert_true(allows("{\"allow\": [\"?.test\"]}", "a.test"));
}

static void denying_is_stronger(void **state)
{
	const char *acl = "{\"allow\": [\"*\"], \"deny\": [\"*.evil.test\", \"bad.test\", 3]}";

	(void)state;
	assert_true(allows(acl, "evil.test"));
	assert_false(allows(acl, "very.evil.test"));
	assert_false(allows(acl, "bad.test"));
}

static void neither_case_nor_port_gets_around_it(void **state)
{
	const char *acl = "{\"allow\": [\"*\"], \"deny\": [\"BAD.test\"]}";

	(void)state;
	assert_false(allows(acl, "bad.TEST"));
	assert_false(allows(acl, "bad.test:443"));
}

static void addresses_may_be_kept_out_altogether(void **state)
{
	const char *acl = "{\"allow\": [\"*\"], \"allow_ip_literals\": false}";

	(void)state;
	assert_false(allows(acl, "127.0.0.1"));
	assert_false(allows(acl, "[::1]:8448"));
	assert_true(allows(acl, "a.test"));
	assert_false(allows("{\"allow\": [\"*\"], \"deny\": [\"[::1]\"]}", "[::1]"));
}

static void what_is_no_name_is_nobody(void **state)
{
	(void)state;
	assert_false(allows("{\"allow\": [\"*\"]}", "a b"));
}

static void nobody_shuts_their_own_server_out(void **state)
{
	(void)state;
	assert_int_equal(check("{\"allow\": [\"*\"], \"deny\": [\"there.test\"]}"), 0);
	assert_int_equal(check("{\"allow\": [\"*\"], \"deny\": [\"here.test\"]}"), -MX_BAD_JSON);
	assert_int_equal(check("{\"deny\": []}"), -MX_BAD_JSON);
}

/* What an event may hold: more is looked at for nobody. */
static void a_huge_list_has_an_end(void **state)
{
	json_auto_t *content = json_pack("{s:[s], s:[]}", "allow", "*", "deny");
	json_t *deny = json_object_get(content, "deny");

	(void)state;
	for (int i = 0; i < 9999; i++)
		json_array_append_new(deny, json_string("*a*a*a*a*a*a*a*b"));
	json_array_append_new(deny, json_string("last.test"));
	json_array_append_new(deny, json_string("behind.test"));
	assert_false(acl_allows(content, MX_SLICE("last.test")));
	assert_true(acl_allows(content, MX_SLICE("behind.test")));
}

static void lists_are_lists_of_strings(void **state)
{
	(void)state;
	assert_int_equal(check("{\"allow\": \"*\"}"), -MX_BAD_JSON);
	assert_int_equal(check("{\"allow\": [\"*\", 3]}"), -MX_BAD_JSON);
	assert_int_equal(check("{\"allow\": [\"*\"], \"allow_ip_literals\": 1}"), -MX_BAD_JSON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_allowed_is_denied),
		cmocka_unit_test(denying_is_stronger),
		cmocka_unit_test(neither_case_nor_port_gets_around_it),
		cmocka_unit_test(addresses_may_be_kept_out_altogether),
		cmocka_unit_test(what_is_no_name_is_nobody),
		cmocka_unit_test(nobody_shuts_their_own_server_out),
		cmocka_unit_test(a_huge_list_has_an_end),
		cmocka_unit_test(lists_are_lists_of_strings),
	};

	return cmocka_run_group_tests_name("room/acl", tests, NULL, NULL);
}

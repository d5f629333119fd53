/* What the schemas of key queries say about bodies that clients may send. */
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "shared/schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int check(const char *schema, const char *text)
{
	mx_arena_auto *mem = mx_arena_new(0);
	json_t *json = NULL;
	int rc;

	assert_int_equal(mx_json_parse(mx_slice(text), &mx_json_default_limits, mem, &json, NULL),
			 0);
	rc = mx_schema_check(mx_schema_find(schema), json, NULL);
	json_decref(json);
	return rc;
}

static int query(const char *text)
{
	return check("notary/query", text);
}

static void queries_are_accepted(void **state)
{
	(void)state;
	assert_int_equal(query("{\"server_keys\":{}}"), 0);
	assert_int_equal(query("{\"server_keys\":{\"example.org\":{}}}"), 0);
	assert_int_equal(query("{\"server_keys\":{\"[::1]:8448\":{\"\":{}}}}"), 0);
	assert_int_equal(
		query("{\"server_keys\":{\"h\":{\"rsa:x y\":{}},\"H\":{\"k\":{}}},\"x\":1}"), 0);
}

static void any_integer_or_null_is_a_minimum(void **state)
{
	const char *const values[] = { "null", "0", "-1", "1000000000000000000",
				       "9223372036854775807" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		mx_str_auto text = { 0 };

		mx_str_addf(&text,
			    "{\"server_keys\":{\"h\":{\"ed25519:1\":"
			    "{\"minimum_valid_until_ts\":%s}}}}",
			    values[i]);
		assert_int_equal(query(text.ptr), 0);
	}
}

static void other_minimums_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
		query("{\"server_keys\":{\"h\":{\"k\":{\"minimum_valid_until_ts\":\"5\"}}}}"),
		-MX_BAD_JSON);
	assert_int_equal(
		query("{\"server_keys\":{\"h\":{\"k\":{\"minimum_valid_until_ts\":1.5}}}}"),
		-MX_BAD_JSON);
	assert_int_equal(query("{\"server_keys\":{\"h\":{\"k\":{\"minimum_valid_until_ts\":{}}}}}"),
			 -MX_BAD_JSON);
}

static void queries_of_another_shape_are_refused(void **state)
{
	(void)state;
	assert_int_equal(query("[]"), -MX_BAD_JSON);
	assert_int_equal(query("null"), -MX_BAD_JSON);
	assert_int_equal(query("{\"server_keys\":[]}"), -MX_BAD_JSON);
	assert_int_equal(query("{\"server_keys\":null}"), -MX_BAD_JSON);
	assert_int_equal(query("{\"server_keys\":{\"h\":[]}}"), -MX_BAD_JSON);
	assert_int_equal(query("{\"server_keys\":{\"h\":{\"k\":5}}}"), -MX_BAD_JSON);
}

static void at_most_10000_servers_are_asked_for(void **state)
{
	mx_str_auto text = { 0 };

	(void)state;
	mx_str_add_text(&text, "{\"server_keys\":{");
	for (int i = 1; i <= 10000; i++)
		mx_str_addf(&text, "\"s%d\":{}%s", i, i < 10000 ? "," : "}}");
	assert_int_equal(query(text.ptr), 0);
	text.len -= 2;
	mx_str_add_text(&text, ",\"s0\":{}}}");
	assert_int_equal(query(text.ptr), -MX_TOO_LARGE);
}

static void answers_have_their_shape(void **state)
{
	static const char object[] =
		"{\"server_name\":\"h\",\"valid_until_ts\":1,\"old_verify_keys\":{},"
		"\"verify_keys\":{\"ed25519:1\":{\"key\":\"aaaa\"}},"
		"\"signatures\":{\"h\":{\"ed25519:1\":\"aaaa\"}}}";
	mx_str_auto reply = { 0 };

	(void)state;
	mx_str_addf(&reply, "{\"server_keys\":[%s]}", object);
	assert_int_equal(check("server_keys.reply", object), 0);
	assert_int_equal(check("notary/query.reply", reply.ptr), 0);
	assert_int_equal(check("notary/query.reply", "{\"server_keys\":[]}"), 0);
	assert_int_equal(check("notary/query.reply", "{\"server_keys\":[{}]}"), -MX_MISSING_PARAM);
	assert_int_equal(check("server_keys.reply", "{\"server_name\":\"h\"}"), -MX_MISSING_PARAM);
	assert_int_equal(
		check("server_version.reply", "{\"server\":{\"name\":\"n\",\"version\":\"1\"}}"),
		0);
	assert_int_equal(check("server_version.reply", "{\"server\":{\"name\":\"n\"}}"),
			 -MX_MISSING_PARAM);
	assert_int_equal(check("error", "{\"errcode\":\"X_A\",\"error\":\"no\"}"), 0);
	assert_int_equal(check("error", "{\"error\":\"no\"}"), -MX_MISSING_PARAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_accepted),
		cmocka_unit_test(any_integer_or_null_is_a_minimum),
		cmocka_unit_test(other_minimums_are_refused),
		cmocka_unit_test(queries_of_another_shape_are_refused),
		cmocka_unit_test(at_most_10000_servers_are_asked_for),
		cmocka_unit_test(answers_have_their_shape),
	};
	return cmocka_run_group_tests_name("schema/key_bodies", tests, NULL, NULL);
}

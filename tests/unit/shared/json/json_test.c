#include "shared/json/json.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int parse(struct mx_slice text, json_t **ret_json)
{
	mx_arena_auto *mem = mx_arena_new(0);

	return mx_json_parse(text, &mx_json_default_limits, mem, ret_json, NULL);
}

static json_t *parsed(const char *text)
{
	json_t *json = NULL;

	assert_int_equal(parse(mx_slice(text), &json), 0);
	return json;
}

static int parse_code(const char *text)
{
	json_t *json = NULL;
	int rc = parse(mx_slice(text), &json);

	assert_true(rc == 0 || !json);
	json_decref(json);
	return rc;
}

static void members_are_read_by_type(void **state)
{
	json_t *json = parsed("{\"s\":\"text\",\"i\":-7,\"b\":true,\"o\":{},\"a\":[]}");

	(void)state;
	assert_string_equal(jstr(json, "s"), "text");
	assert_string_equal(jstr_or(json, "s", "other"), "text");
	assert_true(mx_slice_is(jslice(json, "s"), "text"));
	assert_int_equal(jint(json, "i", 3), -7);
	assert_true(jbool(json, "b", false));
	assert_ptr_equal(jobj(json, "o"), json_object_get(json, "o"));
	assert_ptr_equal(jarr(json, "a"), json_object_get(json, "a"));
	json_decref(json);
}

static void absent_and_mistyped_members_give_the_default(void **state)
{
	json_t *json = parsed("{\"s\":\"text\",\"i\":-7,\"r\":1.0,\"n\":null}");
	const char *const keys[] = { "absent", "r", "n" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_null(jstr(json, keys[i]));
		assert_string_equal(jstr_or(json, keys[i], "other"), "other");
		assert_null(jslice(json, keys[i]).ptr);
		assert_int_equal(jslice(json, keys[i]).len, 0);
		assert_int_equal(jint(json, keys[i], 3), 3);
		assert_true(jbool(json, keys[i], true));
		assert_null(jobj(json, keys[i]));
		assert_null(jarr(json, keys[i]));
	}
	assert_null(jobj(json, "s"));
	assert_null(jarr(json, "s"));
	assert_null(jstr(json, "i"));
	assert_null(jstr(NULL, "s"));
	json_decref(json);
}

static void a_nul_in_a_value_is_kept(void **state)
{
	json_t *json = parsed("{\"s\":\"a\\u0000b\"}");

	(void)state;
	assert_int_equal(jslice(json, "s").len, 3);
	assert_memory_equal(jslice(json, "s").ptr, "a\0b", 4);
	json_decref(json);
}

static void a_nul_in_a_key_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_code("{\"a\\u0000b\":1}"), -MX_BAD_JSON);
}

static void integers_beyond_64_bits_are_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_code("[9223372036854775807,-9223372036854775808]"), 0);
	assert_int_equal(parse_code("9223372036854775808"), -MX_BAD_JSON);
	assert_int_equal(parse_code("[-9223372036854775809]"), -MX_BAD_JSON);
}

static void a_real_beyond_all_limits_is_not_json(void **state)
{
	(void)state;
	assert_int_equal(parse_code("1e400"), -MX_NOT_JSON);
	assert_int_equal(parse_code("1e300"), 0);
}

static void what_the_scanner_refuses_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_code("{\"a\":1,\"a\":1}"), -MX_BAD_JSON);
	assert_int_equal(parse_code("{"), -MX_NOT_JSON);
	assert_int_equal(parse_code(""), -MX_NOT_JSON);
}

static void levels_that_jansson_cannot_hold_are_refused(void **state)
{
	const struct mx_json_limits limits = { .bytes = 10000, .nodes = 10000, .depth = 10000 };
	mx_arena_auto *mem = mx_arena_new(0);
	mx_str_auto text = { 0 };
	json_t *json;

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		mx_str_add_char(&text, '[');
	for (unsigned i = 0; i < 3000; i++)
		mx_str_add_char(&text, ']');
	assert_int_equal(mx_json_parse(mx_str_slice(&text), &limits, mem, &json, NULL),
			 -MX_BAD_JSON);
}

static void text_is_compact(void **state)
{
	json_t *json = parsed("{ \"a\" : [ 1 , 2 ] }");
	mx_autofree char *text = mx_json_text(json), *scalar = mx_json_text(json_null());

	(void)state;
	assert_string_equal(text, "{\"a\":[1,2]}");
	assert_string_equal(scalar, "null");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_read_by_type),
		cmocka_unit_test(absent_and_mistyped_members_give_the_default),
		cmocka_unit_test(a_nul_in_a_value_is_kept),
		cmocka_unit_test(a_nul_in_a_key_is_refused),
		cmocka_unit_test(integers_beyond_64_bits_are_refused),
		cmocka_unit_test(a_real_beyond_all_limits_is_not_json),
		cmocka_unit_test(what_the_scanner_refuses_is_refused),
		cmocka_unit_test(levels_that_jansson_cannot_hold_are_refused),
		cmocka_unit_test(text_is_compact),
	};
	mx_alloc_hook_jansson();
	return cmocka_run_group_tests_name("json/json", tests, NULL, NULL);
}

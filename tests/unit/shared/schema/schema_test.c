#include "shared/schema/schema.h"

#include "shared/core/error.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static json_t *json_of(const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	assert_non_null(json);
	return json;
}

static struct mx_schema *compiled(const char *text)
{
	struct mx_error err = { 0 };
	json_t *json = json_of(text);
	struct mx_schema *schema = mx_schema_compile(json, &err);

	json_decref(json);
	assert_string_equal(err.text, "");
	assert_non_null(schema);
	return schema;
}

/* The check's code; its text goes to err. */
static int check_text(const char *schema_text, const char *text, struct mx_error *err)
{
	struct mx_schema *schema = compiled(schema_text);
	json_t *json = json_of(text);
	int rc = mx_schema_check(schema, json, err);

	json_decref(json);
	mx_schema_free(schema);
	return rc;
}

static int check(const char *schema_text, const char *text)
{
	return check_text(schema_text, text, NULL);
}

static void types_are_told_apart(void **state)
{
	const char *const types[] = { "null",   "boolean", "integer", "number",
				      "string", "array",   "object" };
	const char *const values[] = { "null", "true", "1", "1.5", "\"x\"", "[]", "{}" };

	(void)state;
	for (size_t type = 0; type < 7; type++) {
		mx_str_auto schema = { 0 };

		mx_str_addf(&schema, "{\"type\":\"%s\"}", types[type]);
		for (size_t i = 0; i < 7; i++) {
			bool fits = i == type || (type == 3 && i == 2);

			assert_int_equal(check(schema.ptr, values[i]), fits ? 0 : -MX_BAD_JSON);
		}
	}
}

static void a_list_of_types_allows_each(void **state)
{
	struct mx_error err;

	(void)state;
	assert_int_equal(check("{\"type\":[\"integer\",\"null\"]}", "null"), 0);
	assert_int_equal(check("{\"type\":[\"integer\",\"null\"]}", "1"), 0);
	assert_int_equal(check_text("{\"type\":[\"number\",\"null\"]}", "\"1\"", &err),
			 -MX_BAD_JSON);
	assert_string_equal(err.text, "The JSON must be a number or null");
}

static void an_empty_schema_allows_everything(void **state)
{
	(void)state;
	assert_int_equal(check("{}", "{\"a\":[1,null,{\"b\":1.5}]}"), 0);
}

static void required_members_must_be_there(void **state)
{
	struct mx_error err;

	(void)state;
	assert_int_equal(check("{\"required\":[\"a\"]}", "{\"a\":null}"), 0);
	assert_int_equal(check_text("{\"required\":[\"a\",\"b/c\"]}", "{\"a\":1}", &err),
			 -MX_MISSING_PARAM);
	assert_string_equal(err.text, "/b~1c is missing");
	assert_int_equal(check("{\"required\":[\"a\"]}", "[]"), 0);
}

static void members_and_items_are_checked_at_any_depth(void **state)
{
	static const char schema[] =
		"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":{\"type\":\"string\"}}}}}}";
	struct mx_error err;

	(void)state;
	assert_int_equal(check(schema, "{\"a\":[{\"b\":\"x\"},{\"c\":1},7],\"d\":0}"), 0);
	assert_int_equal(check_text(schema, "{\"d\":[],\"a\":[{\"b\":\"x\"},{\"b\":1}]}", &err),
			 -MX_BAD_JSON);
	assert_string_equal(err.text, "/a/1/b must be a string");
}

static void other_members_are_refused_or_checked(void **state)
{
	static const char closed[] = "{\"properties\":{\"a\":{}},\"additionalProperties\":false}";
	static const char open[] = "{\"properties\":{\"a\":{}},\"additionalProperties\":true}";
	static const char typed[] = "{\"properties\":{\"a\":{}},"
				    "\"additionalProperties\":{\"type\":\"integer\"}}";
	struct mx_error err;

	(void)state;
	assert_int_equal(check(closed, "{\"a\":1}"), 0);
	assert_int_equal(check_text(closed, "{\"~\":1}", &err), -MX_BAD_JSON);
	assert_string_equal(err.text, "/~0 is not known here");
	assert_int_equal(check(open, "{\"b\":1}"), 0);
	assert_int_equal(check(typed, "{\"a\":null,\"b\":1}"), 0);
	assert_int_equal(check(typed, "{\"b\":null}"), -MX_BAD_JSON);
}

static void names_of_members_are_checked(void **state)
{
	static const char schema[] =
		"{\"propertyNames\":{\"format\":\"mx-server-name\",\"maxLength\":9}}";

	(void)state;
	assert_int_equal(check(schema, "{\"a.b\":1,\"h:1\":2}"), 0);
	assert_int_equal(check(schema, "{\"a.b\":1,\"a_b\":2}"), -MX_INVALID_PARAM);
	assert_int_equal(check(schema, "{\"0123456789\":1}"), -MX_TOO_LARGE);
}

static void sizes_are_limited(void **state)
{
	(void)state;
	assert_int_equal(check("{\"maxItems\":2}", "[1,2]"), 0);
	assert_int_equal(check("{\"maxItems\":2}", "[1,2,3]"), -MX_TOO_LARGE);
	assert_int_equal(check("{\"minItems\":1}", "[]"), -MX_INVALID_PARAM);
	assert_int_equal(check("{\"maxProperties\":1}", "{\"a\":1}"), 0);
	assert_int_equal(check("{\"maxProperties\":1}", "{\"a\":1,\"b\":1}"), -MX_TOO_LARGE);
}

static void lengths_are_counted_in_code_points(void **state)
{
	(void)state;
	assert_int_equal(check("{\"maxLength\":2}", "\"\xC3\xA9\xF0\x9F\x98\x80\""), 0);
	assert_int_equal(check("{\"maxLength\":2}", "\"abc\""), -MX_TOO_LARGE);
	assert_int_equal(check("{\"minLength\":2}", "\"\xC3\xA9\""), -MX_INVALID_PARAM);
}

/* C would read half of it. What is not described may hold anything. */
static void a_text_holds_no_nul(void **state)
{
	(void)state;
	assert_int_equal(check("{\"type\":\"string\"}", "\"a\\u0000b\""), -MX_INVALID_PARAM);
	assert_int_equal(check("{\"type\":[\"string\",\"null\"]}", "\"\\u0000\""),
			 -MX_INVALID_PARAM);
	assert_int_equal(check("{\"items\":{\"type\":\"string\"}}", "[\"a\", \"a\\u0000\"]"),
			 -MX_INVALID_PARAM);
	assert_int_equal(check("{\"type\":\"object\"}", "{\"other\":\"a\\u0000\"}"), 0);
}

static void numbers_are_limited(void **state)
{
	static const char schema[] = "{\"minimum\":0,\"maximum\":10}";

	(void)state;
	assert_int_equal(check(schema, "0"), 0);
	assert_int_equal(check(schema, "10"), 0);
	assert_int_equal(check(schema, "-1"), -MX_INVALID_PARAM);
	assert_int_equal(check(schema, "11"), -MX_INVALID_PARAM);
	assert_int_equal(check(schema, "10.5"), -MX_INVALID_PARAM);
	assert_int_equal(check(schema, "\"x\""), 0);
}

static void values_must_be_among_the_choices(void **state)
{
	(void)state;
	assert_int_equal(check("{\"enum\":[\"a\",{\"b\":1}]}", "{\"b\":1}"), 0);
	assert_int_equal(check("{\"enum\":[\"a\",{\"b\":1}]}", "\"b\""), -MX_INVALID_PARAM);
	assert_int_equal(check("{\"const\":null}", "null"), 0);
	assert_int_equal(check("{\"const\":null}", "0"), -MX_INVALID_PARAM);
}

static void every_format_is_checked(void **state)
{
	static const struct {
		const char *format, *good, *bad;
	} formats[] = {
		{ "mx-user-id", "\"@a:h\"", "\"@a\"" },
		{ "mx-room-id", "\"!a:h\"", "\"#a:h\"" },
		{ "mx-event-id", "\"$a\"", "\"$\"" },
		{ "mx-alias", "\"#a:h\"", "\"#a\"" },
		{ "mx-server-name", "\"h:1\"", "\"h:0\"" },
		{ "mx-key-id", "\"ed25519:1\"", "\"ed25519\"" },
		{ "mx-base64", "\"/-aa\"", "\"a\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		mx_str_auto schema = { 0 };

		mx_str_addf(&schema, "{\"format\":\"%s\"}", formats[i].format);
		assert_int_equal(check(schema.ptr, formats[i].good), 0);
		assert_int_equal(check(schema.ptr, formats[i].bad), -MX_INVALID_PARAM);
		assert_int_equal(check(schema.ptr, "\"\\u0000\""), -MX_INVALID_PARAM);
	}
}

static void references_are_followed(void **state)
{
	static const char tree[] = "{\"$ref\":\"#/$defs/tree\",\"$defs\":{}}";
	static const char recursive[] = "{\"properties\":{\"left\":{\"$ref\":\"#\"},"
					"\"name\":{\"$ref\":\"#/$defs/name\"}},"
					"\"additionalProperties\":false,"
					"\"$defs\":{\"name\":{\"$ref\":\"#/$defs/text\"},"
					"\"text\":{\"type\":\"string\"}}}";
	json_t *json = json_of(tree);

	(void)state;
	assert_int_equal(check(recursive, "{\"left\":{\"left\":{\"name\":\"x\"}}}"), 0);
	assert_int_equal(check(recursive, "{\"left\":{\"left\":{\"name\":1}}}"), -MX_BAD_JSON);
	assert_int_equal(check(recursive, "{\"left\":{\"left\":{\"right\":1}}}"), -MX_BAD_JSON);
	assert_int_equal(check("{\"items\":{\"$ref\":\"types.json#/$defs/timestamp\"}}", "[1]"), 0);
	assert_int_equal(check("{\"items\":{\"$ref\":\"types.json#/$defs/timestamp\"}}", "[null]"),
			 -MX_BAD_JSON);
	assert_null(mx_schema_compile(json, NULL));
	json_decref(json);
}

static void unusable_schemas_are_refused(void **state)
{
	static const char circular[] = "{\"items\":{\"$ref\":\"#/$defs/a\"},"
				       "\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},"
				       "\"b\":{\"$ref\":\"#/$defs/a\"}}}";
	const char *const texts[] = {
		"{\"typ\":\"string\"}",
		"{\"type\":\"text\"}",
		"{\"type\":[]}",
		"{\"type\":1}",
		"{\"format\":\"date\"}",
		"{\"maxItems\":-1}",
		"{\"maxLength\":\"1\"}",
		"{\"minimum\":1.5}",
		"{\"required\":\"a\"}",
		"{\"required\":[1]}",
		"{\"enum\":[]}",
		"{\"properties\":[]}",
		"{\"properties\":{\"a\":{\"b\":1}}}",
		"{\"items\":[]}",
		"{\"additionalProperties\":1}",
		"{\"$ref\":\"#\"}",
		"{\"items\":{\"$ref\":\"#/$defs/none\"}}",
		"{\"items\":{\"$ref\":\"none.json#\"}}",
		"{\"items\":{\"$ref\":\"types.json\"}}",
		"{\"items\":{\"$ref\":1}}",
		circular,
		"[]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *json = json_of(texts[i]);

		assert_null(mx_schema_compile(json, NULL));
		json_decref(json);
	}
}

static void long_places_are_cut_between_characters(void **state)
{
	mx_str_auto text = { 0 };
	struct mx_error err;

	(void)state;
	mx_str_add_text(&text, "{\"x");
	for (int i = 0; i < 500; i++)
		mx_str_add_text(&text, "\xE2\x82\xAC");
	mx_str_add_text(&text, "\":{\"deeper\":1}}");
	assert_int_equal(check_text("{\"additionalProperties\":{\"additionalProperties\":false}}",
				    text.ptr, &err),
			 -MX_BAD_JSON);
	assert_true(strlen(err.text) < 180);
	assert_true(mx_ends_with(err.text, "\xE2\x82\xAC\xE2\x80\xA6 is not known here"));
}

static void every_embedded_schema_is_usable(void **state)
{
	unsigned count = 0;

	(void)state;
	for (; mx_schema_name(count); count++) {
		const struct mx_schema *schema = mx_schema_find(mx_schema_name(count));

		assert_non_null(schema);
		assert_ptr_equal(schema, mx_schema_find(mx_schema_name(count)));
	}
	assert_true(count >= 6);
	assert_null(mx_schema_find("notary/none"));
	assert_null(mx_schema_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_told_apart),
		cmocka_unit_test(a_list_of_types_allows_each),
		cmocka_unit_test(an_empty_schema_allows_everything),
		cmocka_unit_test(required_members_must_be_there),
		cmocka_unit_test(members_and_items_are_checked_at_any_depth),
		cmocka_unit_test(other_members_are_refused_or_checked),
		cmocka_unit_test(names_of_members_are_checked),
		cmocka_unit_test(sizes_are_limited),
		cmocka_unit_test(lengths_are_counted_in_code_points),
		cmocka_unit_test(a_text_holds_no_nul),
		cmocka_unit_test(numbers_are_limited),
		cmocka_unit_test(values_must_be_among_the_choices),
		cmocka_unit_test(every_format_is_checked),
		cmocka_unit_test(references_are_followed),
		cmocka_unit_test(unusable_schemas_are_refused),
		cmocka_unit_test(long_places_are_cut_between_characters),
		cmocka_unit_test(every_embedded_schema_is_usable),
	};
	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}

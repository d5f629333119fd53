#include "shared/http/form.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/target.h"
#include "shared/json/json.h"
#include "tests/support/arena_fixture.h"

static json_t *read_form(struct mx_arena *mem, const char *text)
{
	json_t *object = json_object();

	assert_int_equal(form_read(mx_slice(text), mem, object, NULL), 0);
	return object;
}

static void assert_refused(struct mx_arena *mem, struct mx_slice text)
{
	json_auto_t *object = json_object();

	assert_int_equal(form_read(text, mem, object, NULL), -MX_INVALID_PARAM);
}

static void fields_are_decoded_strings(void **state)
{
	json_auto_t *form = read_form(*state, "email=a%2Bb%40c.d&name=Stra%C3%9Fe+1&empty=&flag");

	assert_string_equal(jstr(form, "email"), "a+b@c.d");
	assert_string_equal(jstr(form, "name"), "Straße 1");
	assert_string_equal(jstr(form, "empty"), "");
	assert_string_equal(jstr(form, "flag"), "");
	assert_int_equal(json_object_size(form), 4);
}

static void the_first_of_a_name_counts(void **state)
{
	json_auto_t *form = read_form(*state, "a=1&&a=2&b=x=y&");

	assert_string_equal(jstr(form, "a"), "1");
	assert_string_equal(jstr(form, "b"), "x=y");
	assert_int_equal(json_object_size(form), 2);
}

static void an_empty_form_has_no_fields(void **state)
{
	json_auto_t *form = read_form(*state, "");

	assert_int_equal(json_object_size(form), 0);
}

static void what_no_form_can_say_is_refused(void **state)
{
	mx_str_auto many = { 0 };

	assert_refused(*state, mx_slice("a=%zz"));
	assert_refused(*state, mx_slice("a=%00"));
	assert_refused(*state, mx_slice("%=1"));
	assert_refused(*state, mx_slice("a=\xff"));
	assert_refused(*state, MX_SLICE("a=1\0&b=2"));
	for (unsigned i = 0; i <= FORM_PAIRS_MAX; i++)
		mx_str_addf(&many, "a%u=1&", i);
	assert_refused(*state, mx_str_slice(&many));
}

static void the_query_gives_what_the_body_lacks(void **state)
{
	json_auto_t *form = read_form(*state, "a=body");
	const struct target_line line = { .raw = MX_SLICE("/x?a=query&b=%2B+&b=2") };
	struct target target;

	assert_int_equal(target_parse(&line, *state, &target, NULL), 0);
	form_fill(form, &target);
	assert_string_equal(jstr(form, "a"), "body");
	assert_string_equal(jstr(form, "b"), "++");
}

static bool is_json(const char *type, const char *body)
{
	return form_is_json(type ? mx_slice(type) : (struct mx_slice){ 0 }, mx_slice(body));
}

static void json_is_known_by_its_type_or_its_first_byte(void **state)
{
	(void)state;
	assert_true(is_json("application/json", "null"));
	assert_true(is_json("Application/JSON; charset=utf-8", "{}"));
	assert_true(is_json(NULL, " \r\n\t{\"a\":1}"));
	assert_true(is_json("application/x-www-form-urlencoded", "{\"a\":1}"));
	assert_true(is_json(NULL, "[]"));
	assert_true(is_json(NULL, "\"x\""));
	assert_false(is_json(NULL, "a=1"));
	assert_false(is_json("application/x-www-form-urlencoded", "a=1"));
	assert_false(is_json("application/json", ""));
	assert_false(is_json(NULL, "\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(fields_are_decoded_strings),
		arena_test(the_first_of_a_name_counts),
		arena_test(an_empty_form_has_no_fields),
		arena_test(what_no_form_can_say_is_refused),
		arena_test(the_query_gives_what_the_body_lacks),
		cmocka_unit_test(json_is_known_by_its_type_or_its_first_byte),
	};

	return cmocka_run_group_tests_name("http/form", tests, NULL, NULL);
}

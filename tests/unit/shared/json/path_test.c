#include "shared/json/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static json_t *event;

static int make_event(void **state)
{
	(void)state;
	event = json_pack("{s:{s:s, s:{s:i}, s:i, s:i, s:[i]}, s:i}", "content", "body", "hi",
			  "m.relates_to", "event.id", 1, "a\\b", 2, "", 3, "list", 4, "", 5);
	return event ? 0 : -1;
}

static int drop_event(void **state)
{
	(void)state;
	json_decref(event);
	return 0;
}

static int found_int(const char *path)
{
	const json_t *found = mx_json_path(event, path);

	return found ? (int)json_integer_value(found) : -1;
}

static void dots_lead_into_objects(void **state)
{
	(void)state;
	assert_string_equal(json_string_value(mx_json_path(event, "content.body")), "hi");
	assert_ptr_equal(mx_json_path(event, "content"), json_object_get(event, "content"));
}

static void escaped_dots_and_backslashes_belong_to_the_name(void **state)
{
	(void)state;
	assert_int_equal(found_int("content.m\\.relates_to.event\\.id"), 1);
	assert_int_equal(found_int("content.a\\\\b"), 2);
	assert_null(mx_json_path(event, "content.m.relates_to"));
}

static void other_escapes_mean_themselves(void **state)
{
	(void)state;
	assert_int_equal(found_int("content.a\\b"), 2);
	assert_null(mx_json_path(event, "content\\"));
}

static void empty_names_are_names(void **state)
{
	(void)state;
	assert_int_equal(found_int(""), 5);
	assert_int_equal(found_int("content."), 3);
	assert_null(mx_json_path(event, "content.."));
}

static void nothing_is_found_in_what_is_no_object(void **state)
{
	(void)state;
	assert_null(mx_json_path(event, "content.body.x"));
	assert_null(mx_json_path(event, "content.list.0"));
	assert_null(mx_json_path(event, "absent.body"));
	assert_null(mx_json_path(NULL, "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_lead_into_objects),
		cmocka_unit_test(escaped_dots_and_backslashes_belong_to_the_name),
		cmocka_unit_test(other_escapes_mean_themselves),
		cmocka_unit_test(empty_names_are_names),
		cmocka_unit_test(nothing_is_found_in_what_is_no_object),
	};
	return cmocka_run_group_tests_name("json/path", tests, make_event, drop_event);
}

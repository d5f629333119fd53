#include "homeserver/timeline/content_check.h"

#include "shared/core/error.h"
#include "shared/core/str.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static int check(const char *text)
{
	json_auto_t *content = json_loads(text, 0, NULL);

	assert_non_null(content);
	return content_check(content, NULL);
}

static void what_relates_to_nothing_is_fine(void **state)
{
	(void)state;
	assert_int_equal(check("{}"), 0);
	assert_int_equal(check("{\"m.relates_to\": {}}"), 0);
	assert_int_equal(check("{\"m.relates_to\": {\"m.in_reply_to\": {\"event_id\": \"$a\"}}}"),
			 0);
}

static void broken_relations_are_refused(void **state)
{
	static const char *const broken[] = {
		"{\"m.relates_to\": []}",
		"{\"m.relates_to\": null}",
		"{\"m.relates_to\": {\"rel_type\": 3, \"event_id\": \"$a\"}}",
		"{\"m.relates_to\": {\"rel_type\": \"m.thread\"}}",
		"{\"m.relates_to\": {\"rel_type\": \"m.thread\", \"event_id\": {}}}",
		"{\"m.relates_to\": {\"m.in_reply_to\": \"$a\"}}",
		"{\"m.relates_to\": {\"rel_type\": \"m.annotation\", \"event_id\": \"$a\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(check(broken[i]), -MX_BAD_JSON);
}

static void an_annotation_has_a_short_key(void **state)
{
	mx_str_auto text = { 0 };

	(void)state;
	mx_str_add_text(&text, "{\"m.relates_to\": {\"rel_type\": \"m.annotation\", "
			       "\"event_id\": \"$a\", \"key\": \"");
	for (unsigned i = 0; i < 501; i++)
		mx_str_add_char(&text, 'x');
	mx_str_add_text(&text, "\"}}");
	assert_int_equal(check(text.ptr), -MX_TOO_LARGE);
}

static void mentions_have_their_shape(void **state)
{
	(void)state;
	assert_int_equal(check("{\"m.mentions\": {\"user_ids\": [\"@a:b\"], \"room\": true}}"), 0);
	assert_int_equal(check("{\"m.mentions\": 3}"), -MX_BAD_JSON);
	assert_int_equal(check("{\"m.mentions\": {\"user_ids\": \"@a:b\"}}"), -MX_BAD_JSON);
	assert_int_equal(check("{\"m.mentions\": {\"user_ids\": [\"a\"]}}"), -MX_BAD_JSON);
	assert_int_equal(check("{\"m.mentions\": {\"room\": 1}}"), -MX_BAD_JSON);
}

static void the_relation_is_told(void **state)
{
	json_auto_t *content = json_loads("{\"m.relates_to\": {\"rel_type\": \"m.annotation\", "
					  "\"event_id\": \"$a\", \"key\": \"k\"}}",
					  0, NULL);
	struct content_relation relation = content_relation_of(content);

	(void)state;
	assert_string_equal(relation.type, "m.annotation");
	assert_string_equal(relation.event_id, "$a");
	assert_string_equal(relation.key, "k");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_relates_to_nothing_is_fine),
		cmocka_unit_test(broken_relations_are_refused),
		cmocka_unit_test(an_annotation_has_a_short_key),
		cmocka_unit_test(mentions_have_their_shape),
		cmocka_unit_test(the_relation_is_told),
	};

	return cmocka_run_group_tests_name("timeline/content_check", tests, NULL, NULL);
}

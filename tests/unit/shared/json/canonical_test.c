#include "shared/json/canonical.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int canonical_of(const char *text, const char *const *without, struct mx_str *out)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_json_doc doc;

	assert_int_equal(mx_json_scan(mx_slice(text), &mx_json_default_limits, mem, &doc, NULL), 0);
	return mx_canonical(&doc, 0, without, out, NULL);
}

static void assert_canonical(const char *text, const char *expected)
{
	mx_str_auto out = { 0 };

	assert_int_equal(canonical_of(text, NULL, &out), 0);
	assert_string_equal(out.ptr, expected);
}

static void assert_tree(json_t *json, const char *expected)
{
	mx_str_auto out = { 0 };

	assert_int_equal(mx_canonical_json(json, NULL, &out, NULL), 0);
	assert_string_equal(out.ptr, expected);
	json_decref(json);
}

static void blanks_go_and_members_are_sorted(void **state)
{
	(void)state;
	assert_canonical(
		" { \"b\" : [ 1 , { } , [ ] ] ,\n\t\"a\" : { \"z\" : null , \"\" : true } } ",
		"{\"a\":{\"\":true,\"z\":null},\"b\":[1,{},[]]}");
}

static void many_members_are_sorted(void **state)
{
	mx_str_auto text = { 0 }, expected = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		mx_str_addf(&text, "%s\"%03u\":%u", i ? "," : "{", i * 7 % 1000, i * 7 % 1000);
		mx_str_addf(&expected, "%s\"%03u\":%u", i ? "," : "{", i, i);
	}
	mx_str_add_char(&text, '}');
	mx_str_add_char(&expected, '}');
	assert_canonical(text.ptr, expected.ptr);
}

static void integers_keep_their_digits(void **state)
{
	(void)state;
	assert_canonical("[-0,0,9223372036854775807,123456789012345678901234567890]",
			 "[0,0,9223372036854775807,123456789012345678901234567890]");
}

static void reals_are_refused_and_nothing_is_appended(void **state)
{
	mx_str_auto out = { 0 };

	(void)state;
	mx_str_add_text(&out, "before");
	assert_int_equal(canonical_of("{\"a\":[1,2.0]}", NULL, &out), -MX_BAD_JSON);
	assert_int_equal(out.len, 6);
	assert_int_equal(canonical_of("[1]", NULL, &out), 0);
	assert_string_equal(out.ptr, "before[1]");
}

static void members_are_left_out_at_the_top_only(void **state)
{
	const char *const without[] = { "signatures", "unsigned", NULL };
	mx_str_auto out = { 0 };

	(void)state;
	assert_int_equal(canonical_of("{\"unsigned\":1,\"a\":{\"unsigned\":2},"
				      "\"sign\\u0061tures\":{\"x\":3}}",
				      without, &out),
			 0);
	assert_string_equal(out.ptr, "{\"a\":{\"unsigned\":2}}");
}

static void part_of_a_document_can_be_written(void **state)
{
	mx_arena_auto *mem = mx_arena_new(0);
	mx_str_auto out = { 0 };
	struct mx_json_doc doc;

	(void)state;
	assert_int_equal(mx_json_scan(MX_SLICE("{\"b\":{\"y\":1, \"x\":[ ]},\"a\":2}"),
				      &mx_json_default_limits, mem, &doc, NULL),
			 0);
	assert_int_equal(mx_canonical(&doc, mx_json_member(&doc, 0, "b"), NULL, &out, NULL), 0);
	assert_string_equal(out.ptr, "{\"x\":[],\"y\":1}");
}

static void strings_have_their_shortest_escapes(void **state)
{
	mx_str_auto out = { 0 };

	(void)state;
	mx_canonical_string(&out, MX_SLICE("\b\t\n\v\f\r\x1F\0\"\\/\x7F\xE2\x80\xA8"));
	assert_string_equal(out.ptr, "\"\\b\\t\\n\\u000b\\f\\r\\u001f\\u0000\\\"\\\\/\x7F"
				     "\xE2\x80\xA8\"");
}

static void trees_are_written_like_texts(void **state)
{
	(void)state;
	assert_tree(json_pack("{s:[i,{},n,b],s:{s:s,s:i}}", "b", 1, 1, "a", "z", "\v", "", -3),
		    "{\"a\":{\"\":-3,\"z\":\"\\u000b\"},\"b\":[1,{},null,true]}");
	assert_tree(json_array(), "[]");
	assert_tree(json_string("x"), "\"x\"");
}

static void trees_leave_members_out_at_the_top_only(void **state)
{
	const char *const without[] = { "a", NULL };
	json_t *json = json_pack("{s:i,s:{s:i}}", "a", 1, "b", "a", 2);
	mx_str_auto out = { 0 };

	(void)state;
	assert_int_equal(mx_canonical_json(json, without, &out, NULL), 0);
	assert_string_equal(out.ptr, "{\"b\":{\"a\":2}}");
	json_decref(json);
}

static int tree_code(json_t *json)
{
	mx_str_auto out = { 0 };
	int rc = mx_canonical_json(json, NULL, &out, NULL);

	assert_true(rc == 0 || out.len == 0);
	json_decref(json);
	return rc;
}

static void trees_may_hold_only_what_every_reader_holds_exactly(void **state)
{
	(void)state;
	assert_int_equal(tree_code(json_pack("[I]", (json_int_t)9007199254740991)), 0);
	assert_int_equal(tree_code(json_pack("[I]", (json_int_t)-9007199254740991)), 0);
	assert_int_equal(tree_code(json_pack("[I]", (json_int_t)9007199254740992)), -MX_BAD_JSON);
	assert_int_equal(tree_code(json_pack("[I]", (json_int_t)-9007199254740992)), -MX_BAD_JSON);
	assert_int_equal(tree_code(json_pack("{s:f}", "a", 1.0)), -MX_BAD_JSON);
}

/* Far deeper than a stack of function calls would bear. */
static void deep_nesting_takes_no_stack(void **state)
{
	const struct mx_json_limits limits = { .bytes = 1 << 23,
					       .nodes = 1 << 20,
					       .depth = 1 << 20 };
	mx_arena_auto *mem = mx_arena_new(0);
	mx_str_auto text = { 0 }, out = { 0 };
	struct mx_json_doc doc;

	(void)state;
	for (unsigned i = 0; i < 500000; i++)
		mx_str_add_text(&text, i % 2 ? "[" : "{\"\":");
	mx_str_add_text(&text, "0");
	for (unsigned i = 500000; i-- > 0;)
		mx_str_add_char(&text, i % 2 ? ']' : '}');
	assert_int_equal(mx_json_scan(mx_str_slice(&text), &limits, mem, &doc, NULL), 0);
	assert_int_equal(mx_canonical(&doc, 0, NULL, &out, NULL), 0);
	assert_true(mx_slice_eq(mx_str_slice(&out), mx_str_slice(&text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_go_and_members_are_sorted),
		cmocka_unit_test(many_members_are_sorted),
		cmocka_unit_test(integers_keep_their_digits),
		cmocka_unit_test(reals_are_refused_and_nothing_is_appended),
		cmocka_unit_test(members_are_left_out_at_the_top_only),
		cmocka_unit_test(part_of_a_document_can_be_written),
		cmocka_unit_test(strings_have_their_shortest_escapes),
		cmocka_unit_test(trees_are_written_like_texts),
		cmocka_unit_test(trees_leave_members_out_at_the_top_only),
		cmocka_unit_test(trees_may_hold_only_what_every_reader_holds_exactly),
		cmocka_unit_test(deep_nesting_takes_no_stack),
	};
	return cmocka_run_group_tests_name("json/canonical", tests, NULL, NULL);
}

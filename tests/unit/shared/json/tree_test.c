/* The tree of the scanner's slices is the one that jansson reads from the text. */
#include "shared/json/tree.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_same_tree(const char *text)
{
	mx_arena_auto *mem = mx_arena_new(0);
	json_t *ours = NULL, *janssons = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	assert_non_null(janssons);
	assert_int_equal(mx_json_parse(mx_slice(text), &mx_json_default_limits, mem, &ours, NULL),
			 0);
	assert_true(json_equal(ours, janssons));
	json_decref(ours);
	json_decref(janssons);
}

static void trees_are_janssons(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		" false ",
		"0",
		"-0",
		"-9223372036854775808",
		"1.5",
		"-0.0",
		"1e3",
		"1E-400",
		"\"\"",
		"\"a\"",
		"\"\\u0000\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\xc3\xa4\"",
		"[]",
		"{}",
		"[[]]",
		"[{}]",
		"{\"\":\"\"}",
		"{\"\":{\"\":[]}}",
		"[1,[2,[3],4],{\"a\":[],\"b\":{\"c\":null}},5]",
		"{\"a\":{},\"b\":[{}],\"c\":1,\"\\u0064\":{\"e\":[1,2]},\"f\":\"\\u00e4\"}",
		"[[[[]],[]],[]]",
		"{\"a\":[],\"b\":\"x\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_same_tree(texts[i]);
}

static void add_value(struct mx_str *text, unsigned depth);

static void add_members(struct mx_str *text, unsigned depth, bool keys)
{
	for (unsigned i = 0, len = mx_random_below(5); i < len; i++) {
		mx_str_add_text(text, i ? " ,\t" : "");
		if (keys)
			mx_str_addf(text, i % 2 ? "\"k\\u00%02x\" : " : "\"k%u\":", 0x30 + i);
		add_value(text, depth - 1);
	}
}

static void add_value(struct mx_str *text, unsigned depth)
{
	static const char *const leaves[] = { "null", "true",  "-12",     "3.25",
					      "\"\"", "\"x\"", "\"\\n\"", "0" };
	unsigned kind = mx_random_below(depth ? 4 : 1);

	if (kind < 2) {
		mx_str_add_text(text, leaves[mx_random_below(8)]);
		return;
	}
	mx_str_add_char(text, kind == 2 ? '[' : '{');
	add_members(text, depth, kind == 3);
	mx_str_add_char(text, kind == 2 ? ']' : '}');
}

static void random_trees_are_janssons(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		mx_str_auto text = { 0 };

		add_value(&text, 6);
		assert_same_tree(text.ptr);
	}
}

static void what_a_tree_cannot_hold_is_refused(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{ "[{\"a\":[1,{\"b\\u0000\":2}]}]", -MX_BAD_JSON },
		{ "{\"a\":[9223372036854775808]}", -MX_BAD_JSON },
		{ "[[1],1e999]", -MX_NOT_JSON },
	};
	mx_arena_auto *mem = mx_arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = NULL;

		assert_int_equal(mx_json_parse(mx_slice(rows[i].text), &mx_json_default_limits, mem,
					       &json, NULL),
				 rows[i].rc);
		assert_null(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_are_janssons),
		cmocka_unit_test(random_trees_are_janssons),
		cmocka_unit_test(what_a_tree_cannot_hold_is_refused),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}

#include "shared/json/scan.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/arena_fixture.h"

static int scan(const char *text, struct mx_json_doc *ret_doc)
{
	return mx_json_scan(mx_slice(text), &mx_json_default_limits, test_mem, ret_doc, NULL);
}

static int scan_within(const char *text, struct mx_json_limits limits)
{
	struct mx_json_doc doc;

	return mx_json_scan(mx_slice(text), &limits, test_mem, &doc, NULL);
}

/* The head, then the piece count times with its number in place of %u, then the tail. */
static struct mx_slice repeated(struct mx_str *text, const char *head, const char *piece,
				unsigned count, const char *tail)
{
	mx_str_clear(text);
	mx_str_add_text(text, head);
	for (unsigned i = 0; i < count; i++) {
		const char *number = strchr(piece, '#');

		if (!number) {
			mx_str_add_text(text, piece);
			continue;
		}
		mx_str_add(text, piece, (size_t)(number - piece));
		mx_str_addf(text, "%u%s", i, number + 1);
	}
	mx_str_add_text(text, tail);
	return mx_str_slice(text);
}

static void assert_raw(const struct mx_json_doc *doc, uint32_t node, const char *expected)
{
	struct mx_slice raw = mx_json_raw(doc, node);

	assert_int_equal(raw.len, strlen(expected));
	assert_memory_equal(raw.ptr, expected, raw.len);
}

static void every_value_becomes_a_node(void **state)
{
	struct mx_json_doc doc;

	(void)state;
	assert_int_equal(scan(" {\"a\" : [1, -2.5e+3,\"x\"], \"b\":{}, \"c\":null} ", &doc), 0);
	assert_int_equal(doc.nodes[0].count, 3);
	assert_int_equal(doc.nodes[0].end, 10);
	assert_int_equal(mx_json_type(&doc, 2), MX_JSON_ARRAY);
	assert_int_equal(doc.nodes[2].count, 3);
	assert_int_equal(mx_json_type(&doc, 3), MX_JSON_INTEGER);
	assert_int_equal(mx_json_type(&doc, 4), MX_JSON_REAL);
	assert_int_equal(mx_json_type(&doc, 5), MX_JSON_STRING);
	assert_raw(&doc, 1, "\"a\"");
	assert_raw(&doc, 2, "[1, -2.5e+3,\"x\"]");
	assert_raw(&doc, 4, "-2.5e+3");
	assert_raw(&doc, 5, "\"x\"");
	assert_raw(&doc, 7, "{}");
	assert_raw(&doc, 9, "null");
}

static void children_are_walked_in_document_order(void **state)
{
	const char *expected[] = { "[]", "[[3]]", "true", "{\"k\":1}" };
	struct mx_json_doc doc;
	unsigned seen = 0;

	(void)state;
	assert_int_equal(scan("[[],[[3]],true,{\"k\":1}]", &doc), 0);
	for (uint32_t i = mx_json_first(&doc, 0); i < mx_json_end(&doc, 0);
	     i = mx_json_next(&doc, i))
		assert_raw(&doc, i, expected[seen++]);
	assert_int_equal(seen, 4);
}

static void members_are_found_by_their_decoded_key(void **state)
{
	struct mx_json_doc doc;

	(void)state;
	assert_int_equal(scan("{\"x\":{\"deep\":1},\"\\u0064eep\":2,\"\":3}", &doc), 0);
	assert_raw(&doc, mx_json_member(&doc, 0, "deep"), "2");
	assert_raw(&doc, mx_json_member(&doc, 0, ""), "3");
	assert_int_equal(mx_json_member(&doc, 0, "de"), 0);
	assert_int_equal(mx_json_member(&doc, mx_json_member(&doc, 0, "deep"), "deep"), 0);
}

static void strings_are_decoded(void **state)
{
	static const char expected[] = "\"\\/\b\f\n\r\t\0\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80.";
	struct mx_slice text;
	struct mx_json_doc doc;

	(void)state;
	assert_int_equal(
		scan("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\u20AC\\ud83d\\uDE00.\"", &doc),
		0);
	assert_true(doc.nodes[0].escaped);
	text = mx_json_string(&doc, 0, test_mem);
	assert_int_equal(text.len, sizeof(expected) - 1);
	assert_memory_equal(text.ptr, expected, sizeof(expected));
}

static void plain_strings_are_not_copied(void **state)
{
	struct mx_json_doc doc;
	size_t before;

	(void)state;
	assert_int_equal(scan("\"plain \xC3\xA9 text\"", &doc), 0);
	assert_false(doc.nodes[0].escaped);
	before = mx_arena_size(test_mem);
	assert_ptr_equal(mx_json_string(&doc, 0, test_mem).ptr, doc.text + 1);
	assert_int_equal(mx_arena_size(test_mem), before);
}

/* The scanner looks at eight bytes at a time: what ends a run must be seen at each of them. */
static void every_byte_of_a_word_is_looked_at(void **state)
{
	(void)state;
	for (size_t i = 0; i < 24; i++) {
		char text[32] = "\"abcdefghijklmnopqrstuvwxyz\"";
		struct mx_json_doc doc;

		text[1 + i] = '\x1F';
		assert_int_equal(scan(text, &doc), -MX_NOT_JSON);
		text[1 + i] = '\x7F';
		assert_int_equal(scan(text, &doc), 0);
		text[1 + i] = '\x80';
		assert_int_equal(scan(text, &doc), -MX_NOT_JSON);
		text[1 + i] = '"';
		assert_int_equal(scan(text, &doc), -MX_NOT_JSON);
		text[1 + i] = '\\';
		assert_int_equal(scan(text, &doc), strchr("bfnrt", text[2 + i]) ? 0 : -MX_NOT_JSON);
	}
}

/* The text has no byte behind it that may be read. */
static void every_prefix_is_refused(void **state)
{
	static const char whole[] =
		"{\"a\\n\\ud83d\\ude00\":[true,false,null,-0.5e-7,{\"\xF0\x9F\x98\x80\":\"\"}]}";

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char *text = mx_memdup(whole, len ? len : 1);
		struct mx_json_doc doc;

		assert_int_equal(mx_json_scan(mx_slice_of(text, len), &mx_json_default_limits,
					      test_mem, &doc, NULL),
				 -MX_NOT_JSON);
		mx_free(text);
	}
}

static void the_depth_limit_is_exact(void **state)
{
	const struct mx_json_limits limits = { .bytes = 100, .nodes = 100, .depth = 2 };

	(void)state;
	assert_int_equal(scan_within("[{\"a\":1},[]]", limits), 0);
	assert_int_equal(scan_within("[[[]]]", limits), -MX_BAD_JSON);
	assert_int_equal(scan_within("[[],{\"a\":{}}]", limits), -MX_BAD_JSON);
}

static void the_node_limit_is_exact(void **state)
{
	struct mx_json_limits limits = { .bytes = 1000, .nodes = 4, .depth = 9 };
	mx_str_auto text = { 0 };

	(void)state;
	assert_int_equal(scan_within("[1,2,3]", limits), 0);
	assert_int_equal(scan_within("[1,2,3,4]", limits), -MX_TOO_LARGE);
	limits.nodes = 101;
	repeated(&text, "[", "1,", 99, "1]");
	assert_int_equal(scan_within(text.ptr, limits), 0);
	repeated(&text, "[", "1,", 100, "1]");
	assert_int_equal(scan_within(text.ptr, limits), -MX_TOO_LARGE);
}

static void the_byte_limit_is_exact(void **state)
{
	const struct mx_json_limits limits = { .bytes = 3, .nodes = 100, .depth = 9 };

	(void)state;
	assert_int_equal(scan_within("[1]", limits), 0);
	assert_int_equal(scan_within("[1] ", limits), -MX_TOO_LARGE);
}

static void reals_are_refused_where_told(void **state)
{
	const struct mx_json_limits limits = {
		.bytes = 9, .nodes = 9, .depth = 9, .no_reals = true
	};

	(void)state;
	assert_int_equal(scan_within("-12", limits), 0);
	assert_int_equal(scan_within("1.0", limits), -MX_BAD_JSON);
	assert_int_equal(scan_within("1e2", limits), -MX_BAD_JSON);
	assert_int_equal(scan_within("1E2", limits), -MX_BAD_JSON);
	assert_int_equal(scan_within("1.", limits), -MX_NOT_JSON);
}

static void integers_are_read_within_64_bits(void **state)
{
	struct mx_json_doc doc;
	int64_t value = 7;

	(void)state;
	assert_int_equal(scan("[-9223372036854775808,9223372036854775808,-0,1.0]", &doc), 0);
	assert_true(mx_json_i64(&doc, 1, &value));
	assert_true(value == INT64_MIN);
	assert_false(mx_json_i64(&doc, 2, &value));
	assert_true(mx_json_i64(&doc, 3, &value));
	assert_int_equal(value, 0);
	assert_false(mx_json_i64(&doc, 4, &value));
	assert_false(mx_json_i64(&doc, 0, &value));
}

static void numbers_of_more_than_400_digits_are_refused(void **state)
{
	struct mx_json_doc doc;
	mx_str_auto text = { 0 };

	(void)state;
	assert_int_equal(scan(repeated(&text, "-", "7", 400, "").ptr, &doc), 0);
	assert_raw(&doc, 0, text.ptr);
	assert_int_equal(scan(repeated(&text, "", "7", 401, "").ptr, &doc), -MX_BAD_JSON);
}

/* Keys are compared in pairs when they are few, through a table when they are many. */
static void duplicate_keys_are_found_among_any_number(void **state)
{
	mx_str_auto text = { 0 };
	struct mx_json_doc doc;

	(void)state;
	for (unsigned count = 1; count < 70; count++) {
		assert_int_equal(
			scan(repeated(&text, "{", "\"k#\":0,", count, "\"z\":1}").ptr, &doc), 0);
		repeated(&text, "{", "\"k#\":0,", count, "\"k0\":1}");
		assert_int_equal(scan(text.ptr, &doc), -MX_BAD_JSON);
		repeated(&text, "{", "\"k#\":0,", count, "\"\\u006b0\":1}");
		assert_int_equal(scan(text.ptr, &doc), -MX_BAD_JSON);
		repeated(&text, "{\"\\u006b0\":1,", "\"k#\":0,", count, "\"z\":1}");
		assert_int_equal(scan(text.ptr, &doc), -MX_BAD_JSON);
	}
}

static void equal_keys_of_different_objects_are_fine(void **state)
{
	struct mx_json_doc doc;

	(void)state;
	assert_int_equal(scan("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}", &doc), 0);
	assert_int_equal(scan("{\"x\":{\"a\":1,\"b\":2,\"a\":3}}", &doc), -MX_BAD_JSON);
}

/* Quadratic comparison would take hours here. */
static void very_many_keys_are_compared_quickly(void **state)
{
	const struct mx_json_limits limits = { .bytes = 1 << 24, .nodes = 1000000, .depth = 9 };
	mx_str_auto text = { 0 };

	(void)state;
	repeated(&text, "{", "\"a long key with a number: #\":0,", 200000, "\"z\":1}");
	assert_int_equal(scan_within(text.ptr, limits), 0);
	repeated(&text, "{", "\"#\":0,", 200000, "\"199999\":1}");
	assert_int_equal(scan_within(text.ptr, limits), -MX_BAD_JSON);
}

static void a_refused_text_takes_nothing_of_the_arena(void **state)
{
	mx_str_auto text = { 0 };
	struct mx_json_doc doc;
	size_t before = mx_arena_size(test_mem);

	(void)state;
	repeated(&text, "[", "[],", 100000, "[]]");
	assert_int_equal(scan(text.ptr, &doc), -MX_TOO_LARGE);
	assert_int_equal(mx_arena_size(test_mem), before);
}

static void the_error_names_the_place(void **state)
{
	struct mx_error err = { 0 };
	struct mx_json_doc doc;

	(void)state;
	assert_int_equal(
		mx_json_scan(MX_SLICE("[1,,2]"), &mx_json_default_limits, test_mem, &doc, &err),
		-MX_NOT_JSON);
	assert_string_equal(err.text, "Not JSON: unexpected character at byte 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(every_value_becomes_a_node),
		arena_test(children_are_walked_in_document_order),
		arena_test(members_are_found_by_their_decoded_key),
		arena_test(strings_are_decoded),
		arena_test(plain_strings_are_not_copied),
		arena_test(every_byte_of_a_word_is_looked_at),
		arena_test(every_prefix_is_refused),
		arena_test(the_depth_limit_is_exact),
		arena_test(the_node_limit_is_exact),
		arena_test(the_byte_limit_is_exact),
		arena_test(reals_are_refused_where_told),
		arena_test(integers_are_read_within_64_bits),
		arena_test(numbers_of_more_than_400_digits_are_refused),
		arena_test(duplicate_keys_are_found_among_any_number),
		arena_test(equal_keys_of_different_objects_are_fine),
		arena_test(very_many_keys_are_compared_quickly),
		arena_test(a_refused_text_takes_nothing_of_the_arena),
		arena_test(the_error_names_the_place),
	};
	return cmocka_run_group_tests_name("json/scan", tests, NULL, NULL);
}

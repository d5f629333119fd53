#include "shared/http/target.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/arena_fixture.h"

static int parse(void **state, const char *raw, const char *host, struct target *ret_target)
{
	const struct target_line line = {
		.raw = mx_slice(raw),
		.host = host ? mx_slice(host) : (struct mx_slice){ 0 },
	};

	return target_parse(&line, *state, ret_target, NULL);
}

static void separators_are_found_before_anything_is_decoded(void **state)
{
	struct target target;

	assert_int_equal(parse(state, "/a%2fb/%3f%26/c?x%3D=%26y&z=1=2", NULL, &target), 0);
	assert_int_equal(target.len, 3);
	assert_string_equal(target.segments[0], "a/b");
	assert_string_equal(target.segments[1], "?&");
	assert_string_equal(target.segments[2], "c");
	assert_false(target.slash);
	assert_int_equal(target.pairs_len, 2);
	assert_string_equal(target_query(&target, "x="), "&y");
	assert_string_equal(target_query(&target, "z"), "1=2");
	assert_string_equal(target.raw, "/a%2fb/%3f%26/c?x%3D=%26y&z=1=2");
}

static void escapes_are_decoded_once(void **state)
{
	struct target target;

	assert_int_equal(parse(state, "/%2525?a=%252526", NULL, &target), 0);
	assert_string_equal(target.segments[0], "%25");
	assert_string_equal(target_query(&target, "a"), "%2526");
}

static void a_slash_at_the_end_is_told_apart(void **state)
{
	struct target target;

	assert_int_equal(parse(state, "/a/", NULL, &target), 0);
	assert_true(target.slash && target.len == 1);
	assert_int_equal(parse(state, "/", NULL, &target), 0);
	assert_true(!target.slash && target.len == 0);
	assert_int_equal(parse(state, "/a//", NULL, &target), 0);
	assert_true(target.slash && target.len == 2);
	assert_string_equal(target.segments[1], "");
}

static void the_first_of_equal_parameters_counts(void **state)
{
	struct target target;

	assert_int_equal(parse(state, "/?a=1&a=2&&b&=3", NULL, &target), 0);
	assert_string_equal(target_query(&target, "a"), "1");
	assert_string_equal(target_query(&target, "b"), "");
	assert_string_equal(target_query(&target, ""), "3");
	assert_null(target_query(&target, "c"));
}

static void a_plus_is_no_blank(void **state)
{
	struct target target;

	assert_int_equal(parse(state, "/a+b?c=d+e", NULL, &target), 0);
	assert_string_equal(target.segments[0], "a+b");
	assert_string_equal(target_query(&target, "c"), "d+e");
}

static void a_plus_may_be_a_blank_in_the_query(void **state)
{
	const struct target_line line = {
		.raw = MX_SLICE("/a+b?q+1=c+d%2Be%20f&+=%2B"),
		.plus_is_blank = true,
	};
	struct target target;

	assert_int_equal(target_parse(&line, *state, &target, NULL), 0);
	assert_string_equal(target.segments[0], "a+b");
	assert_string_equal(target_query(&target, "q 1"), "c d+e f");
	assert_string_equal(target_query(&target, " "), "+");
	assert_string_equal(target.raw, "/a+b?q+1=c+d%2Be%20f&+=%2B");
}

static void an_absolute_target_must_name_the_host(void **state)
{
	struct target target;

	assert_int_equal(parse(state, "http://here:1/a?b", "HERE:1", &target), 0);
	assert_string_equal(target.raw, "/a?b");
	assert_int_equal(parse(state, "HTTPS://here", "here", &target), 0);
	assert_string_equal(target.raw, "/");
	assert_int_equal(parse(state, "http://here/a", "there", &target), -MX_BAD_HTTP);
	assert_int_equal(parse(state, "http://here/a", NULL, &target), -MX_BAD_HTTP);
	assert_int_equal(parse(state, "http:///a", "", &target), -MX_BAD_HTTP);
	assert_int_equal(parse(state, "ftp://here/a", "here", &target), -MX_BAD_HTTP);
}

static void what_is_no_target_is_bad_http(void **state)
{
	static const char *const bad[] = {
		"", "a", "*", "?a", "/a b", "/\xC3\xA4", "/a#b", "/\x7F"
	};
	struct target target;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(state, bad[i], NULL, &target), -MX_BAD_HTTP);
}

static void what_cannot_be_decoded_is_a_bad_parameter(void **state)
{
	static const char *const bad[] = {
		"/%",         "/%2",  "/%zz",    "/%00",    "/a%00b", "/%ff%fe", "/%c0%af",
		"/%ed%a0%80", "/?%=", "/?a=%0g", "/?a=%00", "/.",     "/a/../b", "/%2e%2E/a",
	};
	struct target target;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(state, bad[i], NULL, &target), -MX_INVALID_PARAM);
}

static void dots_are_only_refused_as_whole_segments(void **state)
{
	struct target target;

	assert_int_equal(parse(state, "/.a/a./.../a..b?..=.", NULL, &target), 0);
	assert_int_equal(target.len, 4);
}

static char *repeated(void **state, const char *piece, unsigned count)
{
	mx_str_auto text = { 0 };

	while (count-- > 0)
		mx_str_add_text(&text, piece);
	return mx_arena_strdup(*state, text.ptr);
}

static void pieces_are_counted(void **state)
{
	struct target target;

	assert_int_equal(parse(state, repeated(state, "/a", TARGET_SEGMENTS_MAX), NULL, &target),
			 0);
	assert_int_equal(
		parse(state, repeated(state, "/a", TARGET_SEGMENTS_MAX + 1), NULL, &target),
		-MX_INVALID_PARAM);
	assert_int_equal(
		parse(state,
		      mx_arena_strf(*state, "/?%sa", repeated(state, "a&", TARGET_PAIRS_MAX - 1)),
		      NULL, &target),
		0);
	assert_int_equal(target.pairs_len, TARGET_PAIRS_MAX);
	assert_int_equal(
		parse(state, mx_arena_strf(*state, "/?%s", repeated(state, "&", TARGET_PAIRS_MAX)),
		      NULL, &target),
		-MX_INVALID_PARAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(separators_are_found_before_anything_is_decoded),
		arena_test(escapes_are_decoded_once),
		arena_test(a_slash_at_the_end_is_told_apart),
		arena_test(the_first_of_equal_parameters_counts),
		arena_test(a_plus_is_no_blank),
		arena_test(a_plus_may_be_a_blank_in_the_query),
		arena_test(an_absolute_target_must_name_the_host),
		arena_test(what_is_no_target_is_bad_http),
		arena_test(what_cannot_be_decoded_is_a_bad_parameter),
		arena_test(dots_are_only_refused_as_whole_segments),
		arena_test(pieces_are_counted),
	};
	return cmocka_run_group_tests_name("http/target", tests, NULL, NULL);
}

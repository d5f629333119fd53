#include "shared/core/str.h"

#include "shared/core/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_builder_grows_and_stays_terminated(void **state)
{
	mx_str_auto str = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		mx_str_add_char(&str, 'x');
		assert_int_equal(str.ptr[str.len], 0);
	}
	mx_str_add_text(&str, "yz");
	mx_str_add_slice(&str, MX_SLICE("\0!"));
	assert_int_equal(str.len, 1004);
	assert_memory_equal(str.ptr + 1000, "yz\0!", 5);
}

static void nothing_may_be_appended(void **state)
{
	mx_str_auto str = { 0 };

	(void)state;
	mx_str_add(&str, NULL, 0);
	mx_str_add_slice(&str, (struct mx_slice){ 0 });
	assert_int_equal(str.len, 0);
	assert_string_equal(str.ptr, "");
}

static void an_unused_builder_is_the_empty_text(void **state)
{
	mx_str_auto str = { 0 };
	mx_autofree char *text = mx_str_steal(&str);

	(void)state;
	assert_string_equal(text, "");
	assert_string_equal(mx_str_slice(&str).ptr, "");
	mx_str_clear(&str);
	assert_int_equal(str.len, 0);
}

static void a_cleared_builder_keeps_its_memory(void **state)
{
	mx_str_auto str = { 0 };
	const char *before;

	(void)state;
	mx_str_add_text(&str, "something");
	before = str.ptr;
	mx_str_clear(&str);
	assert_string_equal(str.ptr, "");
	mx_str_add_text(&str, "else");
	assert_ptr_equal(str.ptr, before);
	assert_string_equal(str.ptr, "else");
}

static void what_is_stolen_is_not_in_the_builder(void **state)
{
	mx_str_auto str = { 0 };
	mx_autofree char *text = NULL;

	(void)state;
	mx_str_add_text(&str, "abc");
	text = mx_str_steal(&str);
	assert_string_equal(text, "abc");
	assert_null(str.ptr);
	assert_int_equal(str.len, 0);
}

static void formatted_text_is_appended(void **state)
{
	mx_str_auto str = { 0 };
	mx_autofree char *text = mx_strf("%s-%d", "a", 5);

	(void)state;
	mx_str_addf(&str, "%d,", 1);
	mx_str_addf(&str, "%0200d", 2);
	mx_str_addf(&str, "%s", "");
	assert_int_equal(str.len, 202);
	assert_string_equal(str.ptr + 199, "002");
	assert_string_equal(text, "a-5");
}

static void equality_needs_two_texts(void **state)
{
	(void)state;
	assert_true(streq("a", "a"));
	assert_false(streq("a", "b"));
	assert_false(streq(NULL, "a"));
	assert_false(streq("a", NULL));
	assert_false(streq(NULL, NULL));
}

static void beginnings_and_ends_are_recognised(void **state)
{
	(void)state;
	assert_true(mx_starts_with("ed25519:a", "ed25519:"));
	assert_true(mx_starts_with("a", ""));
	assert_false(mx_starts_with("ed", "ed25519:"));
	assert_true(mx_ends_with("a.json", ".json"));
	assert_true(mx_ends_with(".json", ".json"));
	assert_false(mx_ends_with("json", ".json"));
}

static void assert_number(const char *text, int64_t expected)
{
	int64_t value = 1;

	assert_true(mx_parse_i64(mx_slice(text), &value));
	assert_true(value == expected);
}

static void numbers_are_read_up_to_both_limits(void **state)
{
	(void)state;
	assert_number("0", 0);
	assert_number("-0", 0);
	assert_number("007", 7);
	assert_number("-42", -42);
	assert_number("9223372036854775807", INT64_MAX);
	assert_number("-9223372036854775808", INT64_MIN);
}

static void odd_numbers_are_refused_and_nothing_is_stored(void **state)
{
	static const char *const texts[] = {
		"",
		"-",
		"+1",
		" 1",
		"1 ",
		"1.0",
		"1e3",
		"0x1",
		"--1",
		"1-",
		"a1",
		"1a",
		"9223372036854775808",
		"-9223372036854775809",
		"99999999999999999999",
		"92233720368547758070",
		"\xEF\xBC\x91",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t value = 77;

		if (mx_parse_i64(mx_slice(texts[i]), &value) || value != 77)
			fail_msg("\"%s\" became %lld", texts[i], (long long)value);
	}
	assert_false(mx_parse_i64(MX_SLICE("1\0"), &(int64_t){ 0 }));
}

static void pieces_come_one_by_one_empty_ones_too(void **state)
{
	struct mx_slice rest = MX_SLICE("a,,b,"), piece;
	static const char *const expected[] = { "a", "", "b", "" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_true(mx_split_next(&rest, ',', &piece));
		assert_true(mx_slice_is(piece, expected[i]));
	}
	assert_false(mx_split_next(&rest, ',', &piece));
}

static void an_empty_text_is_one_empty_piece(void **state)
{
	struct mx_slice rest = MX_SLICE(""), none = { 0 }, piece;

	(void)state;
	assert_true(mx_split_next(&rest, ',', &piece));
	assert_int_equal(piece.len, 0);
	assert_false(mx_split_next(&rest, ',', &piece));
	assert_false(mx_split_next(&none, ',', &piece));
}

static void blanks_and_tabs_are_trimmed_only_at_the_ends(void **state)
{
	(void)state;
	assert_true(mx_slice_is(mx_trim(MX_SLICE(" \t a b\t ")), "a b"));
	assert_true(mx_slice_is(mx_trim(MX_SLICE(" \t ")), ""));
	assert_true(mx_slice_is(mx_trim(MX_SLICE("\n")), "\n"));
	assert_true(mx_slice_is(mx_trim((struct mx_slice){ 0 }), ""));
}

static void slices_compare_by_bytes_then_by_length(void **state)
{
	(void)state;
	assert_true(mx_slice_cmp(MX_SLICE("a"), MX_SLICE("b")) < 0);
	assert_true(mx_slice_cmp(MX_SLICE("\xff"), MX_SLICE("a")) > 0);
	assert_true(mx_slice_cmp(MX_SLICE("ab"), MX_SLICE("a")) > 0);
	assert_true(mx_slice_cmp(MX_SLICE(""), MX_SLICE("a")) < 0);
	assert_int_equal(mx_slice_cmp(MX_SLICE(""), (struct mx_slice){ 0 }), 0);
	/* U+FFFF before U+10000, as code points go. */
	assert_true(mx_slice_cmp(MX_SLICE("\xEF\xBF\xBF"), MX_SLICE("\xF0\x90\x80\x80")) < 0);
}

static void equal_slices_may_hold_a_nul(void **state)
{
	(void)state;
	assert_true(mx_slice_eq(MX_SLICE("a\0b"), MX_SLICE("a\0b")));
	assert_false(mx_slice_eq(MX_SLICE("a\0b"), MX_SLICE("a\0c")));
	assert_false(mx_slice_is(MX_SLICE("a\0b"), "a"));
	assert_true(mx_slice_is(mx_slice(NULL), ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_builder_grows_and_stays_terminated),
		cmocka_unit_test(nothing_may_be_appended),
		cmocka_unit_test(an_unused_builder_is_the_empty_text),
		cmocka_unit_test(a_cleared_builder_keeps_its_memory),
		cmocka_unit_test(what_is_stolen_is_not_in_the_builder),
		cmocka_unit_test(formatted_text_is_appended),
		cmocka_unit_test(equality_needs_two_texts),
		cmocka_unit_test(beginnings_and_ends_are_recognised),
		cmocka_unit_test(numbers_are_read_up_to_both_limits),
		cmocka_unit_test(odd_numbers_are_refused_and_nothing_is_stored),
		cmocka_unit_test(pieces_come_one_by_one_empty_ones_too),
		cmocka_unit_test(an_empty_text_is_one_empty_piece),
		cmocka_unit_test(blanks_and_tabs_are_trimmed_only_at_the_ends),
		cmocka_unit_test(slices_compare_by_bytes_then_by_length),
		cmocka_unit_test(equal_slices_may_hold_a_nul),
	};
	return cmocka_run_group_tests_name("core/str", tests, NULL, NULL);
}

#include "shared/core/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The sequence's code point, by the definition: 0 for anything that is not its only form. */
static bool is_scalar_in_shortest_form(const unsigned char *bytes, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	static const unsigned char lead_mask[] = { 0, 0x80, 0xE0, 0xF0, 0xF8 };
	static const unsigned char lead_mark[] = { 0, 0x00, 0xC0, 0xE0, 0xF0 };
	uint32_t code_point = bytes[0] & (unsigned char)~lead_mask[len];

	if ((bytes[0] & lead_mask[len]) != lead_mark[len])
		return false;
	for (size_t i = 1; i < len; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return false;
		code_point = code_point << 6 | (bytes[i] & 0x3F);
	}
	return code_point >= least[len] && code_point <= 0x10FFFF &&
	       !(code_point >= 0xD800 && code_point <= 0xDFFF);
}

static void check_sequence(const unsigned char *bytes, size_t len)
{
	bool good = is_scalar_in_shortest_form(bytes, len);
	size_t step = mx_utf8_step(mx_slice_of(bytes, len));

	if ((step == len) != good)
		fail_msg("%zu bytes %02x %02x %02x: step %zu", len, bytes[0],
			 len > 1 ? bytes[1] : 0, len > 2 ? bytes[2] : 0, step);
}

static void all_sequences_of_one_to_three_bytes_are_judged_right(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 1u << 24; bits++) {
		const unsigned char bytes[] = { (unsigned char)(bits >> 16),
						(unsigned char)(bits >> 8), (unsigned char)bits };

		if ((bits & 0xFFFF) == 0)
			check_sequence(bytes, 1);
		if ((bits & 0xFF) == 0)
			check_sequence(bytes, 2);
		check_sequence(bytes, 3);
	}
}

static void every_scalar_value_survives_encoding(void **state)
{
	(void)state;
	for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
		char bytes[4];
		size_t len;

		if (code_point >= 0xD800 && code_point <= 0xDFFF)
			continue;
		len = mx_utf8_encode(code_point, bytes);
		if (mx_utf8_step(mx_slice_of(bytes, len)) != len)
			fail_msg("U+%04X", code_point);
	}
}

static void four_byte_limits_hold(void **state)
{
	(void)state;
	assert_int_equal(mx_utf8_step(MX_SLICE("\xF0\x90\x80\x80")), 4);
	assert_int_equal(mx_utf8_step(MX_SLICE("\xF0\x8F\xBF\xBF")), 0);
	assert_int_equal(mx_utf8_step(MX_SLICE("\xF4\x8F\xBF\xBF")), 4);
	assert_int_equal(mx_utf8_step(MX_SLICE("\xF4\x90\x80\x80")), 0);
	assert_int_equal(mx_utf8_step(MX_SLICE("\xF5\x80\x80\x80")), 0);
	assert_int_equal(mx_utf8_step(MX_SLICE("\xF8\x88\x80\x80\x80")), 0);
}

static void cut_sequences_are_refused(void **state)
{
	(void)state;
	assert_int_equal(mx_utf8_step(MX_SLICE("")), 0);
	assert_int_equal(mx_utf8_step(MX_SLICE("\xC3")), 0);
	assert_int_equal(mx_utf8_step(MX_SLICE("\xE2\x82")), 0);
	assert_int_equal(mx_utf8_step(MX_SLICE("\xF0\x9F\x98")), 0);
	assert_int_equal(mx_utf8_step(MX_SLICE("\xF0\x9F\x98z")), 0);
}

static void a_text_is_valid_if_all_of_it_is(void **state)
{
	(void)state;
	assert_true(mx_utf8_valid(MX_SLICE("")));
	assert_true(mx_utf8_valid(MX_SLICE("a\0ä€😀")));
	assert_false(mx_utf8_valid(MX_SLICE("a\xED\xA0\x80")));
	assert_false(mx_utf8_valid(MX_SLICE("\xC0\x80")));
	assert_false(mx_utf8_valid(MX_SLICE("abc\xFF")));
}

static void code_points_are_counted(void **state)
{
	(void)state;
	assert_int_equal(mx_utf8_count(MX_SLICE("")), 0);
	assert_int_equal(mx_utf8_count(MX_SLICE("aä€😀")), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sequences_of_one_to_three_bytes_are_judged_right),
		cmocka_unit_test(every_scalar_value_survives_encoding),
		cmocka_unit_test(four_byte_limits_hold),
		cmocka_unit_test(cut_sequences_are_refused),
		cmocka_unit_test(a_text_is_valid_if_all_of_it_is),
		cmocka_unit_test(code_points_are_counted),
	};
	return cmocka_run_group_tests_name("core/utf8", tests, NULL, NULL);
}

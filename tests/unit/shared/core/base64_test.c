#include "shared/core/base64.h"

#include "shared/core/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void assert_decodes(const char *text, const char *bytes, size_t len)
{
	uint8_t got[64];
	size_t got_len = 99;

	assert_true(mx_base64_decode(mx_slice(text), got, sizeof(got), &got_len));
	assert_int_equal(got_len, len);
	if (len)
		assert_memory_equal(got, bytes, len);
}

static void assert_refused(struct mx_slice text)
{
	uint8_t got[64] = { 0 };
	size_t len = 99;

	assert_false(mx_base64_decode(text, got, sizeof(got), &len));
	assert_int_equal(len, 99);
}

static void the_rfc_vectors_decode_with_and_without_padding(void **state)
{
	(void)state;
	assert_decodes("", "", 0);
	assert_decodes("Zg", "f", 1);
	assert_decodes("Zg==", "f", 1);
	assert_decodes("Zm8", "fo", 2);
	assert_decodes("Zm8=", "fo", 2);
	assert_decodes("Zm9v", "foo", 3);
	assert_decodes("Zm9vYg", "foob", 4);
	assert_decodes("Zm9vYmFy", "foobar", 6);
}

static void what_is_written_has_no_padding(void **state)
{
	mx_str_auto text = { 0 };

	(void)state;
	mx_base64_add(&text, "f", 1);
	mx_base64_add(&text, "fo", 2);
	mx_base64_add(&text, "foo", 3);
	mx_base64_add(&text, "", 0);
	assert_string_equal(text.ptr, "ZgZm8Zm9v");
}

static void both_alphabets_are_read_even_mixed(void **state)
{
	(void)state;
	assert_decodes("/+aa", "\xff\xe6\x9a", 3);
	assert_decodes("_-aa", "\xff\xe6\x9a", 3);
	assert_decodes("_+aa", "\xff\xe6\x9a", 3);
}

static void the_alphabet_written_is_the_one_asked_for(void **state)
{
	mx_str_auto standard = { 0 }, url = { 0 };

	(void)state;
	mx_base64_add(&standard, "\xff\xe6\x9a", 3);
	mx_base64url_add(&url, "\xff\xe6\x9a", 3);
	assert_string_equal(standard.ptr, "/+aa");
	assert_string_equal(url.ptr, "_-aa");
}

static void a_single_leftover_character_is_refused(void **state)
{
	(void)state;
	assert_refused(MX_SLICE("A"));
	assert_refused(MX_SLICE("AAAAA"));
	assert_refused(MX_SLICE("AAAAAAAAA"));
}

static void wrong_padding_is_refused(void **state)
{
	(void)state;
	assert_refused(MX_SLICE("="));
	assert_refused(MX_SLICE("===="));
	assert_refused(MX_SLICE("Z==="));
	assert_refused(MX_SLICE("Zg="));
	assert_refused(MX_SLICE("Zg==="));
	assert_refused(MX_SLICE("Zm9v===="));
	assert_refused(MX_SLICE("Zg==Zg=="));
	assert_refused(MX_SLICE("Z=g="));
}

static void trailing_bits_do_not_matter(void **state)
{
	static const char *const keys[] = {
		"XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI",
		"XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNJ",
		"XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNK",
		"XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNL",
	};
	uint8_t first[32], other[32];

	(void)state;
	assert_true(mx_base64_decode_exact(mx_slice(keys[0]), first, 32));
	for (int i = 1; i < 4; i++) {
		assert_true(mx_base64_decode_exact(mx_slice(keys[i]), other, 32));
		assert_memory_equal(first, other, 32);
	}
}

static void other_characters_are_refused_wherever_they_stand(void **state)
{
	static const char odd[] = " \n\r\t.,*~\x80\xff";

	(void)state;
	for (size_t i = 0; i < sizeof(odd); i++) /* with the NUL */
		for (size_t at = 0; at < 8; at++) {
			char text[] = "AAAAAAAA";

			text[at] = odd[i];
			assert_refused(mx_slice_of(text, 8));
		}
}

static void a_result_larger_than_its_place_is_refused(void **state)
{
	uint8_t got[4] = { 1, 2, 3, 4 };
	size_t len;

	(void)state;
	assert_true(mx_base64_decode(MX_SLICE("Zm9v"), got, 3, &len));
	assert_false(mx_base64_decode(MX_SLICE("Zm9vYg"), got, 3, &len));
	assert_int_equal(got[3], 4);
}

static void an_exact_length_is_exact(void **state)
{
	uint8_t got[4];

	(void)state;
	assert_true(mx_base64_decode_exact(MX_SLICE("Zm9v"), got, 3));
	assert_false(mx_base64_decode_exact(MX_SLICE("Zm9v"), got, 4));
	assert_false(mx_base64_decode_exact(MX_SLICE("Zm8"), got, 3));
}

static void random_bytes_come_back_from_both_alphabets(void **state)
{
	(void)state;
	for (size_t len = 0; len < 200; len++) {
		uint8_t bytes[200], got[200];
		mx_str_auto standard = { 0 }, url = { 0 };

		mx_random_bytes(bytes, len);
		mx_base64_add(&standard, bytes, len);
		mx_base64url_add(&url, bytes, len);
		assert_int_equal(standard.len, (len * 4 + 2) / 3);
		assert_null(memchr(mx_str_slice(&standard).ptr, '=', standard.len));
		assert_true(mx_base64_decode_exact(mx_str_slice(&standard), got, len));
		assert_int_equal(memcmp(got, bytes, len), 0);
		assert_true(mx_base64_decode_exact(mx_str_slice(&url), got, len));
		assert_int_equal(memcmp(got, bytes, len), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfc_vectors_decode_with_and_without_padding),
		cmocka_unit_test(what_is_written_has_no_padding),
		cmocka_unit_test(both_alphabets_are_read_even_mixed),
		cmocka_unit_test(the_alphabet_written_is_the_one_asked_for),
		cmocka_unit_test(a_single_leftover_character_is_refused),
		cmocka_unit_test(wrong_padding_is_refused),
		cmocka_unit_test(trailing_bits_do_not_matter),
		cmocka_unit_test(other_characters_are_refused_wherever_they_stand),
		cmocka_unit_test(a_result_larger_than_its_place_is_refused),
		cmocka_unit_test(an_exact_length_is_exact),
		cmocka_unit_test(random_bytes_come_back_from_both_alphabets),
	};
	return cmocka_run_group_tests_name("core/base64", tests, NULL, NULL);
}

#include "shared/core/base64.h"
#include "shared/core/str.h"
#include "shared/keys/key_object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool is_compromised(const char *base64)
{
	uint8_t key[32];

	assert_true(mx_base64_decode_exact(mx_slice(base64), key, sizeof(key)));
	return key_is_compromised(key);
}

static void known_keys_are_found_in_every_spelling(void **state)
{
	(void)state;
	/* The chart's guessable key, as published and with other alphabets and padding. */
	assert_true(is_compromised("l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og"));
	assert_true(is_compromised("l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og="));
	assert_true(is_compromised("l_O9hxMVKB6Lg-3Hqf0FQQZhVESQcMzbPN1Cz2nM3og"));
	/* matrix.org's, retired in 2019. */
	assert_true(is_compromised("Noi6WqcDj0QmPxCNQqgezwTlBKrfqehY1u2FyWP9uYw"));
}

static void other_keys_are_not(void **state)
{
	(void)state;
	assert_false(is_compromised("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
	assert_false(is_compromised("l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3oA"));
	assert_false(is_compromised("m/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_keys_are_found_in_every_spelling),
		cmocka_unit_test(other_keys_are_not),
	};
	return cmocka_run_group_tests_name("keys/key_compromised", tests, NULL, NULL);
}

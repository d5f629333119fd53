#include "shared/crypto/sha1.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* RFC 3174, 7.3. */
static void the_vectors_of_the_rfc_are_met(void **state)
{
	static const uint8_t abc[MX_SHA1_LEN] = { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81,
						  0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50,
						  0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d };
	static const uint8_t nothing[MX_SHA1_LEN] = { 0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b,
						      0x0d, 0x32, 0x55, 0xbf, 0xef, 0x95, 0x60,
						      0x18, 0x90, 0xaf, 0xd8, 0x07, 0x09 };
	uint8_t digest[MX_SHA1_LEN];

	(void)state;
	mx_sha1(MX_SLICE("abc"), digest);
	assert_memory_equal(digest, abc, sizeof(digest));
	mx_sha1(mx_slice_of(NULL, 0), digest);
	assert_memory_equal(digest, nothing, sizeof(digest));
}

/* RFC 2202, 3: test case 2. */
static void a_keyed_hash_is_the_one_of_the_rfc(void **state)
{
	static const uint8_t jefe[MX_SHA1_LEN] = { 0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f,
						   0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84,
						   0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79 };
	uint8_t digest[MX_SHA1_LEN];

	(void)state;
	mx_hmac_sha1(MX_SLICE("Jefe"), MX_SLICE("what do ya want for nothing?"), digest);
	assert_memory_equal(digest, jefe, sizeof(digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_rfc_are_met),
		cmocka_unit_test(a_keyed_hash_is_the_one_of_the_rfc),
	};
	return cmocka_run_group_tests_name("crypto/sha1", tests, NULL, NULL);
}

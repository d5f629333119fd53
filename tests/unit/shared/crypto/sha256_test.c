#include "shared/crypto/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* FIPS 180-4, examples. */
static void published_digests_come_out(void **state)
{
	static const uint8_t of_abc[MX_SHA256_LEN] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
		0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
		0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
	};
	uint8_t digest[MX_SHA256_LEN];

	(void)state;
	mx_sha256(MX_SLICE("abc"), digest);
	assert_memory_equal(digest, of_abc, sizeof(digest));
}

static void nothing_has_a_digest_too(void **state)
{
	static const uint8_t of_nothing[] = { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14 };
	uint8_t digest[MX_SHA256_LEN];

	(void)state;
	mx_sha256((struct mx_slice){ 0 }, digest);
	assert_memory_equal(digest, of_nothing, sizeof(of_nothing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_digests_come_out),
		cmocka_unit_test(nothing_has_a_digest_too),
	};
	return cmocka_run_group_tests_name("crypto/sha256", tests, NULL, NULL);
}

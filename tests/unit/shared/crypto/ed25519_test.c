#include "shared/crypto/ed25519.h"

#include "shared/core/base64.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#define SEED_A   "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"
#define PUBLIC_A "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"

static struct mx_signing_key *key_of(const char *seed_base64)
{
	uint8_t seed[MX_ED25519_SEED_LEN];

	assert_true(mx_base64_decode_exact(mx_slice(seed_base64), seed, sizeof(seed)));
	return mx_signing_key_new("ed25519:a1", seed);
}

static void a_seed_gives_its_public_key(void **state)
{
	struct mx_signing_key *key = key_of(SEED_A);
	uint8_t expected[MX_ED25519_PUBLIC_LEN];

	(void)state;
	assert_true(mx_base64_decode_exact(MX_SLICE(PUBLIC_A), expected, sizeof(expected)));
	assert_memory_equal(mx_signing_key_public(key), expected, sizeof(expected));
	assert_string_equal(mx_signing_key_id(key), "ed25519:a1");
	mx_signing_key_free(key);
}

static void the_seed_can_be_written_out(void **state)
{
	struct mx_signing_key *key = key_of(SEED_A);
	char *text = sodium_malloc(44);

	(void)state;
	mx_signing_key_seed_base64(key, text);
	/* The last two bits of the text above are none of the 32 bytes. */
	assert_string_equal(text, "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0");
	sodium_free(text);
	mx_signing_key_free(key);
}

static void what_is_signed_verifies_and_nothing_else_does(void **state)
{
	struct mx_signing_key *key = key_of(SEED_A);
	const uint8_t *public_key = mx_signing_key_public(key);
	uint8_t signature[MX_ED25519_SIG_LEN];

	(void)state;
	mx_signing_key_sign(key, MX_SLICE("{}"), signature);
	assert_true(mx_ed25519_verify(public_key, MX_SLICE("{}"), signature));
	assert_false(mx_ed25519_verify(public_key, MX_SLICE("{ }"), signature));
	assert_false(mx_ed25519_verify(public_key, (struct mx_slice){ 0 }, signature));
	for (size_t i = 0; i < sizeof(signature); i++) {
		signature[i] ^= 1;
		assert_false(mx_ed25519_verify(public_key, MX_SLICE("{}"), signature));
		signature[i] ^= 1;
	}
	mx_signing_key_free(key);
}

static void an_empty_message_can_be_signed(void **state)
{
	struct mx_signing_key *key = key_of(SEED_A);
	uint8_t signature[MX_ED25519_SIG_LEN];

	(void)state;
	mx_signing_key_sign(key, (struct mx_slice){ 0 }, signature);
	assert_true(mx_ed25519_verify(mx_signing_key_public(key), MX_SLICE(""), signature));
	mx_signing_key_free(key);
}

/* The group's order, added to S: the same point, another signature of the same message. */
static void a_signature_that_is_not_reduced_is_refused(void **state)
{
	static const uint8_t order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
		0xa2, 0xde, 0xf9, 0xde, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
	};
	struct mx_signing_key *key = key_of(SEED_A);
	uint8_t signature[MX_ED25519_SIG_LEN];
	unsigned carry = 0;

	(void)state;
	mx_signing_key_sign(key, MX_SLICE("{}"), signature);
	for (size_t i = 0; i < sizeof(order); i++) {
		carry += (unsigned)signature[32 + i] + order[i];
		signature[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_false(mx_ed25519_verify(mx_signing_key_public(key), MX_SLICE("{}"), signature));
	mx_signing_key_free(key);
}

/* All points of order 1, 2, 4 and 8, with their encodings that are not canonical. */
static const char *const small_order[] = {
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
};

static void from_hex(const char *hex, uint8_t bytes[MX_ED25519_PUBLIC_LEN])
{
	size_t len;

	assert_int_equal(
		sodium_hex2bin(bytes, MX_ED25519_PUBLIC_LEN, hex, strlen(hex), NULL, &len, NULL),
		0);
	assert_int_equal(len, MX_ED25519_PUBLIC_LEN);
}

static void keys_of_small_order_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++) {
		uint8_t public_key[MX_ED25519_PUBLIC_LEN];

		from_hex(small_order[i], public_key);
		assert_false(mx_ed25519_public_ok(public_key));
	}
}

/* With such a key, R = identity and S = 0 would be a signature of any message. */
static void a_key_of_small_order_verifies_nothing(void **state)
{
	uint8_t public_key[MX_ED25519_PUBLIC_LEN];
	uint8_t signature[MX_ED25519_SIG_LEN] = { 1 };

	(void)state;
	from_hex(small_order[0], public_key);
	assert_false(mx_ed25519_verify(public_key, MX_SLICE("anything"), signature));
}

static void points_outside_the_main_subgroup_are_refused(void **state)
{
	static const char *const mixed[] = {
		/* the base point plus a point of order 2, of order 4, of order 8 */
		"9599999999999999999999999999999999999999999999999999999999999999",
		"5252cc0a7f208133b620acbd4537eba2a4123bf0a8c2e4f980c3b31bb69765ea",
		"da99e28ba529cdde35a25fba9059e78ecaee239f99755b9b1aa4f65df00803e2",
		NULL,
	};
	uint8_t public_key[MX_ED25519_PUBLIC_LEN];

	(void)state;
	for (size_t i = 0; mixed[i]; i++) {
		from_hex(mixed[i], public_key);
		assert_false(mx_ed25519_public_ok(public_key));
	}
}

static void bytes_that_are_no_point_are_refused(void **state)
{
	uint8_t public_key[MX_ED25519_PUBLIC_LEN];

	(void)state;
	from_hex("0200000000000000000000000000000000000000000000000000000000000000", public_key);
	assert_false(mx_ed25519_public_ok(public_key));
}

static void generated_keys_differ_and_have_good_ids(void **state)
{
	struct mx_signing_key *one = mx_signing_key_generate();
	struct mx_signing_key *two = mx_signing_key_generate();
	const char *id = mx_signing_key_id(one);

	(void)state;
	assert_int_equal(strlen(id), strlen("ed25519:a_ABCD"));
	assert_true(mx_starts_with(id, "ed25519:a_"));
	for (const char *c = id + strlen("ed25519:a_"); *c; c++)
		assert_true((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z'));
	assert_true(mx_ed25519_public_ok(mx_signing_key_public(one)));
	assert_memory_not_equal(mx_signing_key_public(one), mx_signing_key_public(two),
				MX_ED25519_PUBLIC_LEN);
	mx_signing_key_free(one);
	mx_signing_key_free(two);
}

/* How many mappings of this process core dumps leave out ("dd"). */
static size_t undumped_mappings(void)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	char line[512];
	size_t count = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		count += mx_starts_with(line, "VmFlags:") && strstr(line, " dd");
	fclose(maps);
	return count;
}

static void secret_halves_are_kept_out_of_core_dumps(void **state)
{
	struct mx_signing_key *key;
	size_t before;

	(void)state;
	if (access("/proc/self/smaps", R_OK) != 0)
		skip();
	before = undumped_mappings();
	key = key_of(SEED_A);
	assert_int_equal(undumped_mappings(), before + 1);
	mx_signing_key_free(key);
	assert_int_equal(undumped_mappings(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_gives_its_public_key),
		cmocka_unit_test(the_seed_can_be_written_out),
		cmocka_unit_test(what_is_signed_verifies_and_nothing_else_does),
		cmocka_unit_test(an_empty_message_can_be_signed),
		cmocka_unit_test(a_signature_that_is_not_reduced_is_refused),
		cmocka_unit_test(keys_of_small_order_are_refused),
		cmocka_unit_test(a_key_of_small_order_verifies_nothing),
		cmocka_unit_test(points_outside_the_main_subgroup_are_refused),
		cmocka_unit_test(bytes_that_are_no_point_are_refused),
		cmocka_unit_test(generated_keys_differ_and_have_good_ids),
		cmocka_unit_test(secret_halves_are_kept_out_of_core_dumps),
	};

	mx_crypto_init();
	return cmocka_run_group_tests_name("crypto/ed25519", tests, NULL, NULL);
}

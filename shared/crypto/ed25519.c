#include "shared/crypto/ed25519.h"

#include "shared/core/alloc.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"

#include <assert.h>
#include <gnutls/gnutls.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_PREFIX       "ed25519:"
#define ID_LETTERS      4
#define FINGERPRINT_LEN 16
#define SECRET_KEY_LEN  crypto_sign_SECRETKEYBYTES /* the seed, then the public key */

struct mx_signing_key {
	char *id;
	uint8_t public_key[MX_ED25519_PUBLIC_LEN];
	uint8_t *secret; /* from sodium_malloc: locked, not dumped, between guard pages */
};

_Static_assert(crypto_sign_PUBLICKEYBYTES == MX_ED25519_PUBLIC_LEN, "length of public keys");
_Static_assert(crypto_sign_SEEDBYTES == MX_ED25519_SEED_LEN, "length of seeds");
_Static_assert(crypto_sign_BYTES == MX_ED25519_SIG_LEN, "length of signatures");

static void *locked_new(size_t size)
{
	void *bytes = sodium_malloc(size);

	if (!bytes) {
		fputs("out of memory for secret keys\n", stderr);
		abort();
	}
	return bytes;
}

static void require(bool works, const char *what)
{
	if (works)
		return;
	fprintf(stderr, "libsodium does not work as it should: %s\n", what);
	abort();
}

/* RFC 8032, 7.1, test 2. */
static void self_test_signature(void)
{
	static const uint8_t seed[MX_ED25519_SEED_LEN] = {
		0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3,
		0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab,
		0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb,
	};
	static const uint8_t expected[MX_ED25519_SIG_LEN] = {
		0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f,
		0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76,
		0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
		0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae,
		0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00,
	};
	struct mx_signing_key *key = mx_signing_key_new("ed25519:test", seed);
	uint8_t signature[MX_ED25519_SIG_LEN];

	mx_signing_key_sign(key, MX_SLICE("\x72"), signature);
	require(sodium_memcmp(signature, expected, sizeof(expected)) == 0, "signing");
	require(mx_ed25519_verify(key->public_key, MX_SLICE("\x72"), signature), "verifying");
	require(!mx_ed25519_verify(key->public_key, MX_SLICE("\x73"), signature),
		"refusing a wrong signature");
	mx_signing_key_free(key);
}

/* CVE-2025-69277: the base point plus the point of order two is (-x, -y), outside the main
 * subgroup; unpatched libraries took it for a good one. */
static void self_test_points(void)
{
	uint8_t base[MX_ED25519_PUBLIC_LEN], mixed[MX_ED25519_PUBLIC_LEN];
	static const uint8_t identity[MX_ED25519_PUBLIC_LEN] = { 1 };

	memset(base, 0x66, sizeof(base));
	base[0] = 0x58;
	memset(mixed, 0x99, sizeof(mixed));
	mixed[0] = 0x95;
	require(mx_ed25519_public_ok(base), "accepting a good public key");
	require(!mx_ed25519_public_ok(identity), "refusing a public key of small order");
	require(!mx_ed25519_public_ok(mixed),
		"refusing a point outside the main subgroup (CVE-2025-69277): update it");
}

void mx_crypto_init(void)
{
	if (sodium_init() < 0) {
		fputs("libsodium cannot be initialised\n", stderr);
		abort();
	}
	if (gnutls_global_init() < 0) {
		fputs("GnuTLS cannot be initialised\n", stderr);
		abort();
	}
	self_test_signature();
	self_test_points();
}

struct mx_signing_key *mx_signing_key_new(const char *id, const uint8_t seed[MX_ED25519_SEED_LEN])
{
	struct mx_signing_key *key = mx_alloc(sizeof(*key));

	assert(mx_starts_with(id, ID_PREFIX));
	key->id = mx_strdup(id);
	key->secret = locked_new(SECRET_KEY_LEN);
	crypto_sign_seed_keypair(key->public_key, key->secret, seed);
	if (sodium_mprotect_readonly(key->secret) != 0)
		abort();
	return key;
}

struct mx_signing_key *mx_signing_key_generate(void)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char id[] = ID_PREFIX "a_????";
	char *version = id + strlen(id) - ID_LETTERS;
	uint8_t *seed = locked_new(MX_ED25519_SEED_LEN);
	struct mx_signing_key *key;

	for (size_t i = 0; i < ID_LETTERS; i++)
		version[i] = letters[mx_random_below(sizeof(letters) - 1)];
	mx_random_bytes(seed, MX_ED25519_SEED_LEN);
	key = mx_signing_key_new(id, seed);
	sodium_free(seed); /* wipes it */
	return key;
}

void mx_signing_key_free(struct mx_signing_key *key)
{
	if (!key)
		return;
	sodium_free(key->secret);
	mx_free(key->id);
	mx_free(key);
}

const char *mx_signing_key_id(const struct mx_signing_key *key)
{
	return key->id;
}

const uint8_t *mx_signing_key_public(const struct mx_signing_key *key)
{
	return key->public_key;
}

void mx_signing_key_seed_base64(const struct mx_signing_key *key, char ret_text[44])
{
	sodium_bin2base64(ret_text, 44, key->secret, MX_ED25519_SEED_LEN,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

static const uint8_t *bytes_of(struct mx_slice message)
{
	return (const uint8_t *)(message.len ? message.ptr : "");
}

void mx_signing_key_sign(const struct mx_signing_key *key, struct mx_slice message,
			 uint8_t ret_signature[MX_ED25519_SIG_LEN])
{
	crypto_sign_detached(ret_signature, NULL, bytes_of(message), message.len, key->secret);
}

bool mx_ed25519_verify(const uint8_t public_key[MX_ED25519_PUBLIC_LEN], struct mx_slice message,
		       const uint8_t signature[MX_ED25519_SIG_LEN])
{
	/* libsodium itself refuses small orders of key and R, and an S that is not reduced. */
	return crypto_sign_verify_detached(signature, bytes_of(message), message.len, public_key) ==
	       0;
}

bool mx_ed25519_public_ok(const uint8_t public_key[MX_ED25519_PUBLIC_LEN])
{
	return crypto_core_ed25519_is_valid_point(public_key) == 1;
}

void mx_ed25519_fingerprint(const uint8_t public_key[MX_ED25519_PUBLIC_LEN], struct mx_str *out)
{
	uint8_t digest[MX_SHA256_LEN];

	mx_sha256(mx_slice_of(public_key, MX_ED25519_PUBLIC_LEN), digest);
	for (size_t i = 0; i < FINGERPRINT_LEN; i++)
		mx_str_addf(out, "%s%02x", i && i % 2 == 0 ? " " : "", digest[i]);
}

/* Ed25519 keys and signatures, by libsodium. Secret halves live in locked, non-dumpable memory. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define MX_ED25519_PUBLIC_LEN 32
#define MX_ED25519_SEED_LEN   32
#define MX_ED25519_SIG_LEN    64

struct mx_signing_key; /* immutable; signing is thread-safe */

/* libsodium and GnuTLS, once at start; aborts if the library accepts a known bad point. */
void mx_crypto_init(void);

/* id: "ed25519:a_1", copied. The seed is copied into locked memory; wipe yours. */
struct mx_signing_key *mx_signing_key_new(const char *id, const uint8_t seed[MX_ED25519_SEED_LEN]);

/* With a fresh seed and the id "ed25519:a_" and four random letters. */
struct mx_signing_key *mx_signing_key_generate(void);
void mx_signing_key_free(struct mx_signing_key *key);

const char *mx_signing_key_id(const struct mx_signing_key *key);
const uint8_t *mx_signing_key_public(const struct mx_signing_key *key);

/* Writes the unpadded base64 of the seed into a buffer from sodium_malloc, 44 bytes with NUL;
 * only for key files. */
void mx_signing_key_seed_base64(const struct mx_signing_key *key, char ret_text[44]);

void mx_signing_key_sign(const struct mx_signing_key *key, struct mx_slice message,
			 uint8_t ret_signature[MX_ED25519_SIG_LEN]);

/* False also for small-order keys and non-canonical signatures. */
bool mx_ed25519_verify(const uint8_t public_key[MX_ED25519_PUBLIC_LEN], struct mx_slice message,
		       const uint8_t signature[MX_ED25519_SIG_LEN]);

/* A public key that may be trusted: 32 bytes on the curve, not of small order. */
bool mx_ed25519_public_ok(const uint8_t public_key[MX_ED25519_PUBLIC_LEN]);

/* For people to compare: the start of the key's SHA-256, "ab12 cd34 …". */
struct mx_str;
void mx_ed25519_fingerprint(const uint8_t public_key[MX_ED25519_PUBLIC_LEN], struct mx_str *out);

/* Signing-key files: read in the formats that Synapse, Dendrite and Sydent write, written in
 * Synapse's, mode 0600. */
#pragma once

#include "shared/crypto/ed25519.h"

#include <stddef.h>
#include <stdint.h>

struct mx_error;

/* A key that no longer signs but is still published. */
struct mx_old_key {
	char *id; /* "ed25519:old" */
	uint8_t public_key[MX_ED25519_PUBLIC_LEN];
	int64_t expired_ts;
};

struct mx_keyring {
	struct mx_signing_key **keys; /* the file's order; all of them sign */
	size_t len;
	struct mx_old_key *old;
	size_t old_len;
};

/*
 * Synapse: a line a key, `ed25519 VERSION SEED`; `ed25519 VERSION EXPIRED_MS PUBLIC` is an old
 * one; a single field is a bare seed (64 hex digits: Sydent, version 0; base64: version
 * a_XXXX made from the public key). Dendrite: PEM "MATRIX PRIVATE KEY" with a Key-ID header.
 * Sydent: its INI's `ed25519.signingkey = ed25519 0 SEED` line.
 * -MX_NOT_FOUND if there is no file, -MX_BAD_KEY with line number and reason otherwise; a file
 * that others than its owner and group may read is -MX_BAD_KEY too. Buffers are wiped.
 */
int mx_keyfile_load(const char *path, struct mx_keyring *ret_ring, struct mx_error *err);

/* Replaces the file atomically and durably. Written by root, it belongs to whom it belonged, or
 * to whom its directory belongs. -MX_BAD_KEY for a ring that could not be loaded again
 * (no signing key, an id twice, more than 64 keys), -MX_STORE_FULL or -MX_STORE. */
int mx_keyfile_save(const char *path, const struct mx_keyring *ring, struct mx_error *err);

/* The key moves from the signing to the old ones. False if there is no such signing key. */
bool mx_keyring_retire(struct mx_keyring *ring, const char *id, int64_t expired_ts);

/* Takes the key over. */
void mx_keyring_add(struct mx_keyring *ring, struct mx_signing_key *key);
/* Takes old.id over. */
void mx_keyring_add_old(struct mx_keyring *ring, struct mx_old_key old);
void mx_keyring_done(struct mx_keyring *ring);

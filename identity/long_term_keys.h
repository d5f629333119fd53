/*
 * The keys that the service signs with. The first of the key file signs; the file's other signing
 * keys and the old ones no longer sign but still count as valid: invites in rooms name them for
 * ever. A revoked one is valid nowhere. Spec: identity service API, "Key management".
 */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct long_term_keys;
struct mx_error;

/* Many a client and homeserver asks for this id without having read any other. */
#define LONG_TERM_FIRST_ID "ed25519:0"

struct long_term_conf {
	const char *server_name; /* signatures bear this name */
	const char *file; /* of shared/crypto/keyfile.h: Sydent's too; made if missing */
	const char *const *revoked; /* public keys in base64, NULL-ended; may be NULL */
};

int long_term_keys_new(const struct long_term_conf *conf, struct long_term_keys **ret_keys,
		       struct mx_error *err);
int long_term_keys_reload(struct long_term_keys *keys, const struct long_term_conf *conf,
			  struct mx_error *err);
void long_term_keys_free(struct long_term_keys *keys);

/* Adds signatures.<server name>.<key id> of the signing key to an object that we built. */
int long_term_sign(struct long_term_keys *keys, json_t *object, struct mx_error *err);

/* Unpadded standard base64 of the signing key's public half, 44 bytes with NUL, and its id. */
void long_term_public(struct long_term_keys *keys, char ret_base64[44], char ret_id[64]);

/* The public key of any id that ever signed and is not revoked. False if there is none. */
bool long_term_find(struct long_term_keys *keys, const char *key_id, char ret_base64[44]);

/* Whether these are the bytes of a key that was ever long-term and is not revoked. text: base64 of
 * either alphabet, padded or not, a '+' that became a blank included. */
bool long_term_is_valid(struct long_term_keys *keys, const char *text);

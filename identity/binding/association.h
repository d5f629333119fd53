/* Signed associations of other identity services. Spec: identity service API, "Establishing
 * associations"; between services they come with tombstones, whose user and times are null. */
#pragma once

#include "identity/binding/binding.h"

/* Longer than any with names and addresses as long as may be. */
#define ASSOCIATION_BYTES_MAX (16u * 1024)

/* A public key as configurations of services that replicate have it: base64, or 64 hexadecimal
 * digits. */
bool association_key(const char *text, uint8_t ret_key[32]);

struct association_source {
	const char *origin; /* the service that says so, and that signs */
	const uint8_t *public_key; /* its key, of 32 bytes; NULL: what it signed is not looked at */
	uint64_t number; /* in its log */
};

/*
 * What a signed association says; signed_json are its canonical bytes, every member kept. Strings
 * in mem. -MX_BAD_JSON for what is none, -MX_INVALID_EMAIL, -MX_INVALID_ADDRESS,
 * -MX_BAD_SIGNATURE unless a signature of the origin by any key id is by its key.
 */
int association_read(struct mx_slice text, const struct association_source *source,
		     struct mx_arena *mem, struct binding *ret_binding, struct mx_error *err);

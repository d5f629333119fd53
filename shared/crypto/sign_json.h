/* Signed JSON. Spec: appendices, "Signing JSON". What is signed is the canonical form of the
 * top-level object without `signatures` and `unsigned`. */
#pragma once

#include "shared/core/str.h"
#include "shared/json/scan.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct mx_error;
struct mx_signing_key;

/* Appends the bytes that signatures cover. -MX_BAD_JSON for reals or a non-object. */
int mx_signed_bytes(const struct mx_json_doc *doc, struct mx_str *out, struct mx_error *err);

/* Adds signatures.<server>.<key id> to an object that we built; others stay. */
int mx_sign_json(json_t *object, const char *server, const struct mx_signing_key *key,
		 struct mx_error *err);

enum mx_sig_state {
	MX_SIG_ABSENT, /* no signature by that name and key id */
	MX_SIG_BAD, /* there, but malformed or wrong */
	MX_SIG_GOOD,
};

/* Looks at signatures.<server>.<key_id> of the scanned object. `signed_bytes` is what
 * mx_signed_bytes() gave, so that many keys are checked over one canonical form. */
enum mx_sig_state mx_check_signature(const struct mx_json_doc *doc, struct mx_slice signed_bytes,
				     struct mx_slice server, struct mx_slice key_id,
				     const uint8_t public_key[32]);

/*
 * Canonical bytes of the whole object `doc` with `count` more signatures by `server` added:
 * existing entries, of that server too, stay unless they have the same key id. Every other byte
 * is the signer's own. For countersigning what mx_check_signature() found good: never call it on
 * unverified bytes.
 */
int mx_countersign(const struct mx_json_doc *doc, struct mx_slice signed_bytes, const char *server,
		   const struct mx_signing_key *const *keys, size_t count, struct mx_str *out,
		   struct mx_error *err);

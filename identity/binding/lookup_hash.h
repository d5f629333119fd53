/* The hash that a look-up names an identifier by. Spec: identity service API, "sha256". */
#pragma once

#include "identity/binding/lookup.h"

void lookup_hash(const struct threepid *threepid, const char *pepper,
		 uint8_t ret_hash[LOOKUP_HASH_LEN]);

/* Of its text: 43 characters of the URL-safe alphabet, as every writer of that hash makes them.
 * Another spelling of the same bytes is somebody's mistake, and no identifier's hash: false. */
bool lookup_hash_parse(struct mx_slice text, uint8_t ret_hash[LOOKUP_HASH_LEN]);

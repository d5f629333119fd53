/* What the objects of one version have in common, and in what they differ: valid_until_ts,
 * signatures, and what is unsigned. Works on canonical bytes. */
#pragma once

#include "shared/keys/key_history_rows.h"

struct mx_arena;
struct mx_error;
struct mx_str;

/* SHA-256 of the canonical form without the parts that may differ. */
int key_content_digest(const struct mx_json_doc *doc, uint8_t ret_digest[KEY_DIGEST_LEN],
		       struct mx_error *err);

/* The parts that may differ, borrowed from bytes; other fields of *ret_parts are zero. False
 * if bytes are no key object. */
bool key_object_split(struct mx_slice bytes, struct mx_arena *mem,
		      struct key_db_renewal *ret_parts);

/* Appends the object that has these parts and the rest of `bytes`, another of its version. */
bool key_object_join(struct mx_slice bytes, const struct key_db_renewal *parts,
		     struct mx_arena *mem, struct mx_str *out);

/* How many signatures by `server` a part `signatures` has. */
size_t key_signatures_count(struct mx_slice signatures, struct mx_slice server,
			    struct mx_arena *mem);

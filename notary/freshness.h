/* Whether what is known of a server answers a want, and which of it. Pure rules. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct key_entry;
struct key_version;

struct want {
	struct mx_slice key_id; /* empty: all keys */
	int64_t minimum_ms; /* minimum_valid_until_ts; never QUERY_NOW here */
};

/* Does the entry answer it without asking the origin: a version with the key (or any, for all
 * keys) that is valid until the minimum? A minimum further ahead than KEY_TRUST_MS, which no
 * origin has to promise, is met by what was seen from the origin within the last hour. */
bool want_is_met(const struct want *want, const struct key_entry *entry, int64_t now_ms);

/* Marks (bit array of entry->len bytes) the versions that answer the want: of a key the newest
 * that has it among its verify keys, the newest that has it as an old key, and the newest of
 * all if it lacks the key. `first` marks those that must come first in the answer. */
void want_mark(const struct want *want, const struct key_entry *entry, bool *mark, bool *first);

/* When the server should be asked again: halfway from when it last said so to the end of what
 * it promised, or of what may be trusted. */
int64_t version_half_life_ms(const struct key_version *version);

/* The version with the largest valid_until_ts, NULL if there is none. */
const struct key_version *entry_newest(const struct key_entry *entry);

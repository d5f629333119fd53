/*
 * All hashes of all peppers in memory, kept in step by the store's commits: a look-up of 100
 * hashes is 100 probes instead of 100 walks down a tree. Exact, or not there: when it would need
 * more than it may have, it is given up, and look-ups go to the store.
 */
#pragma once

#include "identity/binding/lookup_db.h"

struct lookup_memory;

/* Reads the whole table; nobody may write it meanwhile. bytes_max 0 gives NULL, which the other
 * functions take for a memory that was given up. */
int lookup_memory_new(struct store *store, size_t bytes_max, struct lookup_memory **ret_memory,
		      struct mx_error *err);
void lookup_memory_free(struct lookup_memory *memory);

/* As lookup_db_get_many(); false if there is no memory. Any thread. */
bool lookup_memory_get_many(struct lookup_memory *memory, const struct lookup_hashes *hashes,
			    struct mx_arena *mem, struct lookup_entry *ret_entries);

/* What it takes now; 0 when it was given up. */
size_t lookup_memory_bytes(struct lookup_memory *memory);

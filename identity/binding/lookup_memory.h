/*
 * The hashes of peppers in memory, kept in step by the store's commits: a look-up of 100 hashes is
 * 100 probes instead of 100 walks down a tree. A pepper's are exact, or not there: when all would
 * need more than they may have, those of the oldest pepper are given up, and look-ups with it go
 * to the store. The next pepper is remembered again, if it fits.
 */
#pragma once

#include "identity/binding/lookup_db.h"

struct lookup_memory;

/* Reads the whole table; nobody may write it meanwhile. bytes_max 0 gives NULL, which the other
 * functions take for a memory that has nothing. */
int lookup_memory_new(struct store *store, size_t bytes_max, struct lookup_memory **ret_memory,
		      struct mx_error *err);
void lookup_memory_free(struct lookup_memory *memory);

/* As lookup_db_get_many(); false if this pepper was given up. Any thread. */
bool lookup_memory_get_many(struct lookup_memory *memory, const struct lookup_hashes *hashes,
			    struct mx_arena *mem, struct lookup_entry *ret_entries);

/* What all of it takes now. */
size_t lookup_memory_bytes(const struct lookup_memory *memory);

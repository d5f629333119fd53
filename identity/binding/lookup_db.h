/* Records of the tables of hashes, one for each pepper. */
#pragma once

#include "identity/binding/lookup.h"

struct mx_arena;

struct lookup_entry {
	const char *user_id; /* NULL: there is none */
	int64_t not_before_ms, not_after_ms; /* 0 = no limit */
};

struct lookup_row {
	uint64_t generation;
	uint8_t hash[LOOKUP_HASH_LEN];
	struct lookup_entry entry;
};

void lookup_db_put(struct store_txn *txn, uint64_t generation, const uint8_t hash[LOOKUP_HASH_LEN],
		   const struct lookup_entry *entry);
void lookup_db_delete(struct store_txn *txn, uint64_t generation,
		      const uint8_t hash[LOOKUP_HASH_LEN]);

struct lookup_hashes {
	uint64_t generation;
	const uint8_t (*items)[LOOKUP_HASH_LEN];
	size_t len;
};

/* ret_entries[i] for items[i]; strings in mem. */
int lookup_db_get_many(struct store_view *view, const struct lookup_hashes *hashes,
		       struct mx_arena *mem, struct lookup_entry *ret_entries);

/* A row of the table; a value with ptr NULL is a deleted one: nobody. False for what no writer
 * made. */
bool lookup_db_read(struct mx_slice key, struct mx_slice value, struct mx_arena *mem,
		    struct lookup_row *ret_row);

/* Deletes at most `limit` rows of a pepper; *ret_deleted less than that: it has no more. */
int lookup_db_drop(struct store_txn *txn, uint64_t generation, size_t limit, struct mx_arena *mem,
		   size_t *ret_deleted);

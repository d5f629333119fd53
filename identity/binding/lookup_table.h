/*
 * The hashes of one pepper and their users, in about 60 bytes each: half of the hash and a place
 * in a heap of texts. Readers from any thread beside one writer.
 */
#pragma once

#include "identity/binding/lookup_db.h"

#include <stddef.h>

struct lookup_table;

#define LOOKUP_USER_MAX 255

struct lookup_table *lookup_table_new(void);
void lookup_table_free(struct lookup_table *table);

/* The entry of a hash, in mem; its user_id is NULL if there is none. */
void lookup_table_get(struct lookup_table *table, const uint8_t hash[LOOKUP_HASH_LEN],
		      struct mx_arena *mem, struct lookup_entry *ret_entry);

/* Of the writer. A user id has at most LOOKUP_USER_MAX bytes. */
void lookup_table_put(struct lookup_table *table, const uint8_t hash[LOOKUP_HASH_LEN],
		      const struct lookup_entry *entry);
void lookup_table_remove(struct lookup_table *table, const uint8_t hash[LOOKUP_HASH_LEN]);
void lookup_table_clear(struct lookup_table *table);

size_t lookup_table_len(const struct lookup_table *table);
size_t lookup_table_bytes(const struct lookup_table *table);

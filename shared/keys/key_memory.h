/* The bounded cache of entries: shards, each a least-recently-used list under a short lock. */
#pragma once

#include "shared/keys/key_history.h"

struct key_memory;

/* bytes: of entries, their share of the tables included. */
struct key_memory *key_memory_new(size_t bytes);
void key_memory_free(struct key_memory *memory);

/* A reference for the caller, or NULL. */
struct key_entry *key_memory_find(struct key_memory *memory, struct mx_slice server);

/* Takes a reference of its own and replaces what was there. An entry without versions stays for
 * KEY_UNKNOWN_MS, apart from the others, so that names made up cannot push them out; one that is
 * larger than a quarter of its shard is not kept. */
void key_memory_put(struct key_memory *memory, struct key_entry *entry);
void key_memory_remove(struct key_memory *memory, struct mx_slice server);
void key_memory_clear(struct key_memory *memory);

#define KEY_UNKNOWN_MS 60000

/* Of entries with versions. */
void key_memory_size(struct key_memory *memory, size_t *ret_entries, size_t *ret_bytes);

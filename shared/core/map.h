/* A hash map from byte strings to pointers. Hashing is seeded: peers cannot make it slow.
 * Not thread-safe. */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>

/* `{ 0 }` is an empty map. */
struct mx_map {
	struct mx_map_slot *slots;
	size_t len, cap;
};

/* free_value may be NULL. */
void mx_map_done(struct mx_map *map, void (*free_value)(void *));

/* The value, or NULL. */
void *mx_map_find(const struct mx_map *map, struct mx_slice key);

/* Stores value (not NULL) under a copy of key; returns the value that it replaced, or NULL. */
void *mx_map_put(struct mx_map *map, struct mx_slice key, void *value);

/* Takes the entry out and returns its value, or NULL. */
void *mx_map_remove(struct mx_map *map, struct mx_slice key);

/* Goes through all entries in no order: start with *cursor = 0; false at the end.
 * The map must not change meanwhile. */
bool mx_map_next(const struct mx_map *map, size_t *cursor, struct mx_slice *ret_key,
		 void **ret_value);

/* An ordered map of rows in memory (a skip list): a transaction's own writes, and the rows as they
 * were before recent commits. Locking is the user's. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_arena;

#define STORE_ORDERED_HEIGHT 16

struct store_ordered_node {
	struct mx_slice key, value; /* the map's own bytes */
	uint64_t position; /* equal keys stand in the order of these */
	bool present; /* false: the row is known to be absent */
	uint8_t height;
	uint32_t stamp_end; /* where the value's stamp ends; 0: it has none */
	struct store_ordered_node *next[]; /* next[0]: the following row */
};

/* `{ 0 }` is empty. */
struct store_ordered {
	struct store_ordered_node *head[STORE_ORDERED_HEIGHT];
	size_t len;
	uint32_t random;
};

struct store_ordered_row {
	struct mx_slice key, value;
	uint64_t position;
	bool present;
	uint32_t stamp_end;
};

/* The first node that does not stand before (key, position), or NULL. */
struct store_ordered_node *store_ordered_from(const struct store_ordered *map, struct mx_slice key,
					      uint64_t position);

/* The node of exactly (key, position), or NULL. */
struct store_ordered_node *store_ordered_find(const struct store_ordered *map, struct mx_slice key,
					      uint64_t position);

/* Adds a copy of the row, in place of one with the same key and position. The memory is mem's,
 * or the heap's when mem is NULL: the same for all rows of a map. */
struct store_ordered_node *store_ordered_put(struct store_ordered *map, struct mx_arena *mem,
					     const struct store_ordered_row *row);

/* Takes the node out; the caller frees it if it came from the heap. */
void store_ordered_remove(struct store_ordered *map, struct store_ordered_node *node);

/* Bytes that a node with this row takes. */
size_t store_ordered_size(const struct store_ordered_node *node);

/* Frees all nodes of a map in the heap. */
void store_ordered_done(struct store_ordered *map);

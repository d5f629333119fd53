/* Persistent maps from slots to state events: 64-way tries of numbered nodes that never change.
 * Putting a value makes the few nodes on its way anew and shares all others, so a state costs what
 * changed, and two states differ where their nodes differ. See README.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values and children stand in the order of their bits. Level 0 holds values. */
struct trie_node {
	uint64_t bitmap; /* which of the 64 places are taken */
	uint8_t level; /* covers 64^(level+1) slots */
	uint32_t items[]; /* as many as bits */
};

#define TRIE_LEVEL_MAX 5 /* 2^32 slots and more */

/* Where nodes are: old ones behind `load`, new ones here until they are written down. Numbers
 * are the room's, from 1; as a root, 0 is the empty map. Not thread-safe. */
struct trie_nodes {
	/* A node of a number below `first`, good until trie_nodes_done(); NULL if it cannot be had:
	 * then `broken` is set, the map counts as empty below it, and what comes of it must not be
	 * used. */
	const struct trie_node *(*load)(void *ctx, uint32_t number);
	void *ctx;
	uint32_t first; /* number of the first new node */
	struct trie_node **items; /* new ones */
	size_t len, cap;
	bool broken;
};

/* first: at least 1. load may be NULL where nothing is old. */
void trie_nodes_init(struct trie_nodes *nodes, uint32_t first);
void trie_nodes_done(struct trie_nodes *nodes);

size_t trie_node_size(const struct trie_node *node);

/* 0 if the slot has no value. */
uint32_t trie_find(struct trie_nodes *nodes, uint32_t root, uint32_t slot);

/* The root of the map with the value in the slot; value 0 takes it out. The same root if nothing
 * changes. */
uint32_t trie_put(struct trie_nodes *nodes, uint32_t root, uint32_t slot, uint32_t value);

/* Values are 0 where one map has none. */
typedef void (*trie_diff_fn)(void *ctx, uint32_t slot, uint32_t a, uint32_t b);

/* Calls fn for every slot in which the maps differ, in order. */
void trie_diff(struct trie_nodes *nodes, uint32_t a, uint32_t b, trie_diff_fn fn, void *ctx);

/* Calls fn for every slot, in order: the difference to the empty map, in `b`. */
static inline void trie_each(struct trie_nodes *nodes, uint32_t root, trie_diff_fn fn, void *ctx)
{
	trie_diff(nodes, 0, root, fn, ctx);
}

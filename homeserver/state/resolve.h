/* State resolution: one state out of several. Spec: room versions 1, 2 and 12, "State
 * resolution". What is resolved depends on the events alone, not on the order of the states. */
#pragma once

#include "homeserver/state/graph.h"
#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct event;
struct mx_error;
struct room_version;
struct trie_nodes;

#define RESOLVE_STATES_MAX 64

/* Roots of its two tries; see trie.h. */
struct room_state {
	uint32_t members, others;
};

/* What resolution asks of a room. */
struct resolver {
	const struct room_version *version;
	const struct graph *graph;
	struct trie_nodes *nodes;
	/* A state event by its number, good until the resolution is over; NULL if it cannot be
	 * had. */
	const struct event *(*load)(void *ctx, uint32_t number);
	/* False if the room never had state of that type and key. */
	bool (*slot)(void *ctx, const char *type, struct mx_slice state_key, uint32_t *ret_slot);
	void *ctx;
};

/* 0 if the state has none. */
uint32_t room_state_find(struct trie_nodes *nodes, const struct room_state *state, uint32_t slot);
void room_state_put(struct trie_nodes *nodes, struct room_state *state, uint32_t slot,
		    uint32_t number);

/* 1 to RESOLVE_STATES_MAX states. -MX_STORE if an event or a node cannot be had. */
int state_resolve(const struct resolver *resolver, const struct room_state *states, size_t len,
		  struct room_state *ret_state, struct mx_error *err);

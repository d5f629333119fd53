/* The state events of a room in memory, numbered in the order in which they come, with all that
 * state resolution asks of a room. */
#pragma once

#include "homeserver/event/event.h"
#include "homeserver/state/resolve.h"
#include "homeserver/state/trie.h"
#include "shared/core/map.h"

struct mx_arena;

struct state_fixture {
	struct mx_arena *mem;
	struct mx_map ids, slots; /* to numbers */
	struct event **events; /* [0] is none; pointers stay as the room grows */
	struct graph_event *graph_events;
	uint32_t *cited;
	uint32_t len, cited_len, slots_len, cap, cited_cap;
	struct graph graph;
	struct trie_nodes nodes;
	struct resolver resolver;
};

/* Resolvers keep a pointer to it: it stays where it is. */
void state_fixture_init(struct state_fixture *room, const char *version);
void state_fixture_done(struct state_fixture *room);

/* A state event whose auth_events are there already. Its number; 0 with *err for what is no event,
 * or cites what is not there. */
uint32_t state_fixture_add(struct state_fixture *room, struct mx_slice json, bool rejected,
			   struct mx_error *err);

/* The same for one that was read already, and lives as long as the room. */
uint32_t state_fixture_put(struct state_fixture *room, struct event *event, bool rejected);

/* 0 if the event is not there. */
uint32_t state_fixture_find(const struct state_fixture *room, struct mx_slice id);

/* The state with these events. */
struct room_state state_fixture_state(struct state_fixture *room, const uint32_t *numbers,
				      size_t len);

/* All numbers of a state, in order; returns how many, at most max. */
size_t state_fixture_numbers(struct state_fixture *room, const struct room_state *state,
			     uint32_t *ret_numbers, size_t max);

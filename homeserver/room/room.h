/*
 * A room in memory: its head, and of its state what was asked for. Everything here belongs to who
 * has the room's turn (ingest/turn.h). What is not durable yet is never forgotten: it cannot be
 * read from the store.
 */
#pragma once

#include "homeserver/room/event_db.h"
#include "homeserver/room/room_db.h"
#include "homeserver/state/graph.h"
#include "shared/core/map.h"
#include "shared/core/vec.h"
#include "shared/store/store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct hs_call;
struct mx_str;
struct rooms;
struct trie_node;

/* A state event of the room, parsed. */
struct room_event {
	struct mx_arena *mem; /* its own */
	struct stored_event stored;
};

/* The newest events that no other one cites: what the next one needs to know of them. */
struct room_extremity {
	uint32_t number;
	struct mx_slice id; /* ptr: from mx_alloc */
	uint8_t hash[32]; /* its reference hash, in versions that cite it */
	struct room_state after;
};

/* All state events and what they cite; only rooms whose states must be resolved have it. */
struct room_graph {
	struct mx_vec(struct graph_event) events; /* [0] is none; empty: not loaded */
	struct mx_vec(uint32_t) cited;
};

struct room {
	uint32_t number;
	char *id;
	pthread_mutex_t turn;
	struct store_chain chain; /* of its commits */
	struct room_head head;
	struct room_extremity extremities[ROOM_EXTREMITIES_MAX]; /* as in head */
	struct mx_map events; /* state number → struct room_event */
	struct mx_map nodes; /* number → struct trie_node */
	struct mx_map slots; /* type and state_key → slot + 1 */
	struct room_graph graph;
	size_t bytes; /* of what the maps hold, about */

	/* The registry's, under its lock. */
	unsigned users;
	bool forgotten; /* not in the registry any more */
	struct room *newer, *older;
};

/* ---- of who has the turn; `call` reads what is not in memory */

/* The event behind a state number; NULL if it cannot be had. Good until room_trim(). */
const struct room_event *room_event_load(struct room *room, const struct hs_call *call,
					 uint32_t state_number);
void room_event_keep(struct room *room, const struct stored_event *stored);

const struct trie_node *room_node_load(struct room *room, const struct hs_call *call,
				       uint32_t number);
/* Takes the node. */
void room_node_keep(struct room *room, uint32_t number, struct trie_node *node);

/* False if the room never had state of that type and key, or if that cannot be read. */
bool room_slot_find(struct room *room, const struct hs_call *call, struct mx_slice type,
		    struct mx_slice state_key, uint32_t *ret_slot);
/* The key of a map of slots. */
void room_slot_key(struct mx_slice type, struct mx_slice state_key, struct mx_str *out);

/* All state events up to the room's head, which must be durable. -MX_STORE. */
int room_graph_load(struct room *room, const struct hs_call *call, struct mx_error *err);
/* Does nothing if the graph is not loaded. */
void room_graph_add(struct room *room, const struct graph_event *event, const uint32_t *cited);
void room_graph_forget(struct room *room);

/* Forgets what can be read again, if there is much of it. */
void room_trim(struct room *room, size_t bytes_max);

/* ---- its life; of room/rooms.c */

struct room *room_new(uint32_t number, const char *id);
/* Head and extremities, from the store. */
int room_load(struct room *room, const struct hs_call *call);
void room_free(struct room *room);

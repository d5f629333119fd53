/* A turn, inside: what its files share. */
#pragma once

#include "homeserver/call.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/room/room.h"
#include "homeserver/state/trie.h"

/* A state event that the turn made. */
struct born {
	struct stored_event stored;
	struct graph_event graph;
	const uint32_t *cited;
};

struct room_turn {
	struct hs_call call; /* with the transaction */
	struct hs_call read; /* with a view, of rows that never change; see turn_read() */
	struct room *room;
	bool is_new; /* made with the turn */
	struct room_head head; /* as the turn has made it */
	struct room_extremity extremities[ROOM_EXTREMITIES_MAX]; /* ids: in call.mem, or the room's
								  */
	struct trie_nodes nodes;
	struct mx_vec(struct born *) born; /* from number first_born on */
	uint32_t first_born;
	size_t in_graph; /* how many of them the room's graph has */
	struct mx_map slots; /* that the turn made */
	struct mx_vec(struct stored_event *) redacted; /* state events: what is left of them */
	size_t events; /* that it added */
};

/* For reading what is not in the room's memory. */
const struct hs_call *turn_read(struct room_turn *turn);

/* A state event by its number; NULL if it cannot be had. */
const struct stored_event *turn_state_event(struct room_turn *turn, uint32_t number);
bool turn_slot(struct room_turn *turn, struct mx_slice type, struct mx_slice state_key,
	       uint32_t *ret_slot);
/* The same, made if the room never had one. */
uint32_t turn_slot_made(struct room_turn *turn, struct mx_slice type, struct mx_slice state_key);
/* The event of a type and key in a state; NULL if there is none. */
const struct stored_event *turn_find(struct room_turn *turn, const struct room_state *state,
				     const char *type, struct mx_slice state_key);

/* A state event has been redacted: its header says so. Who looks at the state finds what is left
 * of it. */
int turn_redacted(struct room_turn *turn, const struct stored_event *event);

/* The graph of the room with what the turn made. -MX_STORE. Waits until all is durable: only
 * rooms that forked want it. */
struct graph;
int turn_graph(struct room_turn *turn, struct graph *ret_graph, struct mx_error *err);

/* Reading a room's state, at any of its events, from the store: what /state, /sync, /members and
 * visibility ask. Takes no lock. */
#pragma once

#include "homeserver/room/event_db.h"
#include "homeserver/room/membership.h"
#include "homeserver/state/resolve.h"
#include "homeserver/state/trie.h"
#include "shared/core/map.h"

struct hs_call;
struct mx_error;

struct state_reader {
	const struct hs_call *call;
	uint32_t room;
	struct trie_nodes nodes;
	/* What was read: nodes by their numbers, slots by types and keys, events that were loaded
	 * by these, by state numbers. */
	struct mx_map loaded, slots, events;
};

/* The call stays as long as the reader, and the reader where it is; what is read is in call->mem.
 */
void state_reader_init(struct state_reader *reader, const struct hs_call *call, uint32_t room);
void state_reader_done(struct state_reader *reader);

/* The event of a type and key in a state; asked again for one that did not change, it costs next to
 * nothing. -MX_NOT_FOUND, -MX_STORE. */
int state_reader_load(struct state_reader *reader, const struct room_state *state, const char *type,
		      struct mx_slice state_key, struct stored_event *ret_event);
/* MEMBERSHIP_NONE for nobody and for what is broken. */
enum membership state_reader_membership(struct state_reader *reader, const struct room_state *state,
					struct mx_slice user_id);
/* The event behind a number of a trie. */
int state_reader_event(struct state_reader *reader, uint32_t state_number,
		       struct stored_event *ret_event);

/* State numbers, in the order of slots. */
struct state_numbers {
	uint32_t *items;
	size_t len;
};

enum state_part { STATE_MEMBERS = 1, STATE_OTHERS = 2, STATE_ALL = 3 };

int state_reader_list(struct state_reader *reader, const struct room_state *state,
		      enum state_part part, struct state_numbers *ret_numbers);
/* What is in `to` and was not in `from`; what is gone is not listed. */
int state_reader_changes(struct state_reader *reader, const struct room_state *from,
			 const struct room_state *to, enum state_part part,
			 struct state_numbers *ret_numbers);

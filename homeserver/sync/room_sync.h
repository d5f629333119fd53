/* A room of one answer of /sync: what happened in it since, and the state around that. */
#pragma once

#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/state_reader.h"
#include "homeserver/sync/sync.h"
#include "homeserver/timeline/visibility.h"
#include "shared/core/vec.h"

/* Events, oldest first, and the states before and after them. */
struct room_timeline {
	struct stored_event *events;
	size_t len;
	bool limited; /* there are earlier ones that the client does not know */
	struct topo_place before; /* the place before all of them */
	struct room_state start, end;
};

struct room_sync {
	struct sync *sync;
	struct hs_call call; /* its memory is this room's alone */
	const struct user_room *row; /* the user's membership */
	struct room_head head;
	struct state_reader reader;
	bool ended; /* the user is no member any more: it ends with row->rseq */
	bool anew; /* the user was no member at `since` */
	bool knows; /* the client knows the state at `since`: `base`, else nothing */
	struct room_state base; /* empty if it knows nothing */
	uint64_t after; /* position: what came until then is not shown again */
	struct visibility visibility; /* if it sees anything at all */
	bool sees;
	struct room_timeline timeline;
};

/* Numbers of state events. */
struct state_set mx_vec(uint32_t);

static inline bool state_set_has(const struct state_set *set, uint32_t number)
{
	for (size_t i = 0; i < set->len; i++) {
		if (set->items[i] == number)
			return true;
	}
	return false;
}

/* mem: as long as the room. -MX_NOT_FOUND if there is no such room. */
int room_sync_begin(struct room_sync *rs, struct sync *sync, const struct user_room *row,
		    struct mx_arena *mem);
void room_sync_end(struct room_sync *rs);
/* Whether the user was joined at a position. */
int room_sync_was_joined(struct room_sync *rs, uint64_t position, bool *ret_joined);

/* Finds the events; to be called once knows, base and after are set. */
int room_timeline_load(struct room_sync *rs);
void room_timeline_write(struct room_sync *rs);
/* `state` or `state_after`, with the events of heroes when members are loaded lazily. */
int room_state_write(struct room_sync *rs, const struct state_set *heroes);
/* `summary`, if it may have changed. Adds the numbers of the heroes' member events. */
int room_summary_write(struct room_sync *rs, struct state_set *heroes);

/* ---- what is not of the room's events; ret_any: whether there is anything */

/* `ephemeral` */
int room_ephemeral_write(struct room_sync *rs, bool *ret_any);
/* `account_data` */
int room_account_data_write(struct room_sync *rs, bool *ret_any);
void room_unread_write(struct room_sync *rs);

/* Who may see which event: the only place where that is decided.
 * Spec: client-server API, "m.room.history_visibility". */
#pragma once

#include "homeserver/event/event_db.h"
#include "homeserver/state/state_reader.h"

#include <stdbool.h>

/* Reads what it needs once for a run of events with the same state. */
struct visibility {
	struct state_reader *reader;
	struct mx_slice user_id;
	struct room_state seen_at; /* of what is below */
	bool known, readable;
	bool joined_now, joined_ever;
};

/* -MX_FORBIDDEN if the user may see nothing at all of the room: neither a member, nor was one, nor
 * is it world-readable. */
int visibility_init(struct visibility *visibility, struct state_reader *reader,
		    struct mx_slice user_id, struct mx_error *err);
/* Hidden events (EVENT_HIDDEN) are nobody's. */
bool visibility_allows(struct visibility *visibility, const struct stored_event *event);

/*
 * What happens to an event on its way into a room, in steps: the only way in, for events that are
 * born here and for those that others send. Spec: server-server API, "Checks performed on receipt
 * of a PDU". All of it happens in a turn; what must be fetched from other servers is fetched
 * before.
 */
#pragma once

#include "homeserver/room/event_db.h"

struct mx_error;
struct room_turn;

struct ingest_source {
	bool local; /* built here, in this turn: it follows the newest events and cites by selection
		     */
	const uint32_t *cited; /* of a local one: state numbers of its auth_events */
	size_t cited_len;
	const char *device, *txn_id; /* may be NULL */
};

/*
 * Takes the event into the room. A local one that the rules do not allow is -MX_FORBIDDEN, and
 * nothing of it is there. Others are stored whatever the rules say; ret_event's flags tell what
 * became of them. -MX_NOT_FOUND: events that it cites are not here; -MX_CONFLICT: it is here
 * already; -MX_STORE. ret_event: in the turn's memory.
 */
int ingest_apply(struct room_turn *turn, const struct event *event,
		 const struct ingest_source *source, const struct stored_event **ret_event,
		 struct mx_error *err);

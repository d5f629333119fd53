/* Events that are born here: from a wish to a signed event that follows the room's newest. */
#pragma once

#include "homeserver/ingest/turn.h"

/* The create event and the first head of a room; neither is stored. */
int birth_create(const struct hs_call *call, const struct room_birth *birth,
		 struct room_head *ret_head, const struct event **ret_create, struct mx_error *err);
/* Takes the create event into its room. */
int birth_begin(struct room_turn *turn, const struct event *create, const struct event_wish *wish,
		struct mx_error *err);
/* See turn_send(). */
int birth_send(struct room_turn *turn, const struct event_wish *wish,
	       const struct event **ret_event, struct mx_error *err);

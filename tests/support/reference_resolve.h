/* State resolution as the specification words it, with lists and loops: slow and obvious. The
 * daemon's is held against it. */
#pragma once

#include "homeserver/event/event.h"

struct reference_room {
	const struct room_version *version;
	const struct event *const *events; /* [0] is none; cited ones come before */
	const bool *rejected;
	uint32_t len;
};

/* Numbers of events of different types or keys. */
struct reference_state {
	const uint32_t *numbers;
	size_t len;
};

/* The resolved state, in order of its numbers; returns how many. Room for all events of the
 * room. */
size_t reference_resolve(const struct reference_room *room, const struct reference_state *states,
			 size_t len, uint32_t *ret_numbers);

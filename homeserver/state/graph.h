/* The state events of a room and what they cite, as resolution reads them: numbered by the room so
 * that an event's number is larger than those of all that it cites. So a sweep over the numbers is
 * a walk over the graph. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Slots are the room's numbers for (type, state_key); those of memberships have this bit. */
#define SLOT_MEMBER (UINT32_C(1) << 31)

enum graph_flags {
	GRAPH_REJECTED = 1,
	GRAPH_LEVELS = 2, /* the room's power levels */
	GRAPH_POWER = 4, /* a power event. Spec: room version 2, "Definitions" */
};

struct graph_event {
	int64_t origin_server_ts;
	uint32_t slot;
	uint32_t cited; /* index of the first one it cites */
	uint16_t cited_len;
	uint16_t flags; /* enum graph_flags */
};

struct graph {
	const struct graph_event *events; /* [0] is none */
	uint32_t len; /* the largest number, and one */
	const uint32_t *cited;
};

struct event;

/* Whether the event is one of those that resolution looks at first. */
bool graph_is_power_event(const struct event *event);

/* The two orders in which events are tried. Spec: room version 2, "State resolution". */
#pragma once

#include "homeserver/state/resolution.h"

/* Reverse topological power ordering: `numbers` are in order of their numbers, and are put into
 * that of their power, in place. */
int order_by_power(struct resolution *resolution, struct numbers *numbers);

/* Mainline ordering based on the levels event `levels`, 0 for none; in place. */
int order_by_mainline(struct resolution *resolution, uint32_t levels, struct numbers *numbers);

/* The levels event that an event cites; 0 for none. */
uint32_t cited_levels(const struct graph *graph, uint32_t number);

/* What the resolution algorithms share: where states differ, and a state in the making. */
#pragma once

#include "homeserver/state/resolve.h"

struct mx_arena;

struct numbers {
	uint32_t *items;
	size_t len;
};

struct resolution {
	const struct resolver *resolver;
	const struct room_state *states; /* that differ */
	size_t states_len;
	struct mx_arena *mem;
	struct mx_error *err;

	struct numbers conflicted; /* slots in which the states differ, in order */

	/* The state in the making: what is decided of some slots, in order; of all others what
	 * `base` has. */
	struct numbers slots;
	uint32_t *decided; /* event numbers, 0: none */
	const struct room_state *base; /* NULL: empty */
};

int resolve_v1(struct resolution *resolution, struct room_state *ret_state);
int resolve_v2(struct resolution *resolution, struct room_state *ret_state);

bool slot_is_conflicted(const struct resolution *resolution, uint32_t slot);

/* Begins a state in the making in which `slots` (any order, also twice) can be decided. */
void making_begin(struct resolution *resolution, const struct numbers *slots);
uint32_t making_find(const struct resolution *resolution, uint32_t slot);
/* The slot is one of those. */
void making_put(struct resolution *resolution, uint32_t slot, uint32_t number);

/*
 * Whether the state in the making allows the event: 1 or 0, or an error if an event cannot be had.
 * What the state lacks is taken from what the event cites, if `cited`.
 */
int making_allows(struct resolution *resolution, uint32_t number, bool cited);

/* The event, or NULL with the error noted. */
const struct event *resolution_load(struct resolution *resolution, uint32_t number);

/* In order, each once. */
void numbers_sort(struct numbers *numbers);
bool numbers_have(const struct numbers *numbers, uint32_t number, size_t *ret_index);

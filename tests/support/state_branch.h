/* A branch of a room in memory: the state that somebody believes in who does not know of all. */
#pragma once

#include "tests/support/state_fixture.h"

#define STATE_BRANCH_MAX 64

struct state_branch {
	uint32_t numbers[STATE_BRANCH_MAX]; /* of events of different slots */
	size_t len;
};

/* The event comes in the place of the one of its slot. */
void state_branch_put(const struct state_fixture *room, struct state_branch *branch,
		      uint32_t number);

/* What the authorisation rules ask: find() of a struct auth_state, whose ctx is a struct
 * branch_of_room. NULL if there is no such event. */
struct branch_of_room {
	const struct state_fixture *room;
	const struct state_branch *branch;
};

const struct event *state_branch_find(void *ctx, const char *type, struct mx_slice state_key);

/* reference_resolve() of branches of a room; room for all its events. */
size_t state_branches_resolve_slowly(const struct state_fixture *room,
				     const struct state_branch *branches, size_t len,
				     uint32_t *ret_numbers);

#include "tests/support/state_branch.h"

#include "shared/core/alloc.h"
#include "tests/support/reference_resolve.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void state_branch_put(const struct state_fixture *room, struct state_branch *branch,
		      uint32_t number)
{
	uint32_t slot = room->graph_events[number].slot;

	for (size_t i = 0; i < branch->len; i++)
		if (room->graph_events[branch->numbers[i]].slot == slot) {
			branch->numbers[i] = number;
			return;
		}
	assert_true(branch->len < STATE_BRANCH_MAX);
	branch->numbers[branch->len++] = number;
}

const struct event *state_branch_find(void *ctx, const char *type, struct mx_slice state_key)
{
	const struct branch_of_room *of = ctx;

	for (size_t i = 0; i < of->branch->len; i++) {
		const struct event *event = of->room->events[of->branch->numbers[i]];

		if (event_is(event, type, state_key))
			return event;
	}
	return NULL;
}

size_t state_branches_resolve_slowly(const struct state_fixture *room,
				     const struct state_branch *branches, size_t len,
				     uint32_t *ret_numbers)
{
	struct reference_state *states = mx_calloc(len, sizeof(*states));
	bool *rejected = mx_calloc(room->len, sizeof(*rejected));
	const struct reference_room reference = {
		.version = room->resolver.version,
		.events = (const struct event *const *)room->events,
		.rejected = rejected,
		.len = room->len,
	};
	size_t resolved;

	for (uint32_t i = 1; i < room->len; i++)
		rejected[i] = room->graph_events[i].flags & GRAPH_REJECTED;
	for (size_t i = 0; i < len; i++)
		states[i] = (struct reference_state){ branches[i].numbers, branches[i].len };
	resolved = reference_resolve(&reference, states, len, ret_numbers);
	mx_free(rejected);
	mx_free(states);
	return resolved;
}

/* Spec: room version 2, "State resolution", and room version 12, which begins with an empty state
 * and looks at more events. */
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/state/conflicted_set.h"
#include "homeserver/state/order.h"
#include "homeserver/state/resolution.h"
#include "shared/core/arena.h"

/* ---- which events come first */

/* Power events of the set, and what they cite of it. */
static void pick_power_events(struct resolution *resolution, const struct numbers *set,
			      struct numbers *ret_power, struct numbers *ret_others)
{
	const struct graph *graph = resolution->resolver->graph;
	bool *picked = mx_arena_calloc(resolution->mem, set->len + 1, sizeof(*picked));

	for (size_t i = set->len; i-- > 0;) {
		const struct graph_event *event = &graph->events[set->items[i]];
		size_t cited;

		picked[i] = picked[i] || (event->flags & GRAPH_POWER);
		for (uint32_t j = 0; picked[i] && j < event->cited_len; j++)
			if (numbers_have(set, graph->cited[event->cited + j], &cited))
				picked[cited] = true;
	}
	ret_power->items = mx_arena_calloc(resolution->mem, set->len + 1, sizeof(uint32_t));
	ret_others->items = mx_arena_calloc(resolution->mem, set->len + 1, sizeof(uint32_t));
	ret_power->len = ret_others->len = 0;
	for (size_t i = 0; i < set->len; i++) {
		struct numbers *to = picked[i] ? ret_power : ret_others;

		to->items[to->len++] = set->items[i];
	}
}

/* ---- iterative auth checks */

static int try_all(struct resolution *resolution, const struct numbers *numbers)
{
	const struct graph *graph = resolution->resolver->graph;

	for (size_t i = 0; i < numbers->len; i++) {
		uint32_t number = numbers->items[i];
		int allowed = making_allows(resolution, number, true);

		if (allowed < 0)
			return allowed;
		if (allowed)
			making_put(resolution, graph->events[number].slot, number);
	}
	return 0;
}

static void begin(struct resolution *resolution, const struct numbers *set)
{
	const struct resolver *resolver = resolution->resolver;
	struct numbers slots = { .len = set->len };

	slots.items = mx_arena_calloc(resolution->mem, set->len + 1, sizeof(*slots.items));
	for (size_t i = 0; i < set->len; i++)
		slots.items[i] = resolver->graph->events[set->items[i]].slot;
	if (resolver->version->resolution == RESOLUTION_V2)
		resolution->base = &resolution->states[0];
	making_begin(resolution, &slots);
}

static uint32_t levels_so_far(const struct resolution *resolution)
{
	const struct resolver *resolver = resolution->resolver;
	uint32_t slot;

	if (!resolver->slot(resolver->ctx, TYPE_POWER_LEVELS, MX_SLICE(""), &slot))
		return 0;
	return making_find(resolution, slot);
}

/* ---- the whole */

/* What no state contests stays. */
static bool is_contested(const struct resolution *resolution, uint32_t slot)
{
	return slot_is_conflicted(resolution, slot) ||
	       !room_state_find(resolution->resolver->nodes, &resolution->states[0], slot);
}

static void finish(const struct resolution *resolution, struct room_state *ret_state)
{
	*ret_state = resolution->states[0];
	for (size_t i = 0; i < resolution->slots.len; i++)
		if (is_contested(resolution, resolution->slots.items[i]))
			room_state_put(resolution->resolver->nodes, ret_state,
				       resolution->slots.items[i], resolution->decided[i]);
}

int resolve_v2(struct resolution *resolution, struct room_state *ret_state)
{
	struct numbers set, power, others;
	int rc;

	full_conflicted_set(resolution, &set);
	pick_power_events(resolution, &set, &power, &others);
	begin(resolution, &set);
	rc = order_by_power(resolution, &power);
	if (rc == 0)
		rc = try_all(resolution, &power);
	if (rc == 0)
		rc = order_by_mainline(resolution, levels_so_far(resolution), &others);
	if (rc == 0)
		rc = try_all(resolution, &others);
	if (rc == 0)
		finish(resolution, ret_state);
	return rc;
}

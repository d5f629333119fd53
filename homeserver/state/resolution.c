#include "homeserver/state/resolution.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"
#include "homeserver/eventauth/eventauth.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <stdlib.h>

/* ---- numbers */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void numbers_sort(struct numbers *numbers)
{
	size_t kept = 0;

	if (numbers->len)
		qsort(numbers->items, numbers->len, sizeof(*numbers->items), compare);
	for (size_t i = 0; i < numbers->len; i++)
		if (kept == 0 || numbers->items[i] != numbers->items[kept - 1])
			numbers->items[kept++] = numbers->items[i];
	numbers->len = kept;
}

bool numbers_have(const struct numbers *numbers, uint32_t number, size_t *ret_index)
{
	size_t from = 0, to = numbers->len;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (numbers->items[middle] < number)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == numbers->len || numbers->items[from] != number)
		return false;
	if (ret_index)
		*ret_index = from;
	return true;
}

bool slot_is_conflicted(const struct resolution *resolution, uint32_t slot)
{
	return numbers_have(&resolution->conflicted, slot, NULL);
}

/* ---- the state in the making */

void making_begin(struct resolution *resolution, const struct numbers *slots)
{
	struct numbers *own = &resolution->slots;

	own->items = mx_arena_calloc(resolution->mem, slots->len + 1, sizeof(*own->items));
	own->len = slots->len;
	if (slots->len)
		memcpy(own->items, slots->items, slots->len * sizeof(*own->items));
	numbers_sort(own);
	resolution->decided = mx_arena_calloc(resolution->mem, own->len + 1,
					      sizeof(*resolution->decided));
	for (size_t i = 0; resolution->base && i < own->len; i++)
		if (!slot_is_conflicted(resolution, own->items[i]))
			resolution->decided[i] = room_state_find(resolution->resolver->nodes,
								 resolution->base, own->items[i]);
}

uint32_t making_find(const struct resolution *resolution, uint32_t slot)
{
	size_t index;

	if (numbers_have(&resolution->slots, slot, &index))
		return resolution->decided[index];
	if (!resolution->base)
		return 0;
	return room_state_find(resolution->resolver->nodes, resolution->base, slot);
}

void making_put(struct resolution *resolution, uint32_t slot, uint32_t number)
{
	size_t index = 0;

	if (numbers_have(&resolution->slots, slot, &index))
		resolution->decided[index] = number;
}

/* ---- what it allows */

const struct event *resolution_load(struct resolution *resolution, uint32_t number)
{
	const struct resolver *resolver = resolution->resolver;
	const struct event *event = resolver->load(resolver->ctx, number);

	if (!event)
		mx_fail(resolution->err, MX_STORE, "An event of the room's state cannot be had");
	return event;
}

struct check {
	struct resolution *resolution;
	uint32_t number;
	bool cited, broken;
};

static bool is_rejected(const struct graph *graph, uint32_t number)
{
	return graph->events[number].flags & GRAPH_REJECTED;
}

static uint32_t cited_in(const struct check *check, uint32_t slot)
{
	const struct graph *graph = check->resolution->resolver->graph;
	const struct graph_event *event = &graph->events[check->number];

	for (uint32_t i = 0; check->cited && i < event->cited_len; i++) {
		uint32_t number = graph->cited[event->cited + i];

		if (graph->events[number].slot == slot && !is_rejected(graph, number))
			return number;
	}
	return 0;
}

/* A room has one create event, which no resolution changes; newer events do not cite it. */
static uint32_t number_in(const struct check *check, const char *type, uint32_t slot)
{
	struct resolution *resolution = check->resolution;
	uint32_t number = streq(type, TYPE_CREATE) ? room_state_find(resolution->resolver->nodes,
								     &resolution->states[0], slot)
						   : making_find(resolution, slot);

	if (number && !is_rejected(resolution->resolver->graph, number))
		return number;
	return cited_in(check, slot);
}

static const struct event *find(void *ctx, const char *type, struct mx_slice state_key)
{
	struct check *check = ctx;
	const struct resolver *resolver = check->resolution->resolver;
	const struct event *event;
	uint32_t slot, number;

	if (!resolver->slot(resolver->ctx, type, state_key, &slot))
		return NULL;
	number = number_in(check, type, slot);
	if (!number)
		return NULL;
	event = resolution_load(check->resolution, number);
	check->broken = check->broken || !event;
	return event;
}

int making_allows(struct resolution *resolution, uint32_t number, bool cited)
{
	struct check check = { .resolution = resolution, .number = number, .cited = cited };
	const struct auth_state state = { .find = find, .ctx = &check };
	const struct event *event = resolution_load(resolution, number);
	mx_arena_auto *mem = NULL;
	int rc;

	if (!event)
		return -MX_STORE;
	mem = mx_arena_new(0);
	rc = eventauth_check(event, &state, mem, NULL);
	if (check.broken)
		return -MX_STORE;
	return rc == 0;
}

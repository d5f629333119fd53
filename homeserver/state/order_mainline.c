#include "homeserver/state/order.h"

#include "homeserver/event/event.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"

#include <stdlib.h>

/* Positions on the mainline count from its oldest event, so that events are in order of them:
 * those based on no levels of the mainline come first. */
#define OFF_MAINLINE 1

struct place {
	uint32_t number;
	uint32_t position;
	int64_t origin_server_ts;
	struct mx_slice id;
};

/* 0: not looked at yet. */
static uint32_t *find_mainline(const struct graph *graph, uint32_t levels)
{
	uint32_t *positions = mx_calloc(graph->len, sizeof(*positions));
	uint32_t position = OFF_MAINLINE + 1;

	for (uint32_t at = levels; at; at = cited_levels(graph, at))
		position++;
	for (uint32_t at = levels; at; at = cited_levels(graph, at))
		positions[at] = --position;
	return positions;
}

/* What was walked over has the position of where the walk ended. */
static void note(const struct graph *graph, uint32_t *positions, uint32_t from, uint32_t position)
{
	for (uint32_t at = from; at && !positions[at]; at = cited_levels(graph, at))
		positions[at] = position;
}

static uint32_t position_of(const struct graph *graph, uint32_t *positions, uint32_t number)
{
	uint32_t at = number, position;

	while (at && !positions[at])
		at = cited_levels(graph, at);
	position = at ? positions[at] : OFF_MAINLINE;
	note(graph, positions, number, position);
	return position;
}

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	if (x->origin_server_ts != y->origin_server_ts)
		return x->origin_server_ts < y->origin_server_ts ? -1 : 1;
	return mx_slice_cmp(x->id, y->id);
}

static int find_places(struct resolution *resolution, uint32_t *positions,
		       const struct numbers *numbers, struct place *ret_places)
{
	for (size_t i = 0; i < numbers->len; i++) {
		uint32_t number = numbers->items[i];
		const struct event *event = resolution_load(resolution, number);

		if (!event)
			return -MX_STORE;
		ret_places[i] = (struct place){
			.number = number,
			.position = position_of(resolution->resolver->graph, positions, number),
			.origin_server_ts = event->origin_server_ts,
			.id = event->id,
		};
	}
	return 0;
}

int order_by_mainline(struct resolution *resolution, uint32_t levels, struct numbers *numbers)
{
	uint32_t *positions = find_mainline(resolution->resolver->graph, levels);
	struct place *places = mx_arena_calloc(resolution->mem, numbers->len + 1, sizeof(*places));
	int rc = find_places(resolution, positions, numbers, places);

	mx_free(positions);
	if (rc)
		return rc;
	qsort(places, numbers->len, sizeof(*places), compare);
	for (size_t i = 0; i < numbers->len; i++)
		numbers->items[i] = places[i].number;
	return 0;
}

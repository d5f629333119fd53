#include "homeserver/state/order.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"
#include "homeserver/eventauth/power_levels.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/vec.h"

/* An event that is to be put in order. */
struct candidate {
	uint32_t number;
	uint32_t waits_for; /* how many of those it cites are not in order yet */
	int64_t level, origin_server_ts;
	struct mx_slice id;
	struct mx_vec(uint32_t) citing; /* indices of those that wait for it */
};

struct ordering {
	struct resolution *resolution;
	const struct numbers *numbers;
	struct candidate *candidates;
	struct room_levels levels; /* of the event at hand */
	struct power_levels **parsed; /* by the number of the levels event; made when asked for */
	uint32_t *heap; /* indices of those that wait for nothing */
	size_t heap_len;
};

/* ---- levels of senders */

uint32_t cited_levels(const struct graph *graph, uint32_t number)
{
	const struct graph_event *event = &graph->events[number];

	for (uint32_t i = 0; i < event->cited_len; i++) {
		uint32_t cited = graph->cited[event->cited + i];

		if (graph->events[cited].flags & GRAPH_LEVELS)
			return cited;
	}
	return 0;
}

/* Levels that cannot be read are those of a room without: such an event was rejected. */
static int parse_levels(struct ordering *ordering, uint32_t number, struct power_levels **ret)
{
	struct mx_arena *mem = ordering->resolution->mem;
	struct power_levels *levels = ordering->parsed[number];
	const struct event *event;

	if (!levels) {
		event = resolution_load(ordering->resolution, number);
		if (!event)
			return -MX_STORE;
		levels = mx_arena_calloc(mem, 1, sizeof(*levels));
		power_levels_parse(event, mem, levels, NULL);
		ordering->parsed[number] = levels;
	}
	*ret = levels;
	return 0;
}

static int find_level(struct ordering *ordering, const struct event *event, uint32_t number,
		      int64_t *ret_level)
{
	uint32_t cited = cited_levels(ordering->resolution->resolver->graph, number);
	struct power_levels *stated = NULL;
	int rc = cited ? parse_levels(ordering, cited, &stated) : 0;

	if (rc)
		return rc;
	ordering->levels.stated = stated;
	*ret_level = level_of_user(&ordering->levels, event->sender);
	return 0;
}

static int find_creators(struct ordering *ordering)
{
	struct resolution *resolution = ordering->resolution;
	const struct resolver *resolver = resolution->resolver;
	const struct event *create = NULL;
	uint32_t slot;

	if (resolver->slot(resolver->ctx, TYPE_CREATE, MX_SLICE(""), &slot))
		create = resolution_load(
			resolution, room_state_find(resolver->nodes, &resolution->states[0], slot));
	if (!create)
		return mx_fail(resolution->err, MX_STORE, "The room has no create event");
	ordering->levels.version = resolver->version;
	ordering->levels.creators = room_creators_of(create, resolution->mem);
	return 0;
}

/* ---- candidates */

static void link_cited(struct ordering *ordering, uint32_t index)
{
	const struct graph *graph = ordering->resolution->resolver->graph;
	const struct graph_event *event = &graph->events[ordering->numbers->items[index]];

	for (uint32_t i = 0; i < event->cited_len; i++) {
		size_t other;

		if (!numbers_have(ordering->numbers, graph->cited[event->cited + i], &other))
			continue;
		mx_vec_push(&ordering->candidates[other].citing, index);
		ordering->candidates[index].waits_for++;
	}
}

static int fill(struct ordering *ordering, uint32_t index)
{
	struct candidate *candidate = &ordering->candidates[index];
	uint32_t number = ordering->numbers->items[index];
	const struct event *event = resolution_load(ordering->resolution, number);

	if (!event)
		return -MX_STORE;
	candidate->number = number;
	candidate->origin_server_ts = event->origin_server_ts;
	candidate->id = event->id;
	link_cited(ordering, index);
	return find_level(ordering, event, number, &candidate->level);
}

static bool comes_first(const struct ordering *ordering, uint32_t a, uint32_t b)
{
	const struct candidate *x = &ordering->candidates[a], *y = &ordering->candidates[b];

	if (x->level != y->level)
		return x->level > y->level;
	if (x->origin_server_ts != y->origin_server_ts)
		return x->origin_server_ts < y->origin_server_ts;
	return mx_slice_cmp(x->id, y->id) < 0;
}

/* ---- the heap of those that wait for nothing */

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t kept = *a;

	*a = *b;
	*b = kept;
}

static void heap_push(struct ordering *ordering, uint32_t index)
{
	uint32_t *heap = ordering->heap;
	size_t at = ordering->heap_len++;

	heap[at] = index;
	while (at && comes_first(ordering, heap[at], heap[(at - 1) / 2])) {
		swap(&heap[at], &heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

static uint32_t heap_pop(struct ordering *ordering)
{
	uint32_t *heap = ordering->heap, first = heap[0];
	size_t at = 0, child;

	heap[0] = heap[--ordering->heap_len];
	while ((child = 2 * at + 1) < ordering->heap_len) {
		if (child + 1 < ordering->heap_len &&
		    comes_first(ordering, heap[child + 1], heap[child]))
			child++;
		if (!comes_first(ordering, heap[child], heap[at]))
			break;
		swap(&heap[at], &heap[child]);
		at = child;
	}
	return first;
}

/* ---- Kahn's algorithm */

static void take(struct ordering *ordering, uint32_t index, uint32_t *ret_number)
{
	const struct candidate *candidate = &ordering->candidates[index];

	*ret_number = candidate->number;
	for (size_t i = 0; i < candidate->citing.len; i++)
		if (--ordering->candidates[candidate->citing.items[i]].waits_for == 0)
			heap_push(ordering, candidate->citing.items[i]);
}

static int order(struct ordering *ordering, uint32_t *ret_numbers)
{
	size_t len = ordering->numbers->len, taken = 0;
	int rc = find_creators(ordering);

	for (uint32_t i = 0; rc == 0 && i < len; i++)
		rc = fill(ordering, i);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < len; i++)
		if (!ordering->candidates[i].waits_for)
			heap_push(ordering, i);
	while (ordering->heap_len)
		take(ordering, heap_pop(ordering), &ret_numbers[taken++]);
	return 0;
}

int order_by_power(struct resolution *resolution, struct numbers *numbers)
{
	const struct graph *graph = resolution->resolver->graph;
	struct ordering ordering = {
		.resolution = resolution,
		.numbers = numbers,
		.candidates = mx_arena_calloc(resolution->mem, numbers->len + 1,
					      sizeof(struct candidate)),
		.parsed = mx_calloc(graph->len, sizeof(*ordering.parsed)),
		.heap = mx_arena_calloc(resolution->mem, numbers->len + 1, sizeof(uint32_t)),
	};
	uint32_t *sorted = mx_arena_calloc(resolution->mem, numbers->len + 1, sizeof(*sorted));
	int rc = order(&ordering, sorted);

	for (size_t i = 0; i < numbers->len; i++)
		mx_vec_done(&ordering.candidates[i].citing);
	mx_free(ordering.parsed);
	if (rc == 0)
		numbers->items = sorted;
	return rc;
}

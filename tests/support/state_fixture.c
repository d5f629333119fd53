#include "tests/support/state_fixture.h"

#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <stdlib.h>

#define FIRST_CAP 256

/* ---- slots */

static void slot_key(struct mx_slice type, struct mx_slice state_key, struct mx_str *out)
{
	mx_str_add_slice(out, type);
	mx_str_add_char(out, '\0');
	mx_str_add_slice(out, state_key);
}

static bool find_slot(void *ctx, const char *type, struct mx_slice state_key, uint32_t *ret_slot)
{
	const struct state_fixture *room = ctx;
	mx_str_auto key = { 0 };
	void *found;

	slot_key(mx_slice(type), state_key, &key);
	found = mx_map_find(&room->slots, mx_str_slice(&key));
	*ret_slot = (uint32_t)(uintptr_t)found;
	return found != NULL;
}

static uint32_t slot_of(struct state_fixture *room, const struct event *event)
{
	bool member = mx_slice_is(event->type, TYPE_MEMBER);
	mx_str_auto key = { 0 };
	uintptr_t slot;

	slot_key(event->type, event->state_key, &key);
	slot = (uintptr_t)mx_map_find(&room->slots, mx_str_slice(&key));
	if (slot)
		return (uint32_t)slot;
	slot = ++room->slots_len | (member ? SLOT_MEMBER : 0);
	mx_map_put(&room->slots, mx_str_slice(&key), (void *)slot);
	return (uint32_t)slot;
}

/* ---- events */

static const struct event *load(void *ctx, uint32_t number)
{
	const struct state_fixture *room = ctx;

	return number && number < room->len ? room->events[number] : NULL;
}

void state_fixture_init(struct state_fixture *room, const char *version)
{
	*room = (struct state_fixture){
		.mem = mx_arena_new(1024 * 1024),
		.events = mx_calloc(FIRST_CAP, sizeof(*room->events)),
		.graph_events = mx_calloc(FIRST_CAP, sizeof(*room->graph_events)),
		.cited = mx_calloc(FIRST_CAP, sizeof(*room->cited)),
		.len = 1,
		.cap = FIRST_CAP,
		.cited_cap = FIRST_CAP,
	};
	trie_nodes_init(&room->nodes, 1);
	room->resolver = (struct resolver){
		.version = room_version_find(mx_slice(version)),
		.graph = &room->graph,
		.nodes = &room->nodes,
		.load = load,
		.slot = find_slot,
		.ctx = room,
	};
}

void state_fixture_done(struct state_fixture *room)
{
	trie_nodes_done(&room->nodes);
	mx_map_done(&room->ids, NULL);
	mx_map_done(&room->slots, NULL);
	mx_free(room->events);
	mx_free(room->graph_events);
	mx_free(room->cited);
	mx_arena_free(room->mem);
}

static void grow(struct state_fixture *room)
{
	if (room->len == room->cap) {
		room->cap *= 2;
		room->events = mx_realloc(room->events, room->cap * sizeof(*room->events));
		room->graph_events = mx_realloc(room->graph_events,
						room->cap * sizeof(*room->graph_events));
	}
	if (room->cited_len + EVENT_AUTH_MAX > room->cited_cap) {
		room->cited_cap *= 2;
		room->cited = mx_realloc(room->cited, room->cited_cap * sizeof(*room->cited));
	}
}

uint32_t state_fixture_find(const struct state_fixture *room, struct mx_slice id)
{
	return (uint32_t)(uintptr_t)mx_map_find(&room->ids, id);
}

static bool cite(struct state_fixture *room, const struct event *event, struct graph_event *entry)
{
	entry->cited = room->cited_len;
	entry->cited_len = (uint16_t)event->auth_events_len;
	for (size_t i = 0; i < event->auth_events_len; i++) {
		uint32_t number = state_fixture_find(room, event->auth_events[i]);

		if (!number)
			return false;
		room->cited[room->cited_len + i] = number;
	}
	room->cited_len += entry->cited_len;
	return true;
}

static uint16_t flags_of(const struct event *event, bool rejected)
{
	bool levels = event_is(event, TYPE_POWER_LEVELS, MX_SLICE(""));

	return (uint16_t)((rejected ? GRAPH_REJECTED : 0) | (levels ? GRAPH_LEVELS : 0) |
			  (graph_is_power_event(event) ? GRAPH_POWER : 0));
}

uint32_t state_fixture_put(struct state_fixture *room, struct event *event, bool rejected)
{
	struct graph_event entry = { 0 };

	grow(room);
	if (!event_is_state(event) || !cite(room, event, &entry))
		return 0;
	entry.origin_server_ts = event->origin_server_ts;
	entry.slot = slot_of(room, event);
	entry.flags = flags_of(event, rejected);
	room->events[room->len] = event;
	room->graph_events[room->len] = entry;
	mx_map_put(&room->ids, event->id, (void *)(uintptr_t)room->len);
	room->len++;
	room->graph = (struct graph){ room->graph_events, room->len, room->cited };
	return room->len - 1;
}

uint32_t state_fixture_add(struct state_fixture *room, struct mx_slice json, bool rejected,
			   struct mx_error *err)
{
	struct event *event = mx_arena_alloc(room->mem, sizeof(*event));
	uint32_t number;

	if (event_parse(room->resolver.version, json, room->mem, event, err))
		return 0;
	number = state_fixture_put(room, event, rejected);
	if (!number)
		mx_fail(err, MX_NOT_FOUND, "Not state, or it cites what is not there");
	return number;
}

/* ---- states */

struct room_state state_fixture_state(struct state_fixture *room, const uint32_t *numbers,
				      size_t len)
{
	struct room_state state = { 0 };

	for (size_t i = 0; i < len; i++)
		room_state_put(&room->nodes, &state, room->graph_events[numbers[i]].slot,
			       numbers[i]);
	return state;
}

struct numbers_of {
	uint32_t *numbers;
	size_t len, max;
};

static void note(void *ctx, uint32_t slot, uint32_t none, uint32_t number)
{
	struct numbers_of *of = ctx;

	(void)slot;
	(void)none;
	if (of->len < of->max)
		of->numbers[of->len++] = number;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

size_t state_fixture_numbers(struct state_fixture *room, const struct room_state *state,
			     uint32_t *ret_numbers, size_t max)
{
	struct numbers_of of = { .numbers = ret_numbers, .max = max };

	trie_each(&room->nodes, state->members, note, &of);
	trie_each(&room->nodes, state->others, note, &of);
	qsort(ret_numbers, of.len, sizeof(*ret_numbers), compare);
	return of.len;
}

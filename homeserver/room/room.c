#include "homeserver/room/room.h"

#include "homeserver/call.h"
#include "homeserver/event/event_hash.h"
#include "homeserver/event/room_version.h"
#include "homeserver/state/state_db.h"
#include "homeserver/state/trie.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#define ENTRY_BYTES 96 /* of a map's, about */
#define EVENT_BLOCK 2048
#define GRAPH_PAGE  4096

static struct mx_slice number_key(const uint32_t *number)
{
	return mx_slice_of(number, sizeof(*number));
}

/* ---- state events */

static void event_free(void *ptr)
{
	struct room_event *event = ptr;

	if (event)
		mx_arena_free(event->mem);
}

static struct room_event *event_new(void)
{
	struct mx_arena *mem = mx_arena_new(EVENT_BLOCK);
	struct room_event *event = mx_arena_calloc(mem, 1, sizeof(*event));

	event->mem = mem;
	return event;
}

static void event_put(struct room *room, struct room_event *event)
{
	uint32_t number = event->stored.header.state_number;

	room->bytes += mx_arena_size(event->mem) + ENTRY_BYTES;
	event_free(mx_map_put(&room->events, number_key(&number), event));
}

void room_event_keep(struct room *room, const struct stored_event *stored)
{
	struct room_event *event = event_new();

	event->stored = *stored;
	/* It was parsed before: only the memory is another one. */
	if (event_parse(stored->event.version, stored->event.json, event->mem, &event->stored.event,
			NULL))
		event_free(event);
	else
		event_put(room, event);
}

const struct room_event *room_event_load(struct room *room, const struct hs_call *call,
					 uint32_t state_number)
{
	struct room_event *event = mx_map_find(&room->events, number_key(&state_number));
	struct state_event row;
	struct hs_call own = *call;

	if (event || !state_number)
		return event;
	event = event_new();
	own.mem = event->mem;
	if (state_db_load(call, room->number, state_number, &row) ||
	    event_db_load(&own, room->number, row.event, &event->stored)) {
		event_free(event);
		return NULL;
	}
	event_put(room, event);
	return event;
}

/* ---- nodes */

void room_node_keep(struct room *room, uint32_t number, struct trie_node *node)
{
	room->bytes += trie_node_size(node) + ENTRY_BYTES;
	mx_free(mx_map_put(&room->nodes, number_key(&number), node));
}

const struct trie_node *room_node_load(struct room *room, const struct hs_call *call,
				       uint32_t number)
{
	const struct trie_node *stored, *node = mx_map_find(&room->nodes, number_key(&number));
	struct trie_node *copy;

	if (node)
		return node;
	if (node_db_load(call, room->number, number, &stored))
		return NULL;
	copy = mx_alloc(trie_node_size(stored));
	memcpy(copy, stored, trie_node_size(stored));
	room_node_keep(room, number, copy);
	return copy;
}

/* ---- slots */

void room_slot_key(struct mx_slice type, struct mx_slice state_key, struct mx_str *out)
{
	mx_str_clear(out);
	mx_str_add_slice(out, type);
	mx_str_add_char(out, '\0');
	mx_str_add_slice(out, state_key);
}

static void room_slot_keep(struct room *room, struct mx_slice type, struct mx_slice state_key,
			   uint32_t slot)
{
	mx_str_auto key = { 0 };

	room_slot_key(type, state_key, &key);
	room->bytes += key.len + ENTRY_BYTES;
	mx_map_put(&room->slots, mx_str_slice(&key), (void *)((uintptr_t)slot + 1));
}

bool room_slot_find(struct room *room, const struct hs_call *call, struct mx_slice type,
		    struct mx_slice state_key, uint32_t *ret_slot)
{
	mx_str_auto key = { 0 };
	uintptr_t found;

	room_slot_key(type, state_key, &key);
	found = (uintptr_t)mx_map_find(&room->slots, mx_str_slice(&key));
	if (found) {
		*ret_slot = (uint32_t)(found - 1);
		return true;
	}
	if (slot_db_find(call, room->number, type, state_key, ret_slot))
		return false;
	room_slot_keep(room, type, state_key, *ret_slot);
	return true;
}

/* ---- the graph */

void room_graph_add(struct room *room, const struct graph_event *event, const uint32_t *cited)
{
	struct graph_event entry = *event;

	if (!room->graph.events.len)
		return;
	entry.cited = (uint32_t)room->graph.cited.len;
	for (uint32_t i = 0; i < entry.cited_len; i++)
		mx_vec_push(&room->graph.cited, cited[i]);
	mx_vec_push(&room->graph.events, entry);
	room->bytes += sizeof(entry) + entry.cited_len * sizeof(*cited);
}

void room_graph_forget(struct room *room)
{
	mx_vec_done(&room->graph.events);
	mx_vec_done(&room->graph.cited);
}

static void graph_add_row(struct room *room, const struct state_event *row)
{
	room_graph_add(room,
		       &(struct graph_event){ .origin_server_ts = row->origin_server_ts,
					      .slot = row->slot,
					      .cited_len = (uint16_t)row->cited_len,
					      .flags = row->flags },
		       row->cited);
}

static int graph_read(struct room *room, const struct hs_call *call)
{
	uint32_t number = 1;

	while (number < room->head.next_state) {
		struct state_event_list list;

		if (state_db_scan(call, room->number, number, GRAPH_PAGE, &list) || list.len == 0)
			return -MX_STORE;
		for (size_t i = 0; i < list.len; i++, number++)
			graph_add_row(room, &list.items[i]);
	}
	return 0;
}

int room_graph_load(struct room *room, const struct hs_call *call, struct mx_error *err)
{
	if (room->graph.events.len)
		return 0;
	mx_vec_push(&room->graph.events, (struct graph_event){ 0 });
	if (graph_read(room, call) == 0)
		return 0;
	room_graph_forget(room);
	return mx_fail(err, MX_STORE, "The room's state cannot be read");
}

/* ---- its life */

void room_trim(struct room *room, size_t bytes_max)
{
	if (room->bytes <= bytes_max)
		return;
	mx_map_done(&room->events, event_free);
	mx_map_done(&room->nodes, mx_free);
	mx_map_done(&room->slots, NULL);
	room_graph_forget(room);
	room->bytes = 0;
}

struct room *room_new(uint32_t number, const char *id)
{
	struct room *room = mx_calloc(1, sizeof(*room));

	room->number = number;
	room->id = mx_strdup(id);
	room->head.id = mx_slice(room->id);
	pthread_mutex_init(&room->turn, NULL);
	store_chain_init(&room->chain);
	return room;
}

static int load_extremity(struct room *room, const struct hs_call *call, size_t at)
{
	struct room_extremity *extremity = &room->extremities[at];
	struct stored_event stored;
	int rc = event_db_load(call, room->number, room->head.extremities[at], &stored);

	if (rc)
		return rc == -MX_NOT_FOUND ? -MX_STORE : rc;
	extremity->number = stored.header.number;
	extremity->id.ptr = mx_strndup(stored.event.id.ptr, stored.event.id.len);
	extremity->id.len = stored.event.id.len;
	if (room->head.version->hashed_references)
		event_reference_hash(&stored.event, extremity->hash);
	extremity->after = stored.header.after;
	return 0;
}

int room_load(struct room *room, const struct hs_call *call)
{
	int rc = room_db_head(call, room->number, &room->head);

	room->head.id = mx_slice(room->id);
	for (size_t i = 0; rc == 0 && i < room->head.extremities_len; i++)
		rc = load_extremity(room, call, i);
	return rc;
}

void room_free(struct room *room)
{
	if (!room)
		return;
	room->bytes = SIZE_MAX;
	room_trim(room, 0);
	for (size_t i = 0; i < room->head.extremities_len; i++)
		mx_free((char *)room->extremities[i].id.ptr);
	pthread_mutex_destroy(&room->turn);
	mx_free(room->id);
	mx_free(room);
}

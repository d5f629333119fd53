#include "homeserver/room/state_reader.h"

#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/state/state_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"

#include <string.h>

/* ---- nodes */

static const struct trie_node *load_node(void *ctx, uint32_t number)
{
	struct state_reader *reader = ctx;
	const struct mx_slice key = mx_slice_of(&number, sizeof(number));
	const struct trie_node *node = mx_map_find(&reader->loaded, key);

	if (node)
		return node;
	if (node_db_load(reader->call, reader->room, number, &node))
		return NULL;
	mx_map_put(&reader->loaded, key, (void *)(uintptr_t)node);
	return node;
}

void state_reader_init(struct state_reader *reader, const struct hs_call *call, uint32_t room)
{
	*reader = (struct state_reader){ .call = call, .room = room };
	trie_nodes_init(&reader->nodes, UINT32_MAX);
	reader->nodes.load = load_node;
	reader->nodes.ctx = reader;
}

void state_reader_done(struct state_reader *reader)
{
	trie_nodes_done(&reader->nodes);
	mx_map_done(&reader->loaded, NULL);
	mx_map_done(&reader->slots, NULL);
	mx_map_done(&reader->events, NULL);
}

/* ---- events */

int state_reader_event(struct state_reader *reader, uint32_t state_number,
		       struct stored_event *ret_event)
{
	struct state_event row;
	int rc = state_db_load(reader->call, reader->room, state_number, &row);

	if (rc == 0)
		rc = event_db_load(reader->call, reader->room, row.event, ret_event);
	return rc == -MX_NOT_FOUND ? -MX_STORE : rc; /* a state names what is there */
}

/* ---- what one state says */

/* Slots as pointers, of which none is NULL. */
#define SLOT_NONE ((void *)UINTPTR_MAX)

static void *slot_pointer(uint32_t slot)
{
	return (void *)((uintptr_t)slot + 1);
}

static int read_slot(struct state_reader *reader, struct mx_slice type, struct mx_slice state_key,
		     void **ret_slot)
{
	uint32_t slot;
	int rc = slot_db_find(reader->call, reader->room, type, state_key, &slot);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	*ret_slot = rc ? SLOT_NONE : slot_pointer(slot);
	return 0;
}

static int find_slot(struct state_reader *reader, struct mx_slice type, struct mx_slice state_key,
		     uint32_t *ret_slot)
{
	mx_str_auto key = { 0 };
	void *slot;
	int rc = 0;

	mx_str_add(&key, &type.len, sizeof(type.len));
	mx_str_add_slice(&key, type);
	mx_str_add_slice(&key, state_key);
	slot = mx_map_find(&reader->slots, mx_str_slice(&key));
	if (!slot) {
		rc = read_slot(reader, type, state_key, &slot);
		if (rc)
			return rc;
		mx_map_put(&reader->slots, mx_str_slice(&key), slot);
	}
	if (slot == SLOT_NONE)
		return -MX_NOT_FOUND;
	*ret_slot = (uint32_t)((uintptr_t)slot - 1);
	return 0;
}

static int find_event(struct state_reader *reader, uint32_t number, struct stored_event *ret_event)
{
	const struct mx_slice key = mx_slice_of(&number, sizeof(number));
	struct stored_event *event = mx_map_find(&reader->events, key);
	int rc;

	if (!event) {
		event = mx_arena_alloc(reader->call->mem, sizeof(*event));
		rc = state_reader_event(reader, number, event);
		if (rc)
			return rc;
		mx_map_put(&reader->events, key, event);
	}
	*ret_event = *event;
	return 0;
}

int state_reader_load(struct state_reader *reader, const struct room_state *state, const char *type,
		      struct mx_slice state_key, struct stored_event *ret_event)
{
	uint32_t slot, number;
	int rc = find_slot(reader, mx_slice(type), state_key, &slot);

	if (rc)
		return rc;
	number = room_state_find(&reader->nodes, state, slot);
	if (reader->nodes.broken)
		return -MX_STORE;
	return number ? find_event(reader, number, ret_event) : -MX_NOT_FOUND;
}

enum membership state_reader_membership(struct state_reader *reader, const struct room_state *state,
					struct mx_slice user_id)
{
	struct stored_event event;

	if (state_reader_load(reader, state, TYPE_MEMBER, user_id, &event))
		return MEMBERSHIP_NONE;
	return membership_of(event_membership(&event.event));
}

/* ---- lists */

struct state_number_list mx_vec(uint32_t);

static void take_number(void *ctx, uint32_t slot, uint32_t from, uint32_t to)
{
	struct state_number_list *list = ctx;

	(void)slot;
	(void)from;
	if (to)
		mx_vec_push(list, to);
}

int state_reader_changes(struct state_reader *reader, const struct room_state *from,
			 const struct room_state *to, enum state_part part,
			 struct state_numbers *ret_numbers)
{
	struct state_number_list list = { 0 };
	int rc = 0;

	/* Slots of members are the higher ones. */
	if (part & STATE_OTHERS)
		trie_diff(&reader->nodes, from->others, to->others, take_number, &list);
	if (part & STATE_MEMBERS)
		trie_diff(&reader->nodes, from->members, to->members, take_number, &list);
	if (reader->nodes.broken)
		rc = -MX_STORE;
	if (rc == 0) {
		ret_numbers->len = list.len;
		ret_numbers->items = mx_arena_calloc(reader->call->mem, list.len + 1,
						     sizeof(*list.items));
		if (list.len)
			memcpy(ret_numbers->items, list.items, list.len * sizeof(*list.items));
	}
	mx_vec_done(&list);
	return rc;
}

int state_reader_list(struct state_reader *reader, const struct room_state *state,
		      enum state_part part, struct state_numbers *ret_numbers)
{
	static const struct room_state nothing;

	return state_reader_changes(reader, &nothing, state, part, ret_numbers);
}

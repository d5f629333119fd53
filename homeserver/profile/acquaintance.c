#include "homeserver/profile/acquaintance.h"

#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/state_reader.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/id/mxid.h"

#include <stdlib.h>

/* Rooms of one user that are looked at. */
#define PUBLIC_LOOKS_MAX 500

static int by_number(const void *a_ptr, const void *b_ptr)
{
	uint32_t a = *(const uint32_t *)a_ptr, b = *(const uint32_t *)b_ptr;

	return a < b ? -1 : a > b;
}

int joined_rooms_load(const struct hs_call *call, const char *user_id,
		      struct joined_rooms *ret_rooms)
{
	struct user_room_list list;
	int rc = user_room_db_list(call, mx_slice(user_id), &list);

	if (rc)
		return rc;
	ret_rooms->items = mx_arena_calloc(call->mem, list.len + 1, sizeof(*ret_rooms->items));
	ret_rooms->len = 0;
	for (size_t i = 0; i < list.len; i++)
		if (list.items[i].membership == MEMBERSHIP_JOIN)
			ret_rooms->items[ret_rooms->len++] = list.items[i].room;
	qsort(ret_rooms->items, ret_rooms->len, sizeof(*ret_rooms->items), by_number);
	return 0;
}

static bool has_common(const struct joined_rooms *a, const struct joined_rooms *b)
{
	size_t i = 0, j = 0;

	while (i < a->len && j < b->len) {
		if (a->items[i] == b->items[j])
			return true;
		if (a->items[i] < b->items[j])
			i++;
		else
			j++;
	}
	return false;
}

static bool is_local(const struct hs *hs, const char *user_id)
{
	struct mx_id id;

	return mx_user_id_parse(mx_slice(user_id), false, &id) &&
	       mx_slice_is(id.server, hs->conf->server_name);
}

/* Of other servers' users no list is kept. */
static bool is_member_of_one(const struct hs_call *call, const struct joined_rooms *rooms,
			     const char *user_id)
{
	for (size_t i = 0; i < rooms->len; i++) {
		struct member_row row;

		if (member_db_load(call, rooms->items[i], mx_slice(user_id), &row) == 0 &&
		    row.membership == MEMBERSHIP_JOIN)
			return true;
	}
	return false;
}

bool acquaintance_shares(const struct hs_call *call, const struct joined_rooms *rooms,
			 const char *user_id)
{
	struct joined_rooms other;

	if (!is_local(call->hs, user_id))
		return is_member_of_one(call, rooms, user_id);
	return joined_rooms_load(call, user_id, &other) == 0 && has_common(rooms, &other);
}

/* ---- rooms that everybody may look into */

static bool state_says(struct state_reader *reader, const struct room_state *state,
		       const char *type, const char *key, const char *value)
{
	struct stored_event event;

	return state_reader_load(reader, state, type, mx_slice(""), &event) == 0 &&
	       mx_slice_is(event_content_text(&event.event, key, reader->call->mem), value);
}

static bool is_open_room(const struct hs_call *call, uint32_t room)
{
	struct state_reader reader;
	struct room_head head;
	bool is_open;

	if (room_db_head(call, room, &head))
		return false;
	state_reader_init(&reader, call, room);
	is_open = state_says(&reader, &head.state, TYPE_JOIN_RULES, "join_rule", "public") ||
		  state_says(&reader, &head.state, TYPE_HISTORY_VISIBILITY, "history_visibility",
			     "world_readable");
	state_reader_done(&reader);
	return is_open;
}

bool acquaintance_is_public(const struct hs_call *call, const char *user_id)
{
	struct joined_rooms rooms;

	if (joined_rooms_load(call, user_id, &rooms))
		return false;
	for (size_t i = 0; i < rooms.len && i < PUBLIC_LOOKS_MAX; i++)
		if (is_open_room(call, rooms.items[i]))
			return true;
	return false;
}

int acquaintance_sees(const struct hs_call *call, const char *viewer, const char *user_id,
		      struct mx_error *err)
{
	struct joined_rooms rooms;
	int rc = joined_rooms_load(call, viewer, &rooms);

	if (rc)
		return rc;
	if (!acquaintance_shares(call, &rooms, user_id) && !acquaintance_is_public(call, user_id))
		return mx_fail(err, MX_FORBIDDEN, "You share no room with that user");
	return 0;
}

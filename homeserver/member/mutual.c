#include "homeserver/member/mutual.h"

#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"

#include <stdlib.h>

static int compare_rooms(const void *a, const void *b)
{
	const struct room_id *one = a, *other = b;

	return one->number < other->number ? -1 : one->number > other->number;
}

static bool is_in(const struct hs_call *call, uint32_t room, const char *user_id)
{
	struct member_row row;

	return !user_id || (member_db_load(call, room, mx_slice(user_id), &row) == 0 &&
			    row.membership == MEMBERSHIP_JOIN);
}

/* other: NULL for nobody else. */
static int find_rooms(const struct hs_call *call, const char *user_id, const char *other,
		      struct room_ids *ret_rooms)
{
	struct room_head *head = mx_arena_alloc(call->mem, sizeof(*head));
	struct user_room_list list;
	int rc = user_room_db_list(call, mx_slice(user_id), &list);

	if (rc)
		return rc;
	*ret_rooms = (struct room_ids){
		.items = mx_arena_calloc(call->mem, list.len + 1, sizeof(*ret_rooms->items)),
	};
	for (size_t i = 0; rc == 0 && i < list.len; i++) {
		if (list.items[i].membership != MEMBERSHIP_JOIN ||
		    !is_in(call, list.items[i].room, other))
			continue;
		rc = room_db_head(call, list.items[i].room, head);
		if (rc == 0)
			ret_rooms->items[ret_rooms->len++] = (struct room_id){
				.number = list.items[i].room,
				.id = mx_arena_slice(call->mem, head->id).ptr,
			};
	}
	qsort(ret_rooms->items, ret_rooms->len, sizeof(*ret_rooms->items), compare_rooms);
	return rc;
}

int joined_rooms(const struct hs_call *call, const char *user_id, struct room_ids *ret_rooms)
{
	return find_rooms(call, user_id, NULL, ret_rooms);
}

int mutual_rooms(const struct hs_call *call, const char *user_id, const char *other,
		 struct room_ids *ret_rooms)
{
	return find_rooms(call, user_id, other, ret_rooms);
}

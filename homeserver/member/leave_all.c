#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/member/member.h"
#include "homeserver/room/room_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/time.h"
#include "shared/store/store.h"

static bool is_in(enum membership membership)
{
	return membership == MEMBERSHIP_JOIN || membership == MEMBERSHIP_INVITE ||
	       membership == MEMBERSHIP_KNOCK;
}

/* Ids of the rooms that are to be left. */
static int list_rooms(struct hs *hs, const char *user_id, struct mx_arena *mem,
		      const char ***ret_rooms, size_t *ret_len)
{
	struct hs_call call = {
		.hs = hs,
		.view = store_view_begin(hs->store),
		.mem = mem,
		.now_ms = mx_now_ms(),
	};
	struct room_head *head = mx_arena_alloc(mem, sizeof(*head));
	struct user_room_list list = { 0 };
	int rc = user_room_db_list(&call, mx_slice(user_id), &list);

	*ret_len = 0;
	*ret_rooms = mx_arena_calloc(mem, list.len + 1, sizeof(**ret_rooms));
	for (size_t i = 0; rc == 0 && i < list.len; i++)
		if (is_in(list.items[i].membership) &&
		    room_db_head(&call, list.items[i].room, head) == 0)
			(*ret_rooms)[(*ret_len)++] = mx_arena_slice(mem, head->id).ptr;
	store_view_end(call.view);
	return rc;
}

static int leave(struct hs *hs, const char *room_id, const char *user_id, struct mx_error *err)
{
	const struct member_change change = {
		.room_id = room_id,
		.sender = user_id,
		.target = user_id,
		.membership = MEMBERSHIP_LEAVE,
	};
	mx_arena_auto *mem = mx_arena_new(0);
	const struct hs_call call = { .hs = hs, .mem = mem, .now_ms = mx_now_ms() };

	return member_change_now(&call, &change, err);
}

bool member_leave_all(struct hs *hs, const char *user_id)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_error err = { 0 };
	const char **rooms;
	size_t len, left = 0;

	if (list_rooms(hs, user_id, mem, &rooms, &len)) {
		mx_log(MX_LOG_WARN, "rooms of a user who leaves cannot be read", NULL);
		return false;
	}
	for (size_t i = 0; i < len; i++)
		if (leave(hs, rooms[i], user_id, &err))
			mx_log(MX_LOG_WARN, "a user who leaves stays in a room", "room", rooms[i],
			       "why", err.text, NULL);
		else
			left++;
	return left == len;
}

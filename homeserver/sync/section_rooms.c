/* `rooms` of /sync: the user's rooms by membership, each looked at by itself. */
#include "homeserver/call.h"
#include "homeserver/json_out.h"
#include "homeserver/room/room_db.h"
#include "homeserver/sync/sections.h"
#include "homeserver/sync/sync.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"

#define ROOM_BLOCK (64 * 1024)

static const struct kind {
	const char *name;
	enum membership membership, or_membership;
	int (*write)(struct sync *, const struct user_room *, struct mx_arena *);
} kinds[] = {
	{ "join", MEMBERSHIP_JOIN, MEMBERSHIP_JOIN, section_joined_room },
	{ "invite", MEMBERSHIP_INVITE, MEMBERSHIP_INVITE, section_invited_room },
	{ "knock", MEMBERSHIP_KNOCK, MEMBERSHIP_KNOCK, section_knocked_room },
	{ "leave", MEMBERSHIP_LEAVE, MEMBERSHIP_BAN, section_left_room },
};

/* A room of which something is missing is left out: the others are still worth an answer. */
static int write_room(struct sync *sync, const struct kind *kind, const struct user_room *row,
		      struct mx_arena *mem)
{
	size_t start = sync->out->len;
	int rc;

	mx_arena_reset(mem);
	rc = kind->write(sync, row, mem);
	if (rc == 0)
		return 0;
	json_cut(sync->out, start);
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

static int write_kind(struct sync *sync, const struct kind *kind, const struct user_room_list *rows,
		      struct mx_arena *mem)
{
	struct json_object object = json_begin(sync->out, kind->name);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < rows->len; i++) {
		const struct user_room *row = &rows->items[i];

		if (row->membership != kind->membership && row->membership != kind->or_membership)
			continue;
		rc = write_room(sync, kind, row, mem);
	}
	json_end(sync->out, object);
	return rc;
}

int section_rooms(struct sync *sync)
{
	mx_arena_auto *mem = mx_arena_new(ROOM_BLOCK);
	struct user_room_list rows;
	struct json_object rooms;
	int rc = user_room_db_list(sync->call, mx_slice(sync->ask->user_id), &rows);

	if (rc)
		return rc;
	rooms = json_begin(sync->out, "rooms");
	for (size_t i = 0; rc == 0 && i < sizeof(kinds) / sizeof(*kinds); i++)
		rc = write_kind(sync, &kinds[i], &rows, mem);
	if (json_end(sync->out, rooms))
		sync->news = true;
	return rc;
}

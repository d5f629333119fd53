#include "homeserver/directory/room_access.h"

#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/room_facts.h"
#include "shared/core/error.h"

bool room_access_is_joined(const struct hs_call *call, uint32_t room, const char *user_id)
{
	struct user_room row;

	return user_room_db_load(call, mx_slice(user_id), room, &row) == 0 &&
	       row.membership == MEMBERSHIP_JOIN;
}

int room_access_check_member(const struct hs_call *call, const char *room_id, const char *user_id,
			     struct mx_error *err)
{
	uint32_t room;
	int rc = room_db_find(call, mx_slice(room_id), &room);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc || !room_access_is_joined(call, room, user_id))
		return mx_fail(err, MX_FORBIDDEN, "You are not in this room");
	return 0;
}

int room_access_check_reader(const struct hs_call *call, const char *room_id, const char *user_id,
			     struct mx_error *err)
{
	struct room_facts facts;
	uint32_t room;
	int rc = room_access_check_member(call, room_id, user_id, err);

	if (rc != -MX_FORBIDDEN || account_check_admin(call, user_id, NULL) == 0)
		return rc == -MX_FORBIDDEN ? 0 : rc;
	if (room_db_find(call, mx_slice(room_id), &room) == 0 &&
	    room_facts_load(call, room, &facts) == 0 && facts.world_readable)
		return 0;
	return rc;
}

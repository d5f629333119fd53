#include "homeserver/userdata/user_room.h"

#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "shared/http/request.h"

int user_room_of(struct req *r, uint32_t *ret_room)
{
	const struct hs_call call = call_of(r);
	struct user_room row;
	uint32_t room;
	int rc = room_db_find(&call, mx_slice(req_param(r, "roomId")), &room);

	if (rc == 0)
		rc = user_room_db_load(&call, mx_slice(r->user), room, &row);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_FORBIDDEN, "You were never in that room");
	if (rc == 0)
		*ret_room = room;
	return rc;
}

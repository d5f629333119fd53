/* Spec: client-server API, "Typing Notifications". */
#include "homeserver/call.h"
#include "homeserver/ephemeral/presence.h"
#include "homeserver/ephemeral/typing.h"
#include "homeserver/hs.h"
#include "homeserver/room/room_db.h"
#include "homeserver/routes.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

/* Who is not joined may not know whether the room is here. */
static int find_joined_room(struct req *r, const struct hs_call *call, uint32_t *ret_room)
{
	struct member_row row = { 0 };
	int rc = room_db_find(call, mx_slice(req_param(r, "roomId")), ret_room);

	if (rc == 0)
		rc = member_db_load(call, *ret_room, mx_slice(r->user), &row);
	if (rc == -MX_NOT_FOUND || (rc == 0 && row.membership != MEMBERSHIP_JOIN))
		return mx_fail(&r->err, MX_FORBIDDEN, "You are not in that room");
	return rc;
}

static int put_typing(struct req *r)
{
	const struct hs_call call = call_of(r);
	const bool types = jbool(r->body, "typing", false);
	int64_t for_ms = jint(r->body, "timeout", TYPING_MS_DEFAULT);
	uint32_t room;
	int rc = find_joined_room(r, &call, &room);

	if (rc)
		return rc;
	typing_set(call.hs->typing, room, mx_slice(r->user), types ? for_ms : 0);
	if (types)
		presence_active(&call, r->user);
	return 0;
}

const struct route typing_routes[] = {
	{ PUT, CLIENT_V3 "/rooms/{roomId:room_id}/typing/{userId:me}", put_typing,
	  .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_READ, .flags = ROUTE_CORS,
	  .body = "client/typing", .reply = "client/empty.reply" },
	{ 0 },
};

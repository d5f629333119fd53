/* Spec: client-server API, "Room Upgrades". */
#include "homeserver/call.h"
#include "homeserver/creation/room_upgrade.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/routes.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

/* Two rooms are two turns. When the second one is begun again, the first stays done. */
static int found(struct req *r, const struct room_upgrade *upgrade)
{
	const struct hs_call call = call_of(r);
	char *new_id;
	int rc = room_upgrade_make(&call, upgrade, &new_id, &r->err);

	if (rc == 0) {
		r->kept = new_id;
		r->kept_free = mx_free;
	}
	return rc;
}

static int upgrade_room(struct req *r)
{
	const struct hs_call call = call_of(r);
	const struct room_upgrade upgrade = {
		.room_id = req_param(r, "roomId"),
		.user_id = r->user,
		.device = r->device,
		.version = jstr(r->body, "new_version"),
		.additional_creators = jarr(r->body, "additional_creators"),
	};
	struct room_turn *turn = NULL;
	int rc = r->kept ? 0 : found(r, &upgrade);

	if (rc == 0)
		rc = room_upgrade_close(&call, &upgrade, r->kept, &turn, &r->err);
	if (rc == 0)
		reply_json(r, json_pack("{s:s}", "replacement_room", (const char *)r->kept));
	return turn_answer(turn, r, rc);
}

const struct route room_upgrade_routes[] = {
	{ POST, CLIENT_V3 "/rooms/{roomId:room_id}/upgrade", upgrade_room, .auth = AUTH_USER,
	  .limit = LIMIT_EDIT, .flags = ROUTE_CORS, .body = "client/upgrade",
	  .reply = "client/upgrade.reply" },
	{ 0 },
};

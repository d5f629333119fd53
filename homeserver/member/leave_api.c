/* Going: leaving, forgetting; and what one is in.
 * Spec: client-server API, "Room membership", "Leaving rooms". */
#include "homeserver/call.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/member.h"
#include "homeserver/member/mutual.h"
#include "homeserver/room/room_db.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"

static int leave(struct req *r)
{
	const struct hs_call call = call_of(r);
	const struct member_change change = {
		.room_id = req_param(r, "roomId"),
		.sender = r->user,
		.target = r->user,
		.membership = MEMBERSHIP_LEAVE,
		.reason = jstr(r->body, "reason"),
		.device = r->device,
	};
	struct room_turn *turn = NULL;
	const struct event *event;
	int rc = member_change(&call, &change, &turn, &event, &r->err);

	return turn_answer(turn, r, rc);
}

static int forget(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *room_id = req_param(r, "roomId");
	struct user_room row;
	uint32_t room;
	int rc = room_db_find(&call, mx_slice(room_id), &room);

	if (rc == 0)
		rc = user_room_db_load(&call, mx_slice(r->user), room, &row);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_LEFT, "You never were in this room");
	if (rc)
		return rc;
	if (row.membership != MEMBERSHIP_LEAVE && row.membership != MEMBERSHIP_BAN)
		return mx_fail(&r->err, MX_NOT_LEFT, "User %s is in room %s", r->user, room_id);
	row.forgotten = true;
	user_room_db_put(call.txn, mx_slice(r->user), &row);
	return 0;
}

static int list_joined(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct room_ids rooms;
	json_t *ids;
	int rc = joined_rooms(&call, r->user, &rooms);

	if (rc)
		return rc;
	ids = json_array();
	for (size_t i = 0; i < rooms.len; i++)
		json_array_append_new(ids, json_string(rooms.items[i].id));
	reply_json(r, json_pack("{s:o}", "joined_rooms", ids));
	return 0;
}

/* ---- rooms that two people share */

static void answer_mutual(struct req *r, const struct room_ids *rooms, size_t from)
{
	json_t *ids = json_array(), *reply;
	size_t i = from;

	for (; i < rooms->len && i < from + MUTUAL_PAGE; i++)
		json_array_append_new(ids, json_string(rooms->items[i].id));
	reply = json_pack("{s:o, s:i}", "joined", ids, "count", (int)rooms->len);
	if (i < rooms->len)
		json_object_set_new(reply, "next_batch",
				    json_sprintf("%u", rooms->items[i].number));
	reply_json(r, reply);
}

/* A token is the number of the first room that was not told yet. */
static int place_of(struct req *r, const struct room_ids *rooms, size_t *ret_from)
{
	int64_t number;
	int rc = req_query_i64(r, "from", 0, &number);

	if (rc || number < 0)
		return mx_fail(&r->err, MX_INVALID_PARAM, "from is no token of this server");
	*ret_from = 0;
	while (*ret_from < rooms->len && rooms->items[*ret_from].number < number)
		++*ret_from;
	return 0;
}

static int list_mutual(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *other = req_query(r, "user_id");
	struct room_ids rooms;
	struct mx_id id;
	size_t from = 0;
	int rc;

	if (!other)
		return mx_fail(&r->err, MX_MISSING_PARAM, "user_id is missing");
	if (!mx_user_id_parse(mx_slice(other), false, &id))
		return mx_fail(&r->err, MX_INVALID_PARAM, "user_id is no user id");
	if (streq(other, r->user))
		return mx_fail(&r->err, MX_INVALID_PARAM, "That is yourself");
	rc = mutual_rooms(&call, r->user, other, &rooms);
	if (rc == 0)
		rc = place_of(r, &rooms, &from);
	if (rc == 0)
		answer_mutual(r, &rooms, from);
	return rc;
}

#define ROOM CLIENT_V3 "/rooms/{roomId:room_id}"

const struct route leave_routes[] = {
	{ POST, ROOM "/leave", leave, .auth = AUTH_USER, .limit = LIMIT_EDIT,
	  .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED | ROUTE_OPTIONAL_BODY,
	  .body = "client/reason", .reply = "client/empty.reply" },
	{ POST, ROOM "/forget", forget, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_SUSPENDED | ROUTE_OPTIONAL_BODY, .body = "client/reason",
	  .reply = "client/empty.reply" },
	{ GET, CLIENT_V3 "/joined_rooms", list_joined, .auth = AUTH_USER, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED,
	  .reply = "client/joined_rooms.reply" },
	{ GET, CLIENT_V1 "/mutual_rooms", list_mutual, .auth = AUTH_USER, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS, .reply = "client/mutual_rooms.reply" },
	{ 0 },
};

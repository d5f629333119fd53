/* The admin listener: rooms, and those that nobody may come into. */
#include "homeserver/call.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/room/block_db.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/room_facts.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/daemon/admin_page.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static json_t *room_json(const struct hs_call *call, const struct room_facts *facts)
{
	json_t *json = room_facts_json(facts);
	json_auto_t *more = json_pack("{s:s, s:s*, s:s*, s:b, s:b}", "room_version",
				      facts->room_version, "creator", facts->creator, "encryption",
				      facts->encryption, "published", facts->is_published,
				      "blocked", block_db_load(call, facts->room_id, NULL) == 0);

	json_object_update(json, more);
	return json;
}

static int list_rooms(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct room_numbers rooms;
	struct room_facts facts;
	json_t *items;
	struct page page;
	int rc = admin_page(r, &page);

	if (rc == 0)
		rc = room_db_list(&call, &page, &rooms);
	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < rooms.len; i++)
		if (room_facts_load(&call, rooms.items[i], &facts) == 0)
			json_array_append_new(items, room_json(&call, &facts));
	admin_reply_page(r, json_pack("{s:o}", "rooms", items), rooms.next);
	return 0;
}

static int get_room(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct room_facts facts;
	uint32_t room;
	int rc = room_db_find(&call, mx_slice(req_param(r, "room_id")), &room);

	if (rc == 0)
		rc = room_facts_load(&call, room, &facts);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no such room here");
	if (rc == 0)
		reply_json(r, room_json(&call, &facts));
	return rc;
}

/* ---- blocking */

static int block_room(struct req *r)
{
	const struct hs_call call = call_of(r);
	const struct room_block block = {
		.room_id = req_param(r, "room_id"),
		.reason = jstr_or(r->body, "reason", ""),
		.since_ms = call.now_ms,
	};

	block_db_put(&call, &block);
	return 0;
}

static int unblock_room(struct req *r)
{
	const struct hs_call call = call_of(r);
	int rc = block_db_load(&call, req_param(r, "room_id"), NULL);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND, "The room is not blocked");
	if (rc == 0)
		block_db_delete(&call, req_param(r, "room_id"));
	return rc;
}

static int list_blocked(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct room_block_list list;
	json_t *items;
	int rc = block_db_list(&call, "", PAGE_MAX, &list);

	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(items,
				      json_pack("{s:s, s:s, s:I}", "room_id", list.items[i].room_id,
						"reason", list.items[i].reason, "since_ms",
						(json_int_t)list.items[i].since_ms));
	reply_json(r, json_pack("{s:o}", "rooms", items));
	return 0;
}

static int unpublish_room(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct room_turn *turn = NULL;
	int rc = turn_begin(&call, req_param(r, "room_id"), &turn, &r->err);

	if (rc == -MX_NOT_FOUND || (rc == 0 && !turn_head(turn)->is_published))
		rc = mx_fail(&r->err, MX_NOT_FOUND, "The room is not in the directory");
	if (rc == 0)
		turn_publish(turn, false);
	return turn_answer(turn, r, rc);
}

#define ROOM ADMIN_V1 "/rooms/{room_id:room_id}"

const struct route room_admin_routes[] = {
	{ GET, ADMIN_V1 "/rooms", list_rooms, .txn = TXN_READ },
	{ GET, ROOM, get_room, .txn = TXN_READ },
	{ DELETE, ROOM "/published", unpublish_room },
	{ PUT, ROOM "/block", block_room, .txn = TXN_WRITE, .body = "admin/reason" },
	{ DELETE, ROOM "/block", unblock_room, .txn = TXN_WRITE },
	{ GET, ADMIN_V1 "/blocked-rooms", list_blocked, .txn = TXN_READ },
	{ 0 },
};

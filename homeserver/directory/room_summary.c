#include "homeserver/directory/room_summary.h"

#include "homeserver/call.h"
#include "homeserver/directory/room_access.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/room_facts.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

static enum membership membership_in(const struct hs_call *call, uint32_t room, const char *user_id)
{
	struct user_room row;

	if (!user_id || user_room_db_load(call, mx_slice(user_id), room, &row))
		return MEMBERSHIP_NONE;
	return row.membership;
}

static bool is_open(const struct room_facts *facts)
{
	return facts->world_readable || streq(facts->join_rule, "public") ||
	       streq(facts->join_rule, "knock") || streq(facts->join_rule, "knock_restricted");
}

/* Spec: server-server API, "Spaces": a restricted room shows itself to who may join it. */
static bool is_in_allowed(const struct hs_call *call, const struct room_facts *facts,
			  const char *user_id)
{
	uint32_t room;

	for (size_t i = 0; user_id && i < facts->allowed_rooms_len; i++)
		if (room_db_find(call, mx_slice(facts->allowed_rooms[i]), &room) == 0 &&
		    room_access_is_joined(call, room, user_id))
			return true;
	return false;
}

static bool may_see(const struct hs_call *call, const struct room_facts *facts,
		    enum membership membership, const char *user_id)
{
	if (membership == MEMBERSHIP_BAN)
		return facts->world_readable;
	return membership == MEMBERSHIP_JOIN || membership == MEMBERSHIP_INVITE || is_open(facts) ||
	       is_in_allowed(call, facts, user_id);
}

static json_t *allowed_json(const struct room_facts *facts)
{
	json_t *rooms;

	if (facts->allowed_rooms_len == 0)
		return NULL;
	rooms = json_array();
	for (size_t i = 0; i < facts->allowed_rooms_len; i++)
		json_array_append_new(rooms, json_string(facts->allowed_rooms[i]));
	return rooms;
}

int room_summary_load(const struct hs_call *call, const char *room_id, const char *user_id,
		      json_t **ret_summary, struct mx_error *err)
{
	enum membership membership = MEMBERSHIP_NONE;
	struct room_facts facts;
	json_auto_t *more = NULL;
	uint32_t room;
	int rc = room_db_find(call, mx_slice(room_id), &room);

	if (rc == 0)
		rc = room_facts_load(call, room, &facts);
	if (rc == 0) {
		membership = membership_in(call, room, user_id);
		rc = may_see(call, &facts, membership, user_id) ? 0 : -MX_NOT_FOUND;
	}
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "Room not found");
	if (rc)
		return rc;
	more = json_pack("{s:s, s:s*, s:o*, s:s*}", "room_version", facts.room_version,
			 "encryption", facts.encryption, "allowed_room_ids", allowed_json(&facts),
			 "membership", user_id ? membership_name(membership) : NULL);
	*ret_summary = room_facts_json(&facts);
	json_object_update(*ret_summary, more);
	return 0;
}

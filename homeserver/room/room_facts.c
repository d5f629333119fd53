#include "homeserver/room/room_facts.h"

#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/state_reader.h"
#include "homeserver/room/topic.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#define ALLOWED_MAX 100 /* rooms of a join rule that are shown */

struct looking {
	const struct hs_call *call;
	struct state_reader reader;
	struct room_head head;
	struct stored_event found;
};

/* The event of that type without a key; NULL: none. Good until the next one. */
static const struct event *find(struct looking *looking, const char *type)
{
	return state_reader_load(&looking->reader, &looking->head.state, type, MX_SLICE(""),
				 &looking->found)
		       ? NULL
		       : &looking->found.event;
}

/* NULL for what is no string, or an empty one: nothing is shown then. */
static const char *text_of(struct looking *looking, const char *type, const char *key)
{
	const struct event *event = find(looking, type);
	struct mx_slice text = { 0 };

	if (event)
		text = event_content_text(event, key, looking->call->mem);
	return text.len ? mx_arena_slice(looking->call->mem, text).ptr : NULL;
}

static const char *topic_of(struct looking *looking)
{
	const struct event *event = find(looking, TYPE_TOPIC);
	struct mx_slice text = { 0 };

	if (event)
		text = topic_plain(event, looking->call->mem);
	return text.len ? mx_arena_slice(looking->call->mem, text).ptr : NULL;
}

static const char *room_of(const struct event *rules, uint32_t condition, struct mx_arena *mem)
{
	uint32_t room_id = mx_json_member(&rules->doc, condition, "room_id");

	if (!room_id || mx_json_type(&rules->doc, room_id) != MX_JSON_STRING)
		return NULL;
	return mx_arena_slice(mem, mx_json_string(&rules->doc, room_id, mem)).ptr;
}

static void find_allowed(struct looking *looking, struct room_facts *facts)
{
	const struct event *rules = find(looking, TYPE_JOIN_RULES);
	const struct mx_json_doc *doc = &rules->doc;
	const char *room_id;
	uint32_t list;

	facts->allowed_rooms = mx_arena_calloc(looking->call->mem, ALLOWED_MAX,
					       sizeof(*facts->allowed_rooms));
	list = mx_json_member(doc, rules->content, "allow");
	if (!list || mx_json_type(doc, list) != MX_JSON_ARRAY)
		return;
	for (uint32_t at = mx_json_first(doc, list);
	     at < mx_json_end(doc, list) && facts->allowed_rooms_len < ALLOWED_MAX;
	     at = mx_json_next(doc, at)) {
		room_id = room_of(rules, at, looking->call->mem);
		if (room_id)
			facts->allowed_rooms[facts->allowed_rooms_len++] = room_id;
	}
}

static void find_join_rule(struct looking *looking, struct room_facts *facts)
{
	const char *rule = text_of(looking, TYPE_JOIN_RULES, "join_rule");

	facts->join_rule = rule ? rule : "invite";
	if (streq(rule, "restricted") || streq(rule, "knock_restricted"))
		find_allowed(looking, facts);
}

static void find_facts(struct looking *looking, struct room_facts *facts)
{
	const struct event *create = find(looking, TYPE_CREATE);

	facts->creator = create ? mx_arena_slice(looking->call->mem, create->sender).ptr : NULL;
	facts->room_type = text_of(looking, TYPE_CREATE, "type");
	facts->name = text_of(looking, TYPE_NAME, "name");
	facts->topic = topic_of(looking);
	facts->avatar_url = text_of(looking, "m.room.avatar", "url");
	facts->canonical_alias = text_of(looking, TYPE_CANONICAL_ALIAS, "alias");
	facts->encryption = text_of(looking, "m.room.encryption", "algorithm");
	facts->world_readable = streq(
		text_of(looking, TYPE_HISTORY_VISIBILITY, "history_visibility"), "world_readable");
	facts->guest_can_join = streq(text_of(looking, TYPE_GUEST_ACCESS, "guest_access"),
				      "can_join");
	find_join_rule(looking, facts);
}

int room_facts_load(const struct hs_call *call, uint32_t room, struct room_facts *ret_facts)
{
	struct looking *looking = mx_arena_calloc(call->mem, 1, sizeof(*looking));
	int rc = room_db_head(call, room, &looking->head);

	if (rc)
		return rc;
	looking->call = call;
	*ret_facts = (struct room_facts){
		.room_id = mx_arena_slice(call->mem, looking->head.id).ptr,
		.room_version = looking->head.version->id,
		.joined = looking->head.joined,
		.is_published = looking->head.is_published,
	};
	state_reader_init(&looking->reader, call, room);
	find_facts(looking, ret_facts);
	state_reader_done(&looking->reader);
	return 0;
}

json_t *room_facts_json(const struct room_facts *facts)
{
	return json_pack("{s:s, s:i, s:b, s:b, s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "room_id",
			 facts->room_id, "num_joined_members", (int)facts->joined, "world_readable",
			 facts->world_readable, "guest_can_join", facts->guest_can_join,
			 "join_rule", facts->join_rule, "name", facts->name, "topic", facts->topic,
			 "avatar_url", facts->avatar_url, "canonical_alias", facts->canonical_alias,
			 "room_type", facts->room_type);
}

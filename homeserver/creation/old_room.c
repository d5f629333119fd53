#include "homeserver/creation/old_room.h"

#include "homeserver/call.h"
#include "homeserver/creation/next_levels.h"
#include "homeserver/creation/room_upgrade.h"
#include "homeserver/directory/alias_db.h"
#include "homeserver/directory/room_access.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/ingest/room_power.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/state_reader.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"
#include "shared/json/json.h"

#define CHILDREN_MAX 5000 /* of a space, that are carried over */

/* Spec: "recommended state events to transfer"; the levels go a way of their own. */
static const char *const carried[] = {
	TYPE_SERVER_ACL,         "m.room.encryption", TYPE_NAME,
	"m.room.avatar",         TYPE_TOPIC,          TYPE_GUEST_ACCESS,
	TYPE_HISTORY_VISIBILITY, TYPE_JOIN_RULES,     TYPE_CANONICAL_ALIAS,
};

struct reading {
	const struct hs_call *call;
	const struct room_upgrade *upgrade;
	struct state_reader reader;
	struct room_head head;
	struct room_power power;
	struct stored_event found;
	struct old_room *old;
};

static json_t *content_of(const struct event *event)
{
	struct mx_slice text = mx_json_raw(&event->doc, event->content);

	return json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, NULL);
}

static const struct event *find(struct reading *reading, const char *type)
{
	return state_reader_load(&reading->reader, &reading->head.state, type, MX_SLICE(""),
				 &reading->found)
		       ? NULL
		       : &reading->found.event;
}

static void carry(struct reading *reading, const char *type, const char *state_key,
		  const struct event *event)
{
	mx_vec_push(reading->old, ((struct old_state){ type, state_key, content_of(event) }));
}

static void read_create(struct reading *reading)
{
	const struct event *create = find(reading, TYPE_CREATE);
	const struct room_creators *creators = &reading->power.levels.creators;
	struct old_room *old = reading->old;
	struct mx_slice type = event_content_text(create, "type", reading->call->mem);
	uint32_t federate = mx_json_member(&create->doc, create->content, "m.federate");

	old->type = type.ptr ? mx_arena_slice(reading->call->mem, type).ptr : NULL;
	old->is_local_only = federate && mx_json_type(&create->doc, federate) == MX_JSON_FALSE;
	old->creators = json_array();
	for (size_t i = 0; i < creators->len; i++)
		json_array_append_new(old->creators,
				      json_stringn(creators->users[i].ptr, creators->users[i].len));
}

static void read_carried(struct reading *reading)
{
	const struct event *event;

	for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		event = find(reading, carried[i]);
		if (event)
			carry(reading, carried[i], "", event);
	}
	event = find(reading, TYPE_POWER_LEVELS);
	reading->old->levels = event ? content_of(event) : NULL;
}

/* A space without its rooms would be none. */
static int read_children(struct reading *reading)
{
	struct mx_arena *mem = reading->call->mem;
	struct state_numbers numbers;
	int rc = state_reader_list(&reading->reader, &reading->head.state, STATE_OTHERS, &numbers);

	if (!streq(reading->old->type, "m.space"))
		return 0;
	for (size_t i = 0, n = 0; rc == 0 && i < numbers.len && n < CHILDREN_MAX; i++) {
		const struct event *event = &reading->found.event;

		rc = state_reader_event(&reading->reader, numbers.items[i], &reading->found);
		if (rc || !mx_slice_is(event->type, "m.space.child"))
			continue;
		n++;
		carry(reading, "m.space.child", mx_arena_slice(mem, event->state_key).ptr, event);
	}
	return rc;
}

static void read_last_event(struct reading *reading)
{
	const struct room_head *head = &reading->head;

	if (head->extremities_len &&
	    event_db_load(reading->call, reading->old->number,
			  head->extremities[head->extremities_len - 1], &reading->found) == 0)
		reading->old->last_event =
			mx_arena_slice(reading->call->mem, reading->found.event.id).ptr;
}

static int read_all(struct reading *reading, struct mx_error *err)
{
	const char *user_id = reading->upgrade->user_id;
	int rc = room_power_of_state(&reading->power, &reading->reader, &reading->head.state);

	if (rc)
		return rc;
	if (!room_power_may_send_state(&reading->power, user_id, TYPE_TOMBSTONE))
		return mx_fail(err, MX_FORBIDDEN, "You may not upgrade this room");
	read_create(reading);
	read_carried(reading);
	read_last_event(reading);
	reading->old->is_published = reading->head.is_published;
	return read_children(reading);
}

int old_room_load(const struct hs_call *call, const struct room_upgrade *upgrade,
		  struct old_room *ret_old, struct mx_error *err)
{
	struct reading *reading = mx_arena_calloc(call->mem, 1, sizeof(*reading));
	int rc = room_access_check_member(call, upgrade->room_id, upgrade->user_id, err);

	*ret_old = (struct old_room){ .room_id = upgrade->room_id };
	if (rc == 0)
		rc = room_db_find(call, mx_slice(upgrade->room_id), &ret_old->number);
	if (rc == 0)
		rc = room_db_head(call, ret_old->number, &reading->head);
	if (rc)
		return rc;
	ret_old->version = reading->head.version;
	reading->call = call;
	reading->upgrade = upgrade;
	reading->old = ret_old;
	state_reader_init(&reading->reader, call, ret_old->number);
	rc = read_all(reading, err);
	state_reader_done(&reading->reader);
	return rc;
}

void old_room_done(struct old_room *old)
{
	for (size_t i = 0; i < old->len; i++)
		json_decref(old->items[i].content);
	json_decref(old->levels);
	json_decref(old->creators);
	mx_vec_done(old);
}

json_t *old_room_levels(const struct old_room *old, const struct room_version *version,
			const struct room_upgrade *upgrade)
{
	const struct next_levels levels = {
		.content = old->levels,
		.from = old->version,
		.to = version,
		.creator = upgrade->user_id,
		.more_creators = upgrade->additional_creators,
		.old_creators = old->creators,
	};

	return next_levels_make(&levels);
}

json_t *old_room_closed_levels(const struct event *levels)
{
	json_auto_t *content = content_of(levels);

	return last_levels_make(content);
}

int old_room_move_names(const struct old_room *old, const struct hs_call *call, const char *new_id)
{
	struct alias_list aliases;
	int rc = alias_db_list(call, old->room_id, &aliases);

	if (rc)
		return rc;
	for (size_t i = 0; i < aliases.len; i++) {
		alias_db_delete(call, &aliases.items[i]);
		aliases.items[i].room_id = new_id;
		alias_db_put(call, &aliases.items[i]);
	}
	return 0;
}

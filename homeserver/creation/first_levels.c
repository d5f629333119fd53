#include "homeserver/creation/first_levels.h"

#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "shared/core/error.h"
#include "shared/json/json.h"

#define TOP 100

static json_t *users_of(const struct first_levels *levels)
{
	json_t *users = json_object();
	const json_t *user;
	size_t i;

	/* Creators are above all levels there, and never named among them. */
	if (levels->version->creators_rule)
		return users;
	json_object_set_new(users, levels->creator, json_integer(TOP));
	json_array_foreach (levels->equals, i, user)
		json_object_set_new(users, json_string_value(user), json_integer(TOP));
	return users;
}

static json_t *events_of(const struct first_levels *levels)
{
	int tombstone = levels->version->creators_rule ? LEVEL_OF_TOMBSTONE_V12 : TOP;

	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", TYPE_NAME, 50, "m.room.avatar",
			 50, TYPE_CANONICAL_ALIAS, 50, TYPE_HISTORY_VISIBILITY, TOP,
			 TYPE_POWER_LEVELS, TOP, TYPE_SERVER_ACL, TOP, "m.room.encryption", TOP,
			 TYPE_TOMBSTONE, tombstone);
}

/* Spec: room version 12: "MUST explicitly be higher than state_default", whatever else is stated.
 */
static void raise_tombstone(const struct first_levels *levels, json_t *content)
{
	int64_t state_default = jint(content, "state_default", 0);
	json_t *events = json_object_get(content, "events");
	const json_t *asked = jobj(levels->override, "events");

	if (!levels->version->creators_rule || json_object_get(asked, TYPE_TOMBSTONE) ||
	    !json_is_object(events) || jint(events, TYPE_TOMBSTONE, 0) > state_default)
		return;
	events = json_copy(events);
	json_object_set_new(events, TYPE_TOMBSTONE,
			    json_integer(state_default >= LEVEL_OF_TOMBSTONE_V12
						 ? state_default + 1
						 : LEVEL_OF_TOMBSTONE_V12));
	json_object_set_new(content, "events", events);
}

int first_levels_make(const struct first_levels *levels, json_t **ret_content, struct mx_error *err)
{
	const json_t *users = json_object_get(levels->override, "users");
	json_t *content;

	if (users && !levels->version->creators_rule && !json_object_get(users, levels->creator))
		return mx_fail(err, MX_BAD_JSON,
			       "power_level_content_override: users lacks the room's creator");
	content = json_pack("{s:o, s:i, s:o, s:i, s:i, s:i, s:i, s:i, s:I}", "users",
			    users_of(levels), "users_default", 0, "events", events_of(levels),
			    "events_default", 0, "state_default", 50, "ban", 50, "kick", 50,
			    "redact", 50, "invite", (json_int_t)levels->invite);
	if (levels->override)
		json_object_update(content, (json_t *)levels->override);
	raise_tombstone(levels, content);
	*ret_content = content;
	return 0;
}

#include "homeserver/room/first_levels.h"

#include "homeserver/event/event_types.h"
#include "homeserver/room/room_version.h"
#include "shared/core/error.h"

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
	*ret_content = content;
	return 0;
}

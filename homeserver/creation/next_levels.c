#include "homeserver/creation/next_levels.h"

#include "homeserver/creation/first_levels.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#define TOP           100
#define STATE_DEFAULT 50 /* where nothing is stated */
#define CLOSED        50 /* Spec: "the greater of 50 and users_default + 1" */
#define LEVEL_MAX     ((INT64_C(1) << 53) - 1)

/* ---- numbers: old rooms have them in strings, and with a point */

static bool read_level(const json_t *value, int64_t *ret_level)
{
	if (json_is_real(value))
		*ret_level = (int64_t)json_real_value(value);
	else if (json_is_integer(value))
		*ret_level = json_integer_value(value);
	else if (!json_is_string(value) ||
		 !mx_parse_i64(mx_trim(mx_slice(json_string_value(value))), ret_level))
		return false;
	return *ret_level >= -LEVEL_MAX && *ret_level <= LEVEL_MAX;
}

static json_t *integers_of(json_t *object)
{
	json_t *integers = json_object(), *value;
	const char *name;
	int64_t level;

	json_object_foreach (object, name, value)
		if (read_level(value, &level))
			json_object_set_new(integers, name, json_integer(level));
	return integers;
}

/* What is neither a level nor a list of levels says nothing that holds. */
static json_t *normal_of(const json_t *content)
{
	json_t *normal = integers_of((json_t *)content), *value;
	const char *name;

	json_object_foreach ((json_t *)content, name, value)
		if (json_is_object(value))
			json_object_set_new(normal, name, integers_of(value));
	return normal;
}

static json_t *member_of(json_t *content, const char *name)
{
	if (!jobj(content, name))
		json_object_set_new(content, name, json_object());
	return json_object_get(content, name);
}

/* The largest level that anything takes or anybody has. */
static int64_t highest_of(json_t *content)
{
	int64_t highest = TOP;
	json_t *value;
	const char *name;

	json_object_foreach (content, name, value)
		if (json_is_integer(value) && json_integer_value(value) > highest)
			highest = json_integer_value(value);
	return highest;
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void name_creators(json_t *content, const struct next_levels *levels)
{
	int64_t top = max_of(highest_of(content), max_of(highest_of(jobj(content, "users")),
							 highest_of(jobj(content, "events"))));
	json_t *users = member_of(content, "users");
	const json_t *user;
	size_t i;

	json_array_foreach (levels->old_creators, i, user)
		json_object_set_new(users, json_string_value(user), json_integer(top));
}

static void drop_creators(json_t *content, const struct next_levels *levels)
{
	json_t *users = member_of(content, "users"), *events = member_of(content, "events");
	int64_t state_default = jint(content, "state_default", STATE_DEFAULT);
	const json_t *user;
	size_t i;

	json_object_del(users, levels->creator);
	json_array_foreach (levels->more_creators, i, user)
		json_object_del(users, json_string_value(user));
	if (jint(events, TYPE_TOMBSTONE, state_default) <= max_of(state_default, TOP))
		json_object_set_new(
			events, TYPE_TOMBSTONE,
			json_integer(max_of(LEVEL_OF_TOMBSTONE_V12, state_default + 1)));
}

static json_t *first_of(const struct next_levels *levels)
{
	const struct first_levels first = {
		.version = levels->to,
		.creator = levels->creator,
	};
	json_t *content;

	return first_levels_make(&first, &content, NULL) ? NULL : content;
}

json_t *next_levels_make(const struct next_levels *levels)
{
	json_t *content = levels->content ? normal_of(levels->content) : first_of(levels);

	if (levels->to->creators_rule)
		drop_creators(content, levels);
	else if (levels->from->creators_rule)
		name_creators(content, levels);
	return content;
}

json_t *last_levels_make(const json_t *content)
{
	json_t *closed = normal_of(content);
	int64_t level = max_of(CLOSED, jint(closed, "users_default", 0) + 1);

	json_object_set_new(closed, "events_default",
			    json_integer(max_of(level, jint(closed, "events_default", 0))));
	json_object_set_new(closed, "invite",
			    json_integer(max_of(level, jint(closed, "invite", 0))));
	return closed;
}

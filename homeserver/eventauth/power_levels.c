#include "homeserver/eventauth/power_levels.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"

#include <math.h>
#include <stdlib.h>

#define FOUNDER_LEVEL 100 /* of the creator of a room without a levels event */

#define REAL_MAX_LEN 400 /* of a lexeme, by the scanner */

static const char *const names[LEVEL_NAMES] = {
	[LEVEL_USERS_DEFAULT] = "users_default",
	[LEVEL_EVENTS_DEFAULT] = "events_default",
	[LEVEL_STATE_DEFAULT] = "state_default",
	[LEVEL_BAN] = "ban",
	[LEVEL_REDACT] = "redact",
	[LEVEL_KICK] = "kick",
	[LEVEL_INVITE] = "invite",
};

static const int64_t defaults[LEVEL_NAMES] = {
	[LEVEL_STATE_DEFAULT] = 50,
	[LEVEL_BAN] = 50,
	[LEVEL_REDACT] = 50,
	[LEVEL_KICK] = 50,
};

/* ---- one value */

/* More digits than fit are as good as the last that fits: nobody has either. */
static bool read_digits(struct mx_slice digits, int64_t *ret_value)
{
	bool negative = digits.len && digits.ptr[0] == '-';

	if (mx_parse_i64(digits, ret_value))
		return true;
	for (size_t i = negative; i < digits.len; i++)
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return false;
	*ret_value = negative ? -INT64_MAX : INT64_MAX - 1;
	return digits.len > negative;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Spec: room version 1, "`m.room.power_levels` events accept values as strings". */
static bool read_string(struct mx_slice text, int64_t *ret_value)
{
	while (text.len && is_blank(text.ptr[0]))
		text = mx_slice_of(text.ptr + 1, text.len - 1);
	while (text.len && is_blank(text.ptr[text.len - 1]))
		text.len--;
	if (text.len > 1 && text.ptr[0] == '+' && text.ptr[1] != '-')
		text = mx_slice_of(text.ptr + 1, text.len - 1);
	return text.len && read_digits(text, ret_value);
}

/* Spec: room version 1, "`m.room.power_levels` events accept values as floats". */
static bool read_real(struct mx_slice lexeme, int64_t *ret_value)
{
	char text[REAL_MAX_LEN + 1];
	double value;

	if (lexeme.len > REAL_MAX_LEN)
		return false;
	memcpy(text, lexeme.ptr, lexeme.len);
	text[lexeme.len] = '\0';
	value = trunc(strtod(text, NULL));
	if (!isfinite(value))
		return false;
	if (fabs(value) < 0x1p62)
		*ret_value = (int64_t)value;
	else
		*ret_value = value < 0 ? -INT64_MAX : INT64_MAX - 1;
	return true;
}

static bool read_level(const struct event *event, uint32_t node, struct mx_arena *mem,
		       int64_t *ret_value)
{
	const struct mx_json_doc *doc = &event->doc;

	switch (mx_json_type(doc, node)) {
	case MX_JSON_INTEGER: return read_digits(mx_json_raw(doc, node), ret_value);
	case MX_JSON_REAL:
		return event->version->real_levels && read_real(mx_json_raw(doc, node), ret_value);
	case MX_JSON_STRING:
		return !event->version->integer_levels &&
		       read_string(mx_json_string(doc, node, mem), ret_value);
	case MX_JSON_NULL:
	case MX_JSON_FALSE:
	case MX_JSON_TRUE:
	case MX_JSON_ARRAY:
	case MX_JSON_OBJECT: break;
	}
	return false;
}

/* ---- the content */

static int read_named(const struct event *event, struct mx_arena *mem, struct power_levels *levels,
		      struct mx_error *err)
{
	for (int name = 0; name < LEVEL_NAMES; name++) {
		uint32_t node = mx_json_member(&event->doc, event->content, names[name]);

		if (!node)
			continue;
		if (!read_level(event, node, mem, &levels->stated[name]))
			return mx_fail(err, MX_FORBIDDEN, "The level %s is not a number",
				       names[name]);
		levels->is_stated[name] = true;
	}
	return 0;
}

/* The event is canonical, so the keys are in their order. */
static int read_list(const struct event *event, const char *key, struct mx_arena *mem,
		     struct level_list *ret_list, struct mx_error *err)
{
	const struct mx_json_doc *doc = &event->doc;
	uint32_t node = mx_json_member(doc, event->content, key);
	struct level *items;
	size_t len = 0;

	if (!node)
		return 0;
	if (mx_json_type(doc, node) != MX_JSON_OBJECT)
		return mx_fail(err, MX_FORBIDDEN, "The levels of %s are not an object", key);
	items = mx_arena_calloc(mem, doc->nodes[node].count + 1u, sizeof(*items));
	for (uint32_t at = mx_json_first(doc, node); at < mx_json_end(doc, node);
	     at = mx_json_next(doc, at + 1)) {
		struct level *level = &items[len++];

		level->name = mx_json_string(doc, at, mem);
		if (!read_level(event, at + 1, mem, &level->value))
			return mx_fail(err, MX_FORBIDDEN, "A level of %s is not a number", key);
	}
	*ret_list = (struct level_list){ items, len };
	return 0;
}

static int check_users(const struct level_list *users, struct mx_error *err)
{
	for (size_t i = 0; i < users->len; i++) {
		struct mx_id parts;

		if (!mx_user_id_parse(users->items[i].name, false, &parts))
			return mx_fail(err, MX_FORBIDDEN, "A level is given to what is no user");
	}
	return 0;
}

int power_levels_parse(const struct event *event, struct mx_arena *mem,
		       struct power_levels *ret_levels, struct mx_error *err)
{
	struct power_levels levels = { 0 };
	int rc = read_named(event, mem, &levels, err);

	if (rc == 0)
		rc = read_list(event, "users", mem, &levels.users, err);
	if (rc == 0)
		rc = read_list(event, "events", mem, &levels.events, err);
	if (rc == 0)
		rc = read_list(event, "notifications", mem, &levels.notifications, err);
	if (rc == 0)
		rc = check_users(&levels.users, err);
	if (rc == 0)
		*ret_levels = levels;
	return rc;
}

static int compare_level(const void *key, const void *item)
{
	return mx_slice_cmp(*(const struct mx_slice *)key, ((const struct level *)item)->name);
}

const struct level *level_find(const struct level_list *list, struct mx_slice name)
{
	if (!list->len)
		return NULL;
	return bsearch(&name, list->items, list->len, sizeof(*list->items), compare_level);
}

/* ---- in a room */

static struct mx_slice first_creator(const struct event *create, struct mx_arena *mem)
{
	return create->version->creator_in_content ? event_content_text(create, "creator", mem)
						   : create->sender;
}

/* The node of a list; 0 if there is none. */
static uint32_t additional_creators(const struct event *create)
{
	uint32_t list = mx_json_member(&create->doc, create->content, "additional_creators");

	if (!list || !create->version->creators_rule ||
	    mx_json_type(&create->doc, list) != MX_JSON_ARRAY)
		return 0;
	return list;
}

struct room_creators room_creators_of(const struct event *create, struct mx_arena *mem)
{
	const struct mx_json_doc *doc = &create->doc;
	uint32_t list = additional_creators(create);
	uint32_t more = list ? doc->nodes[list].count : 0;
	struct mx_slice *users = mx_arena_calloc(mem, more + 1u, sizeof(*users));
	size_t len = 0;

	users[0] = first_creator(create, mem);
	len = users[0].ptr != NULL;
	for (uint32_t at = list + 1; more && at < mx_json_end(doc, list);
	     at = mx_json_next(doc, at))
		if (mx_json_type(doc, at) == MX_JSON_STRING)
			users[len++] = mx_json_string(doc, at, mem);
	return (struct room_creators){ users, len };
}

bool room_creators_have(const struct room_creators *creators, struct mx_slice user_id)
{
	for (size_t i = 0; i < creators->len; i++)
		if (mx_slice_eq(creators->users[i], user_id))
			return true;
	return false;
}

int64_t level_of(const struct room_levels *levels, enum level_name name)
{
	if (levels->stated && levels->stated->is_stated[name])
		return levels->stated->stated[name];
	/* Before anybody stated levels, everybody may set the room up. */
	if (!levels->stated && name == LEVEL_STATE_DEFAULT)
		return 0;
	return defaults[name];
}

int64_t level_of_user(const struct room_levels *levels, struct mx_slice user_id)
{
	bool creator = room_creators_have(&levels->creators, user_id);
	const struct level *level;

	if (creator && levels->version->creators_rule)
		return LEVEL_OF_CREATORS;
	if (!levels->stated)
		return creator ? FOUNDER_LEVEL : 0;
	level = level_find(&levels->stated->users, user_id);
	return level ? level->value : level_of(levels, LEVEL_USERS_DEFAULT);
}

int64_t level_to_send(const struct room_levels *levels, struct mx_slice type, bool state)
{
	const struct level *level = levels->stated ? level_find(&levels->stated->events, type)
						   : NULL;

	if (level)
		return level->value;
	return level_of(levels, state ? LEVEL_STATE_DEFAULT : LEVEL_EVENTS_DEFAULT);
}

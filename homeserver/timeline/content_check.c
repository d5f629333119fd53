#include "homeserver/timeline/content_check.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"

#define ANNOTATION_KEY_MAX 500 /* bytes: more is no emoji, but somebody's store */

static bool is_absent_or(const json_t *object, const char *key, json_type type)
{
	const json_t *value = json_object_get(object, key);

	return !value || json_typeof(value) == type;
}

static int check_annotation(const json_t *relates_to, struct mx_error *err)
{
	const struct mx_slice key = jslice(relates_to, "key");

	if (!streq(jstr(relates_to, "rel_type"), "m.annotation"))
		return 0;
	if (!key.ptr)
		return mx_fail(err, MX_BAD_JSON, "An annotation needs a key");
	if (key.len > ANNOTATION_KEY_MAX)
		return mx_fail(err, MX_TOO_LARGE, "The key of an annotation has at most %d bytes",
			       ANNOTATION_KEY_MAX);
	return 0;
}

static int check_relation(const json_t *content, struct mx_error *err)
{
	const json_t *relates_to = json_object_get(content, "m.relates_to");
	const json_t *reply;

	if (!relates_to)
		return 0;
	if (!json_is_object(relates_to))
		return mx_fail(err, MX_BAD_JSON, "m.relates_to must be an object");
	if (!is_absent_or(relates_to, "rel_type", JSON_STRING) ||
	    !is_absent_or(relates_to, "event_id", JSON_STRING))
		return mx_fail(err, MX_BAD_JSON,
			       "rel_type and event_id of m.relates_to must be strings");
	reply = json_object_get(relates_to, "m.in_reply_to");
	if (reply && !jstr(reply, "event_id"))
		return mx_fail(err, MX_BAD_JSON, "m.in_reply_to needs an event_id");
	if (jstr(relates_to, "rel_type") && !jstr(relates_to, "event_id"))
		return mx_fail(err, MX_BAD_JSON, "m.relates_to needs an event_id");
	return check_annotation(relates_to, err);
}

static bool are_user_ids(const json_t *list)
{
	const json_t *user;
	struct mx_id id;
	size_t i;

	json_array_foreach (list, i, user)
		if (!json_is_string(user) ||
		    !mx_user_id_parse(
			    mx_slice_of(json_string_value(user), json_string_length(user)), false,
			    &id))
			return false;
	return true;
}

static int check_mentions(const json_t *content, struct mx_error *err)
{
	const json_t *mentions = json_object_get(content, "m.mentions");
	const json_t *room;

	if (!mentions)
		return 0;
	if (!json_is_object(mentions))
		return mx_fail(err, MX_BAD_JSON, "m.mentions must be an object");
	if (!is_absent_or(mentions, "user_ids", JSON_ARRAY) ||
	    !are_user_ids(json_object_get(mentions, "user_ids")))
		return mx_fail(err, MX_BAD_JSON, "user_ids of m.mentions must be a list of users");
	room = json_object_get(mentions, "room");
	if (room && !json_is_boolean(room))
		return mx_fail(err, MX_BAD_JSON, "room of m.mentions must be true or false");
	return 0;
}

int content_check(const json_t *content, struct mx_error *err)
{
	int rc = check_relation(content, err);

	return rc ? rc : check_mentions(content, err);
}

struct content_relation content_relation_of(const json_t *content)
{
	const json_t *relates_to = jobj(content, "m.relates_to");
	const char *type = relates_to ? jstr(relates_to, "rel_type") : NULL;

	if (!type)
		return (struct content_relation){ 0 };
	return (struct content_relation){
		.type = type,
		.event_id = jstr(relates_to, "event_id"),
		.key = jstr(relates_to, "key"),
	};
}

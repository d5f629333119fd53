/*
 * What is an event of a version: tests/scenarios/event_format. A case has
 *   versions  "1-12", "8-", "6" (default all);
 *   members   that are put into a plain message, or taken out of it where they are null; a
 *             "repeat" stands for a long text (see cases.h);
 *   raw       [from, to]: this piece of the text is replaced at last, by an input as in cases.h;
 *   code      what comes of it (default OK).
 */
#include "homeserver/event/event.h"
#include "homeserver/event/room_version.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/json.h"
#include "tests/support/cases.h"
#include "tests/support/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static json_t *reference(const struct room_version *version, const char *id)
{
	return version->hashed_references ? json_pack("[s, {s:s}]", id, "sha256", "AAAA")
					  : json_string(id);
}

static json_t *plain_event(const struct room_version *version)
{
	json_t *event = json_pack("{s:s, s:s, s:s, s:i, s:i, s:{}, s:{}, s:{s:s}, s:[o], s:[o]}",
				  "type", "m.room.message", "sender", "@a:a.example", "room_id",
				  "!r:a.example", "depth", 3, "origin_server_ts", 1000,
				  "signatures", "hashes", "content", "body", "x", "prev_events",
				  reference(version, "$p:a.example"), "auth_events",
				  reference(version, "$q:a.example"));

	if (version->event_ids == EVENT_ID_MEMBER)
		json_object_set_new(event, "event_id", json_string("$e:a.example"));
	return event;
}

/* Lists of ids become what the version has in their place. */
static json_t *of_version(const struct room_version *version, const char *key, json_t *value)
{
	json_t *list, *id;
	size_t i;

	if (!json_is_array(value) || !strstr(key, "_events"))
		return json_incref(value);
	list = json_array();
	json_array_foreach (value, i, id)
		json_array_append_new(list, json_is_string(id)
						    ? reference(version, json_string_value(id))
						    : json_incref(id));
	return list;
}

static json_t *long_text(const json_t *value)
{
	mx_str_auto text = { 0 };

	case_input(value, &text);
	return json_stringn(text.ptr, text.len);
}

static void put_members(const struct room_version *version, const json_t *members, json_t *event)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)members, key, value) {
		if (json_is_null(value))
			json_object_del(event, key);
		else if (json_object_get(value, "repeat"))
			json_object_set_new(event, key, long_text(value));
		else
			json_object_set_new(event, key, of_version(version, key, value));
	}
}

static char *replaced(const json_t *raw, char *text)
{
	const char *from = json_string_value(json_array_get(raw, 0)), *at;
	mx_str_auto whole = { 0 };

	if (!raw)
		return text;
	at = strstr(text, from);
	assert_non_null(at);
	mx_str_add(&whole, text, (size_t)(at - text));
	case_input(json_array_get(raw, 1), &whole);
	mx_str_add_text(&whole, at + strlen(from));
	mx_free(text);
	return mx_str_steal(&whole);
}

static void check(const json_t *item, const struct room_version *version)
{
	json_t *json = plain_event(version);
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_error err = { 0 };
	struct event event;
	char *text;
	int rc;

	put_members(version, json_object_get(item, "members"), json);
	text = replaced(json_object_get(item, "raw"), mx_json_text(json));
	rc = event_parse(version, mx_slice(text), mem, &event, &err);
	if (rc != case_code(jstr(item, "code")))
		fail_msg("version %s: %s (%s)", version->id, case_code_name(rc), err.text);
	mx_free(text);
	json_decref(json);
}

static void the_format_is_held(void **state)
{
	const struct room_version *version;
	size_t checked = 0;

	for (size_t i = 0; (version = room_version_at(i)); i++) {
		if (!room_fixture_version_in(jstr(*state, "versions"), version->id))
			continue;
		check(*state, version);
		checked++;
	}
	assert_true(checked > 0);
}

int main(void)
{
	return cases_run(TEST_DIR "/scenarios/event_format", the_format_is_held);
}

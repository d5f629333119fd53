/*
 * What is kept of somebody who was erased. A case is a room as bob sees it: "timeline" is its
 * events in their order, a second after one another, each with '=' if he is shown it as it was when
 * all has happened, '~' if he is shown what a redaction leaves:
 *   "= message"          ann says something
 *   "= topic TEXT"       she changes the room's topic; likewise "encryption"
 *   "= mine TEXT"        a state of a key that is her own id
 *   ". bob join"         a membership; what is not hers is not asked for
 *   "erase"              she ends her account, and wishes to be forgotten
 */
#include "homeserver/timeline/visibility.h"

#include "homeserver/event/event_types.h"
#include "shared/json/json.h"
#include "tests/support/cases.h"
#include "tests/support/record_room.h"

#include <stdio.h>

#define ANN        "@ann:" HS_FIXTURE_SERVER
#define BOB        MX_SLICE("@bob:" HS_FIXTURE_SERVER)
#define EVENTS_MAX 20

struct told {
	struct stored_event events[EVENTS_MAX];
	const char *lines[EVENTS_MAX];
	size_t len;
	int64_t erased_ms;
};

static struct stored_event set_state(struct record_room *room, const char *type, const char *key,
				     const char *text)
{
	return record_room_add(room, json_pack("{s:s, s:s, s:{s:s}}", "type", type, "key", key,
					       "content", "text", text));
}

static struct stored_event add(struct record_room *room, const char *what)
{
	char first[32] = "", second[32] = "";

	assert_true(sscanf(what, "%31s %31s", first, second) >= 1);
	if (streq(first, "message"))
		return record_room_add(room, json_object());
	if (streq(first, "topic"))
		return set_state(room, "m.room.topic", "", second);
	if (streq(first, "encryption"))
		return set_state(room, "m.room.encryption", "", second);
	if (streq(first, "mine"))
		return set_state(room, "org.example.mine", ANN, second);
	return record_room_member(room, first, second, NULL);
}

static void happen(struct record_room *room, const json_t *timeline, struct told *told)
{
	const json_t *line;
	size_t i;

	json_array_foreach (timeline, i, line) {
		const char *text = json_string_value(line);
		int64_t now_ms = HS_FIXTURE_NOW + (int64_t)i * 1000;

		hs_fixture_at(room->f, now_ms);
		if (streq(text, "erase")) {
			told->erased_ms = now_ms;
			continue;
		}
		assert_true(told->len < EVENTS_MAX && strchr("=~.", text[0]));
		told->lines[told->len] = text;
		told->events[told->len++] = add(room, text + 2);
	}
}

static void assert_kept(struct visibility *visibility, const struct told *told, size_t i)
{
	bool kept = visibility_keeps(visibility, &told->events[i], told->erased_ms);

	if (told->lines[i][0] != '.' && kept != (told->lines[i][0] == '='))
		fail_msg("%zu: %s, but it is %s", i, told->lines[i], kept ? "kept" : "cut");
}

static void he_keeps_what_he_knew(void **state)
{
	struct told told = { 0 };
	struct visibility visibility;
	struct state_reader reader;
	struct record_room room;
	void *fixture;

	hs_fixture_setup(&fixture);
	record_room_begin(&room, fixture, "11");
	happen(&room, json_object_get(*state, "timeline"), &told);
	record_room_end(&room);
	state_reader_init(&reader, &room.f->call, room.room);
	visibility = (struct visibility){ .reader = &reader, .user_id = BOB };
	for (size_t i = 0; i < told.len; i++)
		assert_kept(&visibility, &told, i);
	for (size_t i = told.len; i-- > 0;)
		assert_kept(&visibility, &told, i);
	state_reader_done(&reader);
	hs_fixture_teardown(&fixture);
}

int main(void)
{
	return cases_run(TEST_DIR "/scenarios/erasure", he_keeps_what_he_knew);
}

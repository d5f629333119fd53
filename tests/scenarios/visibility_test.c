/*
 * Who may see which event. A case is a room as bob sees it: "timeline" is its events in their
 * order, each with '+' if he sees it when all has happened, '-' if he does not:
 *   "+ visibility joined"    the history visibility changes (a name of none: to that)
 *   "+ message"              something is said
 *   "+ bob join"             bob's membership, or another one's
 *   "+ hidden FLAGS"         a message with these flags of enum event_flags
 *   "forget"                 bob forgets the room
 * With "closed" true he may not look into the room at all, and then sees nothing.
 */
#include "homeserver/timeline/visibility.h"

#include "homeserver/event/event_types.h"
#include "shared/core/error.h"
#include "shared/json/json.h"
#include "tests/support/cases.h"
#include "tests/support/record_room.h"

#include <stdio.h>

#define BOB        MX_SLICE("@bob:" HS_FIXTURE_SERVER)
#define EVENTS_MAX 40

struct seen {
	struct stored_event events[EVENTS_MAX];
	const char *lines[EVENTS_MAX];
	size_t len;
};

static void forget(struct record_room *room)
{
	struct user_room row;

	assert_int_equal(user_room_db_load(&room->f->call, BOB, room->room, &row), 0);
	row.forgotten = true;
	user_room_db_put(room->f->call.txn, BOB, &row);
}

static struct stored_event add(struct record_room *room, const char *what)
{
	char first[32] = "", second[32] = "";

	assert_true(sscanf(what, "%31s %31s", first, second) >= 1);
	if (streq(first, "message"))
		return record_room_add(room, json_object());
	if (streq(first, "hidden"))
		return record_room_add(room, json_pack("{s:i}", "flags", second[0] - '0'));
	if (streq(first, "visibility"))
		return record_room_add(room, json_pack("{s:s, s:s, s:{s:s}}", "type",
						       TYPE_HISTORY_VISIBILITY, "key", "",
						       "content", "history_visibility", second));
	return record_room_member(room, first, second, NULL);
}

static void happen(struct record_room *room, const json_t *timeline, struct seen *seen)
{
	const json_t *line;
	size_t i;

	json_array_foreach (timeline, i, line) {
		const char *text = json_string_value(line);

		if (streq(text, "forget")) {
			forget(room);
			continue;
		}
		assert_true(seen->len < EVENTS_MAX && (text[0] == '+' || text[0] == '-'));
		seen->lines[seen->len] = text;
		seen->events[seen->len++] = add(room, text + 2);
	}
}

static void assert_seen(struct visibility *visibility, const struct seen *seen, size_t i)
{
	bool allowed = visibility_allows(visibility, &seen->events[i]);

	if (allowed != (seen->lines[i][0] == '+'))
		fail_msg("%zu: %s, but he %s it", i, seen->lines[i],
			 allowed ? "sees" : "does not see");
}

static void he_sees_what_he_may(void **state)
{
	const json_t *item = *state;
	struct visibility visibility;
	struct state_reader reader;
	struct seen seen = { 0 };
	struct record_room room;
	void *fixture;
	int rc;

	hs_fixture_setup(&fixture);
	record_room_begin(&room, fixture, "11");
	happen(&room, json_object_get(item, "timeline"), &seen);
	record_room_end(&room);
	state_reader_init(&reader, &room.f->call, room.room);
	rc = visibility_init(&visibility, &reader, BOB, NULL);
	assert_int_equal(rc, jbool(item, "closed", false) ? -MX_FORBIDDEN : 0);
	/* In both directions: what was read for one event is not taken for another. */
	for (size_t i = 0; rc == 0 && i < seen.len; i++)
		assert_seen(&visibility, &seen, i);
	for (size_t i = seen.len; rc == 0 && i-- > 0;)
		assert_seen(&visibility, &seen, i);
	state_reader_done(&reader);
	hs_fixture_teardown(&fixture);
}

int main(void)
{
	return cases_run(TEST_DIR "/scenarios/visibility", he_sees_what_he_may);
}

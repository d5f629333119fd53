/*
 * What the authorisation rules allow: tests/scenarios/event_auth. A case has
 *   versions  "1-12", "8-", "6": in which it is so (default all);
 *   state     events (see room_fixture.h) behind those of a public room that Alice made and is
 *             in; "bare": true leaves these out;
 *   event     that is asked for, with "first": true if it follows the create event directly;
 *   allow     what comes of it;
 *   why       a part of the reason, for what is rejected.
 */
#include "homeserver/event/event_hash.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/eventauth.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/json.h"
#include "tests/support/cases.h"
#include "tests/support/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check(const json_t *item, const char *version)
{
	const json_t *line = json_object_get(item, "event"), *added;
	struct room_fixture room;
	struct auth_state state;
	struct mx_error err = { 0 };
	struct event event;
	size_t i;
	int rc;

	room_fixture_init(&room, version);
	if (!jbool(item, "bare", false))
		room_fixture_public(&room);
	json_array_foreach (json_object_get(item, "state"), i, added)
		room_fixture_add(&room, added);
	event = room_fixture_build(&room, line);
	if (jbool(line, "first", false))
		event.prev_events = &room.events[0].id;
	state = room_fixture_state(&room);
	rc = eventauth_check(&event, &state, room.mem, &err);
	if ((rc == 0) != jbool(item, "allow", false))
		fail_msg("version %s: %s", version, rc ? err.text : "allowed");
	if (jstr(item, "why") && !strstr(err.text, jstr(item, "why")))
		fail_msg("version %s: rejected because: %s", version, err.text);
	room_fixture_done(&room);
}

static void the_rules_say_so(void **state)
{
	const struct room_version *version;
	size_t checked = 0;

	for (size_t i = 0; (version = room_version_at(i)); i++) {
		if (!room_fixture_version_in(jstr(*state, "versions"), version->id))
			continue;
		check(*state, version->id);
		checked++;
	}
	assert_true(checked > 0);
}

int main(void)
{
	return cases_run(TEST_DIR "/scenarios/event_auth", the_rules_say_so);
}

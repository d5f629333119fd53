/* The authorisation rules in a small room: the first byte is its version, each line an event. They
 * say yes or no, the same every time; nobody comes in whom nobody let in, and nobody rises above
 * who raised them. */
#include "tests/fuzz/fuzz.h"

#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/eventauth.h"
#include "homeserver/eventauth/power_levels.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/small_room.h"

static void check_cited(const struct small_room *small, const struct event *event)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct cited_event cited[EVENT_AUTH_MAX];
	int rc;

	for (size_t i = 0; i < event->auth_events_len; i++) {
		uint32_t number = state_fixture_find(&small->room, event->auth_events[i]);

		FUZZ_ASSERT(number != 0);
		cited[i] = (struct cited_event){
			small->room.events[number],
			small->room.graph_events[number].flags & GRAPH_REJECTED,
		};
	}
	rc = eventauth_check_cited(event, cited, event->auth_events_len, mem, NULL);
	FUZZ_ASSERT(rc == 0 || rc == -MX_FORBIDDEN);
}

/* Spec: room versions, "Authorisation rules": the first event is the only one that stands alone. */
static void check_first(const struct small_room *small, const struct small_said *said)
{
	if (small->room.len == 2 && said->allowed)
		FUZZ_ASSERT(mx_slice_is(said->event->type, TYPE_CREATE));
}

static void check_levels(const struct small_said *said)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct power_levels levels;

	if (said->allowed && event_is(said->event, TYPE_POWER_LEVELS, MX_SLICE("")))
		FUZZ_ASSERT(power_levels_parse(said->event, mem, &levels, NULL) == 0);
}

/* Spec: room versions, "Authorisation rules", 5.3.1: who made the room joins first, whoever says
 * so. */
static bool is_first_join(const struct small_room *small, const struct event *event)
{
	return event->prev_events_len == 1 &&
	       mx_slice_eq(event->prev_events[0], small->room.events[1]->id);
}

static void check_member(const struct small_room *small, const struct small_said *said)
{
	struct mx_slice membership = event_membership(said->event);

	if (!said->allowed || !mx_slice_is(said->event->type, TYPE_MEMBER))
		return;
	FUZZ_ASSERT(membership.ptr);
	if (mx_slice_is(membership, "join") && !is_first_join(small, said->event))
		FUZZ_ASSERT(mx_slice_eq(said->event->sender, said->event->state_key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice rest, line;
	struct small_room small;

	if (size == 0)
		return 0;
	rest = small_room_read(&small, data, size);
	while (mx_split_next(&rest, '\n', &line)) {
		struct small_said said = small_room_say(&small, line);

		if (!said.event)
			continue;
		check_cited(&small, said.event);
		check_first(&small, &said);
		check_levels(&said);
		check_member(&small, &said);
	}
	small_room_done(&small);
	return 0;
}

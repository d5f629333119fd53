/* Rooms for tests, in a line per event: what is not said is made up. */
#pragma once

#include "homeserver/event/event.h"
#include "homeserver/eventauth/auth_state.h"

#include <jansson.h>

struct mx_arena;

#define ROOM_FIXTURE_EVENTS 64

/* A room's state, oldest first; a later event of the same type and key takes the place of an
 * earlier one. */
struct room_fixture {
	const struct room_version *version;
	struct mx_arena *mem;
	struct event events[ROOM_FIXTURE_EVENTS];
	size_t len;
	int64_t depth;
};

void room_fixture_init(struct room_fixture *room, const char *version);
void room_fixture_done(struct room_fixture *room);

/*
 * Builds an event from {"type", "key" (of state), "sender", "content", "redacts", "id", "server"
 * (that signs)}: sender is "@alice:a.example" unless it says otherwise, and content {}. `prev` is
 * the last event of the room. Fails the test if it cannot be built.
 */
struct event room_fixture_build(struct room_fixture *room, const json_t *line);

/* The same, put into the state. */
const struct event *room_fixture_add(struct room_fixture *room, const json_t *line);

/* Alice made the room, is in it and has level 100 where creators have levels; anybody may join. */
void room_fixture_public(struct room_fixture *room);

struct auth_state room_fixture_state(struct room_fixture *room);

/* Whether the version is in the range: "6", "6-", "-5", "3-8"; NULL is all. */
bool room_fixture_version_in(const char *range, const char *version);

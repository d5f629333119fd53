/*
 * A room that is nothing but records: events are put one after another, and nobody asks whether
 * they may be. Of an hs_fixture whose call has a transaction.
 */
#pragma once

#include "homeserver/room/event_db.h"
#include "homeserver/room/room_db.h"
#include "homeserver/state/trie.h"
#include "tests/support/hs_fixture.h"

#define RECORD_ROOM_ID "!room:" HS_FIXTURE_SERVER

struct record_room {
	struct hs_fixture *f;
	uint32_t room;
	struct room_head head;
	struct trie_nodes nodes;
	const char *version;
};

/* Room 7, of a version whose rooms have a name of their own: before "12". */
void record_room_begin(struct record_room *room, struct hs_fixture *f, const char *version);

/*
 * The next event of its timeline, as hs_fixture_event() takes it: with the rows of members and of
 * rooms of local users, of relations, and of what it redacts. In call.mem. "flags" are its own:
 * one that is hidden changes nothing.
 */
struct stored_event record_room_add(struct record_room *room, json_t *line);
/* "bob", "join": of himself, unless `by` says otherwise. */
struct stored_event record_room_member(struct record_room *room, const char *user,
				       const char *membership, const char *by);

/* All is durable, the fixture has a view, and the room takes no more. */
void record_room_end(struct record_room *room);

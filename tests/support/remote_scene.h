/*
 * A public room of Ann's, and what another server says in it: signed, citing what it may, following
 * the newest event unless it says otherwise.
 */
#pragma once

#include "homeserver/event/event_build.h"
#include "homeserver/room/event_db.h"
#include "tests/support/hs_fixture.h"

#include <stdint.h>

struct mx_signing_key;
struct room_turn;

#define ANN "@ann:here.example"
#define BOB "@bob:there.example"

struct scene {
	struct hs_fixture *f;
	const struct room_version *version;
	const char *room_id;
	uint32_t room;
	struct mx_signing_key *key;
};

/* The fixture's call has a view afterwards. */
void scene_begin(struct scene *scene, struct hs_fixture *f, const char *version);
void scene_end(struct scene *scene);

/* By Ann; content is taken. */
void scene_say_here(struct room_turn *turn, const char *type, const char *key, json_t *content);
struct stored_event scene_newest(struct scene *scene);

struct said {
	const char *sender, *type, *state_key, *redacts;
	json_t *content; /* taken */
	const struct event *after;
	int64_t depth;
};

/* The event is in the fixture's call's memory, and nowhere else yet. */
struct event scene_build(struct scene *scene, const struct said *said);

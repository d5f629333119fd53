/*
 * Rooms out of a few short lines, for whoever makes up lines by the million:
 *
 *	amaa {"membership":"join"}	in branch a, the member event of person a, sent by a
 *	atb. {"topic":"t"}		a topic, sent by b; no state_key
 *	fa				branch a forks: the next branch begins as it is
 *
 * A capital letter for the branch: the event is in its state even if the rules reject it, but for
 * a second create event. What an event has to cite is taken from its branch. Lines that say nothing
 * are skipped; so are all before the create event.
 */
#pragma once

#include "tests/support/state_branch.h"

#define SMALL_ROOM_BRANCHES 4
#define SMALL_ROOM_EVENTS   48

struct small_room {
	struct state_fixture room;
	struct state_branch branches[SMALL_ROOM_BRANCHES];
	size_t branches_len;
};

/* A room of the version that the first of the bytes (at least one) stands for; the rest is its
 * lines, still to be said. */
struct mx_slice small_room_read(struct small_room *small, const uint8_t *bytes, size_t len);
void small_room_done(struct small_room *small);

/* What a line came to. */
struct small_said {
	const struct event *event; /* NULL: nothing was said */
	bool allowed;
};

struct small_said small_room_say(struct small_room *small, struct mx_slice line);

/* Rooms that never were: people join, leave, fight over levels and put each other out, in several
 * branches that do not know of each other, until one wants to know what the state is. */
#pragma once

#include "tests/support/state_branch.h"

#define RANDOM_ROOM_BRANCHES 5

struct random_room {
	struct state_fixture room;
	uint64_t random;
	int64_t time_ms;
	struct state_branch branches[RANDOM_ROOM_BRANCHES];
	size_t branches_len;
};

/* The same room for the same seed; `steps` things are tried in it. At least two branches. Some of
 * its events are rejected by the state before them, and yet in somebody's state. */
void random_room_init(struct random_room *random, const char *version, uint64_t seed,
		      unsigned steps);
void random_room_done(struct random_room *random);

/* 0 … below-1 */
uint32_t random_room_number(struct random_room *random, uint32_t below);

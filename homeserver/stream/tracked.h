/* Local users who sync, the rooms that they are joined to, and what changed for them last. Only
 * those users are here, and only rooms with one of them. Not thread-safe: see stream.c. */
#pragma once

#include "shared/core/map.h"
#include "shared/core/slice.h"
#include "shared/core/vec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream_wait;
struct tracked_room;
struct tracked_user;

/* Who is to be woken, in two lists: at once, or when what happened is visible. */
enum tracked_list { TRACKED_WOKEN, TRACKED_PENDING, TRACKED_LISTS };

/* A member's place in the other one's vector, so that leaving costs the same in any room. */
struct tracked_seat {
	struct tracked_room *room;
	size_t place;
};

struct tracked_member {
	struct tracked_user *user;
	size_t place;
};

struct tracked_room {
	uint32_t number;
	uint64_t position; /* of the last change; at least */
	struct mx_vec(struct tracked_member) members;
};

struct tracked_user {
	char *id;
	uint64_t position, tick; /* of the last change that they see; at least */
	struct mx_vec(struct tracked_seat) rooms;
	bool is_ready; /* the rooms were read */
	bool is_loading; /* they are being read */
	struct mx_vec(uint32_t) touched; /* rooms that changed before they were read */
	struct stream_wait *waits;
	int64_t seen_ms;
	struct tracked_user *older, *newer;
	struct tracked_user *next[TRACKED_LISTS];
	bool listed[TRACKED_LISTS];
};

struct tracked {
	struct mx_map users, rooms;
	struct tracked_user *oldest, *newest; /* by when they were seen */
	struct tracked_user *lists[TRACKED_LISTS];
};

void tracked_done(struct tracked *tracked);

struct tracked_user *tracked_find(const struct tracked *tracked, struct mx_slice id);
struct tracked_user *tracked_add(struct tracked *tracked, struct mx_slice id, int64_t now_ms);
void tracked_seen(struct tracked *tracked, struct tracked_user *user, int64_t now_ms);
/* Drops users who were not seen since, unless they wait or are being read. */
void tracked_drop_idle(struct tracked *tracked, int64_t since_ms, int64_t now_ms);

/* NULL: nobody who is tracked is in it. */
struct tracked_room *tracked_room(const struct tracked *tracked, uint32_t number);
/* position: of a room that nobody was in before. What they are already is no error; tracked_seat()
 * is for who knows that they are not. */
void tracked_join(struct tracked *tracked, struct tracked_user *user, uint32_t number,
		  uint64_t position);
void tracked_seat(struct tracked *tracked, struct tracked_user *user, uint32_t number,
		  uint64_t position);
void tracked_part(struct tracked *tracked, struct tracked_user *user, uint32_t number);

/* Puts the user on a list, once. */
void tracked_list(struct tracked *tracked, struct tracked_user *user, enum tracked_list list);
/* The next one of the list, taken off it; NULL at its end. */
struct tracked_user *tracked_take(struct tracked *tracked, enum tracked_list list);

/* All rooms of the server, in memory as long as they are used. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hs;
struct hs_call;
struct mx_error;
struct room;
struct rooms;

/* memory_bytes: how much rooms that nobody uses may keep. */
struct rooms *rooms_new(struct hs *hs, size_t memory_bytes);
/* Nobody has a turn any more. */
void rooms_free(struct rooms *rooms);

/*
 * The room with its turn taken: the caller has it to itself until rooms_release(). A room whose
 * commits failed is loaded anew. -MX_NOT_FOUND, -MX_STORE. Reads with a view of its own.
 */
int rooms_take(struct rooms *rooms, const char *room_id, struct room **ret_room,
	       struct mx_error *err);
/* Gives the turn back. */
void rooms_release(struct rooms *rooms, struct room *room);

/* When a room is made: no two at the same time, because in newer versions the create event's hash
 * is the room's id. */
int64_t rooms_moment(struct rooms *rooms, int64_t now_ms);

/* A new room, its turn taken; rooms_admit() lets others find it. */
int rooms_make(struct rooms *rooms, const char *room_id, struct room **ret_room,
	       struct mx_error *err);
void rooms_admit(struct rooms *rooms, struct room *room);

/* Waits until all that was handed to the committer for the room is decided. */
void rooms_settle(struct rooms *rooms, struct room *room);

size_t rooms_in_memory(struct rooms *rooms);

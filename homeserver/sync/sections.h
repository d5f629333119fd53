/* The kinds of rooms in an answer of /sync. */
#pragma once

struct mx_arena;
struct sync;
struct user_room;

/* Each appends the room's member, or nothing if nothing is to be said of it. mem: for this room. */
int section_joined_room(struct sync *sync, const struct user_room *row, struct mx_arena *mem);
int section_left_room(struct sync *sync, const struct user_room *row, struct mx_arena *mem);
int section_invited_room(struct sync *sync, const struct user_room *row, struct mx_arena *mem);
int section_knocked_room(struct sync *sync, const struct user_room *row, struct mx_arena *mem);

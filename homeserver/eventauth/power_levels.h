/* Power levels, with the leniencies of old room versions.
 * Spec: client-server API, "m.room.power_levels"; room versions 1, 5, 10 and 12. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct mx_arena;
struct mx_error;
struct room_version;

/* Above every number that an event can state. */
#define LEVEL_OF_CREATORS INT64_MAX

enum level_name {
	LEVEL_USERS_DEFAULT,
	LEVEL_EVENTS_DEFAULT,
	LEVEL_STATE_DEFAULT,
	LEVEL_BAN,
	LEVEL_REDACT,
	LEVEL_KICK,
	LEVEL_INVITE,
	LEVEL_NAMES,
};

struct level {
	struct mx_slice name;
	int64_t value;
};

/* By name, in byte order. */
struct level_list {
	const struct level *items;
	size_t len;
};

struct power_levels {
	bool is_stated[LEVEL_NAMES];
	int64_t stated[LEVEL_NAMES];
	struct level_list users, events, notifications;
};

/* What the content of a levels event says; slices of the event or in mem. -MX_FORBIDDEN for what
 * the version does not allow: the event is to be rejected. */
int power_levels_parse(const struct event *event, struct mx_arena *mem,
		       struct power_levels *ret_levels, struct mx_error *err);

/* NULL if the list does not name it. */
const struct level *level_find(const struct level_list *list, struct mx_slice name);

/* Who made the room: the first one is who sent the create event or whom its content names; with
 * the others that it adds, where the version has them. */
struct room_creators {
	const struct mx_slice *users;
	size_t len; /* 0: the create event names nobody */
};

struct room_creators room_creators_of(const struct event *create, struct mx_arena *mem);
bool room_creators_have(const struct room_creators *creators, struct mx_slice user_id);

/* The levels that hold in a room. */
struct room_levels {
	const struct room_version *version;
	const struct power_levels *stated; /* NULL: the room has no levels event */
	struct room_creators creators;
};

int64_t level_of(const struct room_levels *levels, enum level_name name);
int64_t level_of_user(const struct room_levels *levels, struct mx_slice user_id);
int64_t level_to_send(const struct room_levels *levels, struct mx_slice type, bool state);

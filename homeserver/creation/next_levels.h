/* Power levels on the way from a room to the one that follows it. */
#pragma once

#include <jansson.h>

struct room_version;

struct next_levels {
	const json_t *content; /* of the old room's levels; NULL: it had none */
	const struct room_version *from, *to;
	const char *creator; /* of the new room */
	const json_t *more_creators; /* of the new room; may be NULL */
	const json_t *old_creators; /* who was above all levels; may be NULL */
};

/* The new room's; the caller's. Numbers in strings become numbers, and creators are named where
 * the version wants that, and nowhere else. */
json_t *next_levels_make(const struct next_levels *levels);

/* The old room's, for when it is closed: only who may do more than others speaks or invites. */
json_t *last_levels_make(const json_t *content);

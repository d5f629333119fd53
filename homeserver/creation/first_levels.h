/* The power levels that a room begins with. Spec: client-server API, POST /createRoom. */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct mx_error;
struct room_version;

struct first_levels {
	const struct room_version *version;
	const char *creator;
	const json_t *equals; /* users who get the creator's level; may be NULL */
	int64_t invite;
	const json_t *override; /* replaces whole members of the content; may be NULL */
};

/* A tombstone takes more than `state_default` where creators are above all levels. */
#define LEVEL_OF_TOMBSTONE_V12 150

/* The caller's. -MX_BAD_JSON if the override's users leave the creator out, where rooms need
 * that. */
int first_levels_make(const struct first_levels *levels, json_t **ret_content,
		      struct mx_error *err);

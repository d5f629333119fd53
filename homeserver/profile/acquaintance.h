/* Who shares a room with whom: whose presence one sees, and who is found in the directory. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;

/* The rooms that a user is joined to, sorted. */
struct joined_rooms {
	uint32_t *items;
	size_t len;
};

/* In call->mem. */
int joined_rooms_load(const struct hs_call *call, const char *user_id,
		      struct joined_rooms *ret_rooms);
/* Whether the user is in one of the rooms. */
bool acquaintance_shares(const struct hs_call *call, const struct joined_rooms *rooms,
			 const char *user_id);

/* Whether the user is in a room that is public or readable by all. */
bool acquaintance_is_public(const struct hs_call *call, const char *user_id);

/* Whether one user is visible to another: they share a room, or the other one is in a room that is
 * public or readable by all. -MX_FORBIDDEN. Spec: client-server API, "Profiles" */
int acquaintance_sees(const struct hs_call *call, const char *viewer, const char *user_id,
		      struct mx_error *err);

/* Rooms that let in who is in another room. Spec: client-server API, "Restricted rooms". */
#pragma once

#include <stdbool.h>

struct mx_error;
struct room_turn;

/* Whether the room's join rule is one of these, in a version that has them. */
bool restricted_is(struct room_turn *turn);

/* A local member who may invite, in the turn's call->mem, for a user who is in one of the rooms
 * that are allowed. -MX_FORBIDDEN: not in any, or nobody here may let them in. */
int restricted_find_host(struct room_turn *turn, const char *user_id, const char **ret_host,
			 struct mx_error *err);

/* The room of a request about a user's own things in a room. */
#pragma once

#include <stdint.h>

struct req;

/* The path's {roomId}, if r->user is or was a member of it, or was invited: -MX_FORBIDDEN for
 * other rooms, be they there or not. */
int user_room_of(struct req *r, uint32_t *ret_room);

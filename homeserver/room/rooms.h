/* All rooms of the server, in memory as long as they are used. Locks: one a room, of room/turn.h.
 */
#pragma once

#include <stddef.h>

struct hs;
struct rooms;

/* memory_bytes: how much rooms that nobody uses may keep. */
struct rooms *rooms_new(struct hs *hs, size_t memory_bytes);
/* Waits for commits under way. */
void rooms_free(struct rooms *rooms);

/* Keys of what belongs to a room: its number comes first. For _db.c files. */
#pragma once

#include "shared/store/key.h"

#include <stdint.h>

static inline struct store_key room_key(uint32_t room)
{
	struct store_key key = { 0 };

	store_key_u64(&key, room);
	return key;
}

/* Of what the room numbers: events, state events, slots, nodes. */
static inline struct store_key room_number_key(uint32_t room, uint32_t number)
{
	struct store_key key = room_key(room);

	store_key_u64(&key, number);
	return key;
}

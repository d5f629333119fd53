/* A room's state inside of records: two roots. For _db.c files. */
#pragma once

#include "homeserver/state/resolve.h"
#include "shared/store/record.h"

static inline void record_put_state(struct mx_str *out, const struct room_state *state)
{
	record_put_u64(out, state->members);
	record_put_u64(out, state->others);
}

static inline struct room_state record_state(struct record_reader *reader)
{
	struct room_state state;

	state.members = (uint32_t)record_u64(reader);
	state.others = (uint32_t)record_u64(reader);
	return state;
}

#include "homeserver/ingest/room_power.h"

#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/state_reader.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"

static void power_init(struct room_power *power, const struct event *create,
		       const struct event *levels, struct mx_arena *mem)
{
	*power = (struct room_power){
		.levels = {
			.version = create->version,
			.creators = room_creators_of(create, mem),
		},
	};
	/* What is in a room's state was parsed before it got there. */
	if (levels && power_levels_parse(levels, mem, &power->stated, NULL) == 0)
		power->levels.stated = &power->stated;
}

void room_power_of_turn(struct room_power *power, struct room_turn *turn, struct mx_arena *mem)
{
	power_init(power, turn_state(turn, TYPE_CREATE, ""),
		   turn_state(turn, TYPE_POWER_LEVELS, ""), mem);
}

int room_power_of_state(struct room_power *power, struct state_reader *reader,
			const struct room_state *state)
{
	struct mx_arena *mem = reader->call->mem;
	struct stored_event *events = mx_arena_calloc(mem, 2, sizeof(*events));
	int rc = state_reader_load(reader, state, TYPE_CREATE, MX_SLICE(""), &events[0]);

	if (rc)
		return rc;
	rc = state_reader_load(reader, state, TYPE_POWER_LEVELS, MX_SLICE(""), &events[1]);
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	power_init(power, &events[0].event, rc ? NULL : &events[1].event, mem);
	return 0;
}

const struct room_power *room_power_load(const struct hs_call *call, uint32_t room)
{
	struct room_head *head = mx_arena_alloc(call->mem, sizeof(*head));
	struct room_power *power = mx_arena_alloc(call->mem, sizeof(*power));
	struct state_reader reader;
	int rc;

	if (room_db_head(call, room, head))
		return NULL;
	state_reader_init(&reader, call, room);
	rc = room_power_of_state(power, &reader, &head->state);
	state_reader_done(&reader);
	return rc ? NULL : power;
}

static int64_t power_of(const struct room_power *power, const char *user_id)
{
	return level_of_user(&power->levels, mx_slice(user_id));
}

bool room_power_may_send_state(const struct room_power *power, const char *user_id,
			       const char *type)
{
	return power_of(power, user_id) >= level_to_send(&power->levels, mx_slice(type), true);
}

bool room_power_may(const struct room_power *power, const char *user_id, enum level_name name)
{
	return power_of(power, user_id) >= level_of(&power->levels, name);
}

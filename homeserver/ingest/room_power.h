/* Who may do what in a room, by its state of now: for what is asked besides the authorisation
 * rules, which decide about events themselves. */
#pragma once

#include "homeserver/eventauth/power_levels.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct hs_call;
struct mx_arena;
struct room_turn;
struct state_reader;
struct room_state;

/* Points into itself: not to be copied. */
struct room_power {
	struct room_levels levels;
	struct power_levels stated;
};

void room_power_of_turn(struct room_power *power, struct room_turn *turn, struct mx_arena *mem);
/* -MX_STORE; -MX_NOT_FOUND without a create event. */
int room_power_of_state(struct room_power *power, struct state_reader *reader,
			const struct room_state *state);
/* Of a room by its stored head; in call->mem. NULL if there is none to be read. */
const struct room_power *room_power_load(const struct hs_call *call, uint32_t room);

/* By level only; whether the user is a member is not looked at. */
bool room_power_may_send_state(const struct room_power *power, const char *user_id,
			       const char *type);
bool room_power_may(const struct room_power *power, const char *user_id, enum level_name name);

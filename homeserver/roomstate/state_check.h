/* What clients may not say as state, whatever their level. Other servers' events are judged by the
 * authorisation rules alone. */
#pragma once

#include <jansson.h>

struct hs_call;
struct mx_error;
struct room_turn;

/* Within a turn in the room: -MX_FORBIDDEN for m.room.create, -MX_BAD_JSON, -MX_INVALID_PARAM,
 * -MX_BAD_ALIAS, -MX_TOO_LARGE. Memberships go another way: member/member.h. */
int state_check(struct room_turn *turn, const char *type, const json_t *content,
		struct mx_error *err);

/* Making rooms. Spec: client-server API, "Creation". */
#pragma once

#include "homeserver/creation/room_plan.h"

struct hs_call;
struct mx_error;
struct room_turn;

struct room_creation {
	const struct room_plan *plan;
	const char *creator, *device; /* device: may be NULL */
};

/*
 * Begins the room's first turn and says all that is planned, with its alias, its place in the
 * directory and its invites, but those of addresses: they wait for the network. Nothing is there
 * before the turn has ended well. *ret_turn may be there on failure, to be aborted.
 * -MX_ROOM_IN_USE, -MX_INVALID_ROOM_STATE with the reason, -MX_FORBIDDEN, -MX_REMOTE_FAILED and
 * -MX_INVITE_BLOCKED for who is invited.
 */
int room_create(const struct hs_call *call, const struct room_creation *creation,
		struct room_turn **ret_turn, struct mx_error *err);

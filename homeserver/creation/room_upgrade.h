/* Upgrading rooms: a new one that follows an old one.
 * Spec: client-server API, "Room Upgrades". */
#pragma once

#include <jansson.h>

struct hs_call;
struct mx_error;
struct room_turn;

struct room_upgrade {
	const char *room_id, *user_id, *device;
	const char *version; /* as it was asked for */
	const json_t *additional_creators; /* users; may be NULL */
};

/* Makes the new room, until it is durable; *ret_new_id is the caller's. -MX_FORBIDDEN for who may
 * not upgrade, -MX_UNSUPPORTED_ROOM_VERSION, -MX_INVALID_PARAM. */
int room_upgrade_make(const struct hs_call *call, const struct room_upgrade *upgrade,
		      char **ret_new_id, struct mx_error *err);
/* Closes the old one, in a turn that is begun; it may be there on failure, to be aborted. */
int room_upgrade_close(const struct hs_call *call, const struct room_upgrade *upgrade,
		       const char *new_id, struct room_turn **ret_turn, struct mx_error *err);

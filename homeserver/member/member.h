/* Memberships that local users change. Spec: client-server API, "Room membership". */
#pragma once

#include "homeserver/room/membership.h"

#include <jansson.h>
#include <stdbool.h>

struct event;
struct hs;
struct hs_call;
struct mx_error;
struct room_turn;

struct member_change {
	const char *room_id;
	const char *sender, *target;
	enum membership membership;
	const json_t *content; /* what a client says besides, checked before; NULL: nothing */
	const json_t *third_party; /* of an invite: its third_party_invite; or NULL */
	const char *reason, *via; /* may be NULL; via: a server to join by */
	const char *device; /* may be NULL */
	bool is_direct;
};

/* A membership as a client writes it: -MX_BAD_JSON, -MX_INVALID_PARAM for names and pictures that
 * are too long. Names of one room only ("room nicknames") come in this way. */
int member_content_check(const json_t *content, struct mx_error *err);

/*
 * Within a turn in the room. *ret_event is the membership that holds then, also if it did before.
 * -MX_FORBIDDEN with the reason; -MX_GUEST_FORBIDDEN; -MX_REMOTE_FAILED for users whose server
 * cannot be reached.
 */
int member_change_in(struct room_turn *turn, const struct member_change *change,
		     const struct event **ret_event, struct mx_error *err);

/* Begins the turn, too, which is in *ret_turn even on failure if it was begun. Rooms that are not
 * here: -MX_FORBIDDEN, but -MX_NOT_FOUND and -MX_REMOTE_FAILED for those who want to come in. */
int member_change(const struct hs_call *call, const struct member_change *change,
		  struct room_turn **ret_turn, const struct event **ret_event,
		  struct mx_error *err);

/* All of it, until it is durable: for what is not a request's only turn. */
int member_change_now(const struct hs_call *call, const struct member_change *change,
		      struct mx_error *err);

/* The user leaves every room, and declines what they are invited to; in turns of its own. For
 * accounts that end. False: some could not be left, which is logged. */
bool member_leave_all(struct hs *hs, const char *user_id);

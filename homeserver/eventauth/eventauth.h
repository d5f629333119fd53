/* The authorisation rules of all room versions. Spec: room versions, "Authorisation rules". */
#pragma once

#include "homeserver/eventauth/auth_state.h"

#include <stdbool.h>
#include <stddef.h>

struct mx_arena;
struct mx_error;

/* An event that another one cites. */
struct cited_event {
	const struct event *event;
	bool rejected;
};

/*
 * Whether the state allows the event; -MX_FORBIDDEN with the reason. Signatures were checked
 * before, also of who let a user into a restricted room; what is asked here of signatures are
 * those of third-party invites. The event and the state are of the same room.
 */
int eventauth_check(const struct event *event, const struct auth_state *state, struct mx_arena *mem,
		    struct mx_error *err);

/* Whether the event cites what it may: nothing twice, nothing that does not matter to it, nothing
 * rejected, nothing of another room, and the create event where it must. `cited` are all of its
 * auth_events. -MX_FORBIDDEN with the reason. */
int eventauth_check_cited(const struct event *event, const struct cited_event *cited, size_t len,
			  struct mx_arena *mem, struct mx_error *err);

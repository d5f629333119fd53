/* A room that somebody wants: which events it begins with, in their order.
 * Spec: client-server API, "Creation", POST /createRoom. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct mx_error;
struct room_version;

struct room_wish {
	const char *creator, *server_name;
	const json_t *body; /* of the request, after its schema */
	const char *version; /* that a room gets if the body does not say; NULL: the newest */
};

/* Events behind the creator's join. */
struct planned_event {
	const char *type, *state_key; /* the body's, or static */
	json_t *content;
};

struct room_plan {
	const struct room_version *version;
	json_t *create; /* content of m.room.create */
	char *alias; /* "#name:server"; NULL: none */
	struct planned_event *items;
	size_t len, cap;
	const json_t *invites; /* users; may be NULL */
	const json_t *addresses; /* invite_3pid; may be NULL */
	bool is_public; /* in the directory */
	bool is_direct;
};

#define ROOM_INVITES_MAX 100 /* of one request; each becomes an event at once */

/*
 * The body must live as long as the plan. -MX_UNSUPPORTED_ROOM_VERSION; -MX_INVALID_PARAM for what
 * is no alias, no user, or too many of them; -MX_BAD_JSON for levels that leave the creator out.
 * On failure nothing is to be done with the plan.
 */
int room_plan_make(const struct room_wish *wish, struct room_plan *ret_plan, struct mx_error *err);
void room_plan_done(struct room_plan *plan);

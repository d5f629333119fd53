/* A room that is upgraded: what of it goes into the one that follows. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct hs_call;
struct mx_error;
struct room_upgrade;
struct room_version;

struct old_state {
	const char *type, *state_key;
	json_t *content;
};

struct old_room {
	uint32_t number;
	const char *room_id;
	const struct room_version *version;
	const char *type; /* NULL: an ordinary room */
	const char *last_event; /* the last that is known */
	bool is_local_only; /* m.federate: false */
	bool is_published;
	json_t *levels; /* NULL: it has none */
	json_t *creators; /* who is above all levels; a list */
	struct old_state *items; /* to be said again, but for the levels */
	size_t len, cap;
};

/* With a view; strings in call->mem. -MX_FORBIDDEN unless the user is in the room and may close
 * it. */
int old_room_load(const struct hs_call *call, const struct room_upgrade *upgrade,
		  struct old_room *ret_old, struct mx_error *err);
void old_room_done(struct old_room *old);

/* The caller's. */
json_t *old_room_levels(const struct old_room *old, const struct room_version *version,
			const struct room_upgrade *upgrade);
json_t *old_room_closed_levels(const struct event *levels);

/* Aliases that this server hosts lead to the new room from now on. With a txn. */
int old_room_move_names(const struct old_room *old, const struct hs_call *call, const char *new_id);

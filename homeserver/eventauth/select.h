/* Which state an event has to cite. Spec: server-server API, "Auth events selection". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct event;
struct mx_arena;
struct room_version;

/* create, levels, sender, target, join rules, third-party invite, who let in. */
#define SELECTED_MAX 7

/* What of an event decides. Texts that it has not are of ptr NULL. */
struct auth_subject {
	const struct room_version *version;
	struct mx_slice type, sender, state_key;
	struct mx_slice membership, authorised_via, invite_token; /* of its content */
};

struct state_key {
	const char *type;
	struct mx_slice state_key;
};

struct selection {
	struct state_key keys[SELECTED_MAX];
	size_t len;
};

struct auth_subject auth_subject_of(const struct event *event, struct mx_arena *mem);

/* Nothing for a create event. */
void auth_select(const struct auth_subject *subject, struct selection *ret_selection);
bool selection_has(const struct selection *selection, const struct event *event);

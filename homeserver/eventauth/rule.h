/* One check of one event: what the rules need of the state, looked up once. */
#pragma once

#include "homeserver/eventauth/auth_state.h"
#include "homeserver/eventauth/power_levels.h"

#include <stdbool.h>

struct event;

struct auth_check {
	const struct event *event;
	const struct auth_state *state;
	struct mx_arena *mem;
	struct mx_error *err;

	const struct event *create; /* of the room */
	struct power_levels stated;
	struct room_levels levels;
	int64_t sender_level;
	struct mx_slice sender_membership; /* ptr NULL: never was here */
};

/* A rule allows with 0 or rejects with -MX_FORBIDDEN; where a rule of a type allows finally, the
 * rules behind it are not asked. */
int rule_create(struct auth_check *check);
int rule_member(struct auth_check *check);
int rule_power_levels(const struct auth_check *check);

/* content.third_party_invite of an invite: by the token's public keys. */
int rule_third_party_invite(const struct auth_check *check, uint32_t invite);

int rule_reject(const struct auth_check *check, const char *why);

const struct event *rule_state(const struct auth_check *check, const char *type,
			       struct mx_slice state_key);
/* ptr NULL: none. */
struct mx_slice rule_membership(const struct auth_check *check, struct mx_slice user_id);

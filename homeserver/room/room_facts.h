/* What a room tells about itself to those who look for one: its row in a directory, its summary.
 * Spec: client-server API, "Published room directory", "Room Summaries". */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;

struct room_facts {
	const char *room_id;
	const char *name, *topic, *avatar_url, *canonical_alias; /* NULL: none, or broken */
	const char *join_rule; /* "invite" where the room has none */
	const char *room_type; /* NULL: an ordinary one */
	const char *encryption, *room_version;
	const char *creator;
	const char **allowed_rooms; /* of a restricted room */
	size_t allowed_rooms_len;
	bool world_readable, guest_can_join, is_published;
	uint32_t joined;
};

/* From the room's state of now; strings in call->mem. -MX_NOT_FOUND. */
int room_facts_load(const struct hs_call *call, uint32_t room, struct room_facts *ret_facts);

/* A row of the directory; the caller's. */
json_t *room_facts_json(const struct room_facts *facts);

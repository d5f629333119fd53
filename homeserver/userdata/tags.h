/* Labels that users put on their rooms: kept as the account data m.tag of the room.
 * Spec: client-server API, "Room Tagging". */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct hs_call;
struct mx_error;

#define TAG_NAME_MAX 255 /* bytes */
#define TAGS_MAX     100 /* of one user on one room */

struct tag_key {
	const char *user_id;
	uint32_t room;
	const char *tag;
};

/* {"tags": {…}}, the caller's; without any if there are none. */
int tags_load(const struct hs_call *call, const char *user_id, uint32_t room, json_t **ret_content);

/* Adds or replaces one. With a txn, as tags_remove(). -MX_INVALID_PARAM for a name or an order that
 * may not be, -MX_TOO_MANY. */
int tags_put(const struct hs_call *call, const struct tag_key *key, json_t *tag,
	     struct mx_error *err);
/* What is not there is removed. */
int tags_remove(const struct hs_call *call, const struct tag_key *key, struct mx_error *err);

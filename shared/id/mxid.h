/* Identifiers with a sigil: users, rooms, events, aliases, and key ids.
 * Spec: appendices, "Common Identifier Format". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

#define MX_ID_MAX 255 /* bytes, sigil and domain included */

struct mx_id {
	struct mx_slice localpart; /* without the sigil */
	struct mx_slice server; /* empty for event ids of room v3+, room ids of v12 */
};

/* Historical user ids (any UTF-8 but ':' and NUL, also empty) are accepted; `strict` allows
 * only what may be registered today. */
bool mx_user_id_parse(struct mx_slice id, bool strict, struct mx_id *ret_id);
bool mx_room_id_parse(struct mx_slice id, struct mx_id *ret_id);
bool mx_event_id_parse(struct mx_slice id, struct mx_id *ret_id);
bool mx_alias_parse(struct mx_slice id, struct mx_id *ret_id);

/* "ed25519:a_1": the parts before and behind the first ':'; both non-empty. */
struct mx_key_id {
	struct mx_slice algorithm, version;
};
bool mx_key_id_parse(struct mx_slice id, struct mx_key_id *ret_id);

/* The version has only [A-Za-z0-9_]. */
bool mx_key_id_is_strict(const struct mx_key_id *id);

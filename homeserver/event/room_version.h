/* Room versions 1 to 12, a row of flags each: all that makes one version differ from another is
 * asked here, and nowhere by comparing version numbers. Spec: "Room Versions". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

#define ROOM_VERSION_DEFAULT "12"

enum event_id_form {
	EVENT_ID_MEMBER, /* "$opaque:domain", a member of the event */
	EVENT_ID_HASH, /* the reference hash, in standard base64 with '/' and '+' */
	EVENT_ID_URL_HASH, /* the same, URL-safe */
};

enum resolution_algorithm { RESOLUTION_V1, RESOLUTION_V2, RESOLUTION_V2_1 };

/* What is left of an event's content. */
struct redaction_keep {
	const char *type;
	const char *const *keys; /* NULL-ended; NULL = all */
	const char *part; /* of this key… */
	const char *part_key; /* …only this one */
};

struct redaction_rules {
	const char *const *members; /* of the event, NULL-ended */
	const struct redaction_keep *content; /* ends with type NULL */
};

struct room_version {
	const char *id;
	enum event_id_form event_ids;
	enum resolution_algorithm resolution;
	const struct redaction_rules *redaction;

	bool hashed_references; /* prev_events and auth_events are pairs of id and hash */
	bool create_is_room_id; /* a room is named by its create event, which has no room_id */
	bool strict_json; /* canonical JSON is enforced: no reals, integers within ±(2^53-1) */
	bool byte_lengths; /* 255 bytes at most, not 255 code points */
	bool timed_keys; /* a key must have been valid when the event was made */

	bool creator_in_content; /* content.creator must be there, and is who made the room */
	bool creators_rule; /* creators are above all levels and never named in them */
	bool aliases_rule; /* m.room.aliases belong to servers */
	bool redaction_rule; /* who may redact is asked when the event is authorised */
	bool redacts_in_content;
	bool knocking;
	bool restricted_joins;
	bool knock_restricted; /* the join rule */
	bool notification_levels; /* are guarded like the levels of events */
	bool integer_levels; /* and no strings */
	bool real_levels; /* are truncated */
};

/* NULL for what is no version, or none that is known here. */
const struct room_version *room_version_find(struct mx_slice id);

/* Goes through all, oldest first; NULL at the end. */
const struct room_version *room_version_at(size_t index);

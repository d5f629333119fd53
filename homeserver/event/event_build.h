/* The birth of an event: from what it says to hashed and signed bytes.
 * Spec: server-server API, "Signing Events". */
#pragma once

#include "homeserver/event/event.h"

#include <jansson.h>

struct mx_signing_key;

/* An event that is cited; the hash is its reference hash. */
struct event_reference {
	struct mx_slice id;
	uint8_t hash[32];
};

struct event_draft {
	const struct room_version *version;
	const char *server; /* that signs */
	const struct mx_signing_key *key;
	struct mx_slice room_id; /* ptr NULL: of a create event that names its room */
	struct mx_slice type, sender;
	struct mx_slice state_key; /* ptr NULL: a message */
	struct mx_slice redacts; /* of a redaction; ptr NULL otherwise */
	const json_t *content; /* an object */
	int64_t depth, origin_server_ts;
	const struct event_reference *prev_events, *auth_events;
	size_t prev_events_len, auth_events_len;
};

/* -MX_BAD_JSON if the content cannot be signed, -MX_TOO_LARGE if the event would be too large.
 * All lives in mem. */
int event_build(const struct event_draft *draft, struct mx_arena *mem, struct event *ret_event,
		struct mx_error *err);

/* The event with one more signature: an invite that this server agreed to, a join that it let in.
 * What a peer sent is read and checked before, never signed unread. */
int event_countersign(const struct event *event, const char *server,
		      const struct mx_signing_key *key, struct mx_arena *mem,
		      struct event *ret_event, struct mx_error *err);

/* An event as the rules read it: its canonical bytes, and slices of them. Immutable.
 * Spec: room versions, "Event format". */
#pragma once

#include "shared/core/slice.h"
#include "shared/json/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;
struct room_version;

#define EVENT_BYTES_MAX 65536 /* of the canonical form, signatures included */
#define EVENT_PREV_MAX  20
#define EVENT_AUTH_MAX  10
#define EVENT_TEXT_MAX  255 /* of type, state_key, sender, room and event id */

struct event {
	const struct room_version *version;
	struct mx_slice json; /* canonical, without `unsigned`; before version 3 with event_id */
	struct mx_json_doc doc; /* of json */
	struct mx_slice id, room_id, type, sender;
	struct mx_slice sender_server; /* part of sender */
	struct mx_slice state_key; /* ptr NULL: no state event */
	struct mx_slice redacts; /* ptr NULL: of no redaction */
	uint32_t content; /* node of doc, an object */
	int64_t depth, origin_server_ts;
	const struct mx_slice *prev_events, *auth_events; /* ids */
	size_t prev_events_len, auth_events_len;
};

/*
 * Reads one event: any JSON of it, `unsigned` is dropped. All lives in mem. -MX_BAD_JSON for
 * what is no event of this version, -MX_TOO_LARGE beyond EVENT_BYTES_MAX or a length. Neither
 * hash nor signature is looked at, see event_hash.h and event_sign.h.
 */
int event_parse(const struct room_version *version, struct mx_slice json, struct mx_arena *mem,
		struct event *ret_event, struct mx_error *err);

/* The bytes and the id that event_parse() once found, which are borrowed: nothing is computed nor
 * made canonical again. -MX_BAD_JSON, -MX_TOO_LARGE for what it cannot have been. */
int event_read(const struct room_version *version, struct mx_slice json, struct mx_slice id,
	       struct mx_arena *mem, struct event *ret_event);

static inline bool event_is_state(const struct event *event)
{
	return event->state_key.ptr != NULL;
}

/* A state event of this type and key. */
bool event_is(const struct event *event, const char *type, struct mx_slice state_key);

/* A string of the content, ptr NULL if it is none. */
struct mx_slice event_content_text(const struct event *event, const char *key,
				   struct mx_arena *mem);

/* content.membership of a member event; ptr NULL if it has none. */
struct mx_slice event_membership(const struct event *event);

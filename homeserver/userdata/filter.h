/* Filters: what of all that happened a client wants to see. Compiled once, then asked for every
 * event. Spec: client-server API, "Filtering". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct event;
struct filter_fields;
struct mx_arena;
struct mx_error;

#define FILTER_BYTES_MAX 1000000 /* of its JSON */
#define FILTER_NODES_MAX 150000
#define FILTER_GLOBS_MAX 50 /* names with '*' in one list */
#define FILTER_LIMIT_MAX 1000 /* larger limits count as this */

/* Names that are listed: sorted, those with a '*' apart. */
struct filter_names {
	bool given; /* an absent list is no condition, an empty one lets nothing through */
	struct mx_slice *literals, *globs;
	size_t literals_len, globs_len;
};

enum filter_url { FILTER_URL_ANY, FILTER_URL_WITH, FILTER_URL_WITHOUT };

/* EventFilter and RoomEventFilter. `{ 0 }` lets everything through. */
struct event_filter {
	struct filter_names types, not_types, senders, not_senders, rooms, not_rooms;
	enum filter_url contains_url;
	size_t limit; /* 0: none was given */
	bool lazy_load_members, include_redundant_members, unread_thread_notifications;
};

/* What /sync takes. Immutable, counted. */
struct filter {
	struct event_filter presence, account_data;
	struct event_filter rooms; /* only its rooms and not_rooms are */
	struct event_filter timeline, state, ephemeral, room_account_data;
	bool include_leave, federation_format;
	const struct filter_fields *fields; /* NULL: all; see filter_fields.h */
	size_t bytes; /* what it takes in memory */
};

/* Of JSON text. -MX_NOT_JSON, -MX_BAD_JSON with the place, -MX_TOO_LARGE. */
int filter_parse(struct mx_slice text, struct filter **ret_filter, struct mx_error *err);
struct filter *filter_ref(struct filter *filter);
void filter_unref(struct filter *filter);

/* A RoomEventFilter alone, as /messages and /context have it in their query; all of it lives in
 * mem. */
int event_filter_parse(struct mx_slice text, struct mx_arena *mem, struct event_filter *ret_filter,
		       struct mx_error *err);

bool event_filter_allows_room(const struct event_filter *filter, struct mx_slice room_id);
/* By type, sender and url; the room is not looked at. */
bool event_filter_allows(const struct event_filter *filter, const struct event *event);
/* For what is no event of a room: an empty sender is nobody, who is not asked for. */
bool event_filter_allows_type(const struct event_filter *filter, struct mx_slice type,
			      struct mx_slice sender);

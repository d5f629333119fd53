/* An event as a client sees it: members of its stored bytes, copied, with `unsigned`.
 * Spec: client-server API, "Room event format". */
#pragma once

#include "homeserver/room/event_db.h"

struct hs_call;
struct ignored;
struct mx_str;
struct visibility;

enum event_view_form {
	EVENT_VIEW_FULL, /* with room_id: /messages, /event, /context */
	EVENT_VIEW_SYNC, /* without */
	EVENT_VIEW_STRIPPED, /* content, sender, state_key and type only */
	EVENT_VIEW_FEDERATION, /* filter's event_format: the event as servers see it */
};

struct event_viewer {
	const char *user_id, *device; /* whose `transaction_id` and membership are shown; NULL:
					 somebody outside */
	enum event_view_form form;
	bool bundles; /* what events of a timeline have: m.relations, the content before, the
			 user's membership then */
	/* The user's, in this room, to spare what they read; NULL: made where they are needed. */
	struct visibility *visibility;
	const struct ignored *ignored;
};

/* Whether the viewer is shown what a redaction leaves only: the event is redacted, or its sender
 * was erased before the viewer knew it. */
bool event_view_is_cut(const struct hs_call *call, const struct event_viewer *viewer,
		       const struct stored_event *event);
/* Its content alone, cut if the event is. */
void event_view_content(const struct hs_call *call, const struct event_viewer *viewer,
			const struct stored_event *event, struct mx_str *out);
/* Appends one JSON object, cut if the event is; never fails on what is stored. */
void event_view(const struct hs_call *call, const struct event_viewer *viewer,
		const struct stored_event *event, struct mx_str *out);

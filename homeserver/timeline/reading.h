/* A request that reads one room, as its user may see it.
 *
 *	rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));
 *	if (rc == 0)
 *		… writes to reading.out …
 *	return reading_end(&reading, rc);
 */
#pragma once

#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "homeserver/timeline/event_view.h"
#include "homeserver/timeline/visibility.h"
#include "homeserver/userdata/ignored.h"
#include "shared/core/str.h"

struct req;

struct reading {
	struct req *r;
	struct hs_call call;
	uint32_t room;
	struct room_head head;
	struct state_reader reader;
	struct visibility visibility;
	struct ignored ignored;
	struct event_viewer viewer; /* of events in a timeline */
	struct room_state state; /* the room's, as far as the user may know it */
	struct mx_str out;
};

/* -MX_FORBIDDEN also for a room that is not here: nobody learns which are. */
int reading_begin(struct reading *reading, struct req *r, struct mx_slice room_id);
/* rc 0: what was written is the answer. Returns rc. */
int reading_end(struct reading *reading, int rc);

/* The same for one of several rooms, which one answer is made of: with a call of its own, and what
 * was written appended to `out`. */
int reading_open(struct reading *reading, struct req *r, const struct hs_call *call,
		 struct mx_slice room_id);
int reading_close(struct reading *reading, int rc, struct mx_str *out);

/* Whether the user is shown the event: they may see it, and it is no message of who they ignore. */
bool reading_shows(struct reading *reading, const struct stored_event *event);
/* An event of the room that the user is shown. -MX_NOT_FOUND. */
int reading_find(struct reading *reading, struct mx_slice event_id, struct stored_event *ret_event);

/* Append items of a list: an event of the timeline; one of state; those of a state, as chosen. */
void reading_event(struct reading *reading, const struct stored_event *event);
void reading_state_event(struct reading *reading, const struct stored_event *event);

struct state_choice {
	bool (*wants)(const void *ctx, const struct event *event); /* NULL: all */
	const void *ctx;
};
int reading_state(struct reading *reading, const struct room_state *state, enum state_part part,
		  const struct state_choice *choice);

/* ---- places. Spec: client-server API, "Pagination" */

/* The place behind everything there is, or that a user who left may see. */
int reading_last_place(struct reading *reading, struct topo_place *ret_place);
#define TOPO_FIRST ((struct topo_place){ 0, INT64_MIN })
#define TOPO_LAST  ((struct topo_place){ INT64_MAX, INT64_MAX })

/* Of a token of a page, or of /sync. -MX_INVALID_PARAM. */
int reading_place(struct reading *reading, const char *token, struct topo_place *ret_place);
/* The state at a token; reading->state without one. -MX_FORBIDDEN for a time of which the user sees
 * nothing.
 */
int reading_state_at(struct reading *reading, const char *token, struct room_state *ret_state);
/* The place behind that of an event. */
struct topo_place topo_behind(struct topo_place place);
struct topo_place topo_of(const struct stored_event *event);

/* ---- what queries of this kind say */

/* Clamped to 1 … max. -MX_INVALID_PARAM for what is negative or no number. */
int reading_limit(struct req *r, size_t other, size_t max, size_t *ret_limit);
/* "b" or "f"; NULL other: it must be there. */
int reading_direction(struct req *r, const char *other, bool *ret_backwards);

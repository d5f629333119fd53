#include "homeserver/timeline/reading.h"

#include "homeserver/json_out.h"
#include "homeserver/timeline/page_token.h"
#include "homeserver/timeline/sync_token.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"

#define ENTRIES_LOOKED 100 /* of the timeline, for one with an event */

/* ---- the room */

static int open_room(struct reading *reading, struct mx_slice room_id)
{
	struct req *r = reading->r;
	int rc = room_db_find(&reading->call, room_id, &reading->room);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_FORBIDDEN, "You are not a member of this room");
	if (rc == 0)
		rc = room_db_head(&reading->call, reading->room, &reading->head);
	if (rc)
		return rc;
	state_reader_init(&reading->reader, &reading->call, reading->room);
	rc = visibility_init(&reading->visibility, &reading->reader, mx_slice(r->user), &r->err);
	if (rc == 0)
		rc = ignored_load(&reading->call, r->user, &reading->ignored);
	if (rc)
		state_reader_done(&reading->reader);
	return rc;
}

int reading_open(struct reading *reading, struct req *r, const struct hs_call *call,
		 struct mx_slice room_id)
{
	int rc;

	*reading = (struct reading){ .r = r, .call = *call };
	rc = open_room(reading, room_id);
	if (rc) {
		reading->r = NULL; /* it is over */
		return rc;
	}
	reading->state = visibility_state(&reading->visibility, &reading->head.state);
	reading->viewer = (struct event_viewer){
		.user_id = r->user,
		.device = r->device,
		.bundles = true,
		.visibility = &reading->visibility,
		.ignored = &reading->ignored,
	};
	return 0;
}

int reading_close(struct reading *reading, int rc, struct mx_str *out)
{
	if (!reading->r)
		return rc;
	if (rc == 0 && reading->reader.nodes.broken)
		rc = -MX_STORE;
	if (rc == 0)
		mx_str_add_slice(out, mx_str_slice(&reading->out));
	state_reader_done(&reading->reader);
	mx_str_done(&reading->out);
	return rc;
}

int reading_begin(struct reading *reading, struct req *r, struct mx_slice room_id)
{
	const struct hs_call call = call_of(r);

	return reading_open(reading, r, &call, room_id);
}

int reading_end(struct reading *reading, int rc)
{
	mx_str_auto out = { 0 };
	struct req *r = reading->r;
	size_t len;

	rc = reading_close(reading, rc, &out);
	len = out.len;
	if (rc == 0)
		reply_owned(r, "application/json", mx_str_steal(&out), len);
	return rc;
}

/* ---- events */

/* Spec: "Ignoring Users": state is never ignored. */
bool reading_shows(struct reading *reading, const struct stored_event *event)
{
	if (!event_is_state(&event->event) && ignored_has(&reading->ignored, event->event.sender))
		return false;
	return visibility_allows(&reading->visibility, event);
}

int reading_find(struct reading *reading, struct mx_slice event_id, struct stored_event *ret_event)
{
	int rc = event_db_load_id(&reading->call, reading->room, event_id, ret_event);

	if (rc == 0 && !reading_shows(reading, ret_event))
		rc = -MX_NOT_FOUND;
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&reading->r->err, MX_NOT_FOUND, "There is no such event");
	return rc;
}

void reading_event(struct reading *reading, const struct stored_event *event)
{
	json_next(&reading->out);
	event_view(&reading->call, &reading->viewer, event, &reading->out);
}

static void add_state_event(struct reading *reading, const struct hs_call *call,
			    const struct stored_event *event)
{
	const struct event_viewer viewer = { .user_id = reading->viewer.user_id,
					     .device = reading->viewer.device,
					     .visibility = &reading->visibility };

	json_next(&reading->out);
	event_view(call, &viewer, event, &reading->out);
}

void reading_state_event(struct reading *reading, const struct stored_event *event)
{
	add_state_event(reading, &reading->call, event);
}

/* Each in memory of its own: there may be very many. */
static int add_state(struct reading *reading, const struct state_numbers *numbers,
		     const struct state_choice *choice)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct hs_call call = reading->call;
	struct state_reader reader;
	struct stored_event event;
	int rc = 0;

	call.mem = mem;
	state_reader_init(&reader, &call, reading->room);
	for (size_t i = 0; rc == 0 && i < numbers->len; i++) {
		rc = state_reader_event(&reader, numbers->items[i], &event);
		if (rc == 0 && (!choice || choice->wants(choice->ctx, &event.event)))
			add_state_event(reading, &call, &event);
		mx_arena_reset(mem);
	}
	state_reader_done(&reader);
	return rc;
}

int reading_state(struct reading *reading, const struct room_state *state, enum state_part part,
		  const struct state_choice *choice)
{
	struct state_numbers numbers;
	int rc = state_reader_list(&reading->reader, state, part, &numbers);

	return rc ? rc : add_state(reading, &numbers, choice);
}

/* ---- places */

static bool has_left(const struct visibility *visibility)
{
	return visibility->joined_until != INT64_MAX && visibility->joined_until != INT64_MIN;
}

struct topo_place topo_of(const struct stored_event *event)
{
	return (struct topo_place){ event->event.depth, event->header.rseq };
}

struct topo_place topo_behind(struct topo_place place)
{
	return (struct topo_place){ place.depth, place.rseq + 1 };
}

/* Behind the last event that arrived before rseq. */
static int place_before(struct reading *reading, int64_t rseq, struct topo_place *ret_place)
{
	const struct timeline_range range = { .before = rseq,
					      .limit = ENTRIES_LOOKED,
					      .reverse = true };
	struct timeline found;
	int rc = timeline_db_scan(&reading->call, reading->room, &range, &found);

	if (rc)
		return rc;
	*ret_place = TOPO_FIRST;
	for (size_t i = 0; i < found.len; i++) {
		if (!found.items[i].event)
			continue;
		*ret_place = (struct topo_place){ found.items[i].depth, found.items[i].rseq + 1 };
		return 0;
	}
	return 0;
}

int reading_last_place(struct reading *reading, struct topo_place *ret_place)
{
	struct visibility *visibility = &reading->visibility;

	if (has_left(visibility) && !visibility_is_open(visibility, &reading->head.state))
		return place_before(reading, visibility->joined_until + 1, ret_place);
	*ret_place = (struct topo_place){ reading->head.depth, reading->head.last_rseq + 1 };
	return 0;
}

static int sync_place(struct reading *reading, struct mx_slice text, struct topo_place *ret_place)
{
	struct timeline_entry entry;
	struct sync_token token;
	int rc = sync_token_parse(text, &token, &reading->r->err);

	if (rc)
		return rc;
	rc = timeline_db_at(&reading->call, reading->room, token.position, &entry);
	if (rc == -MX_NOT_FOUND) {
		*ret_place = TOPO_FIRST;
		return 0;
	}
	if (rc)
		return rc;
	if (entry.rseq == reading->head.last_rseq)
		return reading_last_place(reading, ret_place);
	return place_before(reading, entry.rseq + 1, ret_place);
}

int reading_place(struct reading *reading, const char *token, struct topo_place *ret_place)
{
	if (*token == 's')
		return sync_place(reading, mx_slice(token), ret_place);
	return page_token_parse(mx_slice(token), ret_place, &reading->r->err);
}

/* ---- a state of earlier */

/* The last event before the place; number 0 if there is none. */
static int event_before(struct reading *reading, struct topo_place place,
			struct stored_event *ret_event)
{
	struct topo topo;
	int rc = topo_db_scan(&reading->call, reading->room, place, true, 1, &topo);

	ret_event->header.number = 0;
	if (rc || topo.len == 0)
		return rc;
	return event_db_load(&reading->call, reading->room, topo.items[0].event, ret_event);
}

int reading_state_at(struct reading *reading, const char *token, struct room_state *ret_state)
{
	struct stored_event event;
	struct topo_place place;
	int rc;

	*ret_state = reading->state;
	if (!token || !*token)
		return 0;
	rc = reading_place(reading, token, &place);
	if (rc == 0)
		rc = event_before(reading, place, &event);
	if (rc)
		return rc;
	if (event.header.number == 0) {
		*ret_state = (struct room_state){ 0 };
		return 0;
	}
	if (has_left(&reading->visibility) && event.header.rseq >= reading->visibility.joined_until)
		return 0;
	if (!visibility_allows(&reading->visibility, &event))
		return mx_fail(&reading->r->err, MX_FORBIDDEN,
			       "You were not a member of this room then");
	*ret_state = event.header.after;
	return 0;
}

/* ---- queries */

int reading_limit(struct req *r, size_t other, size_t max, size_t *ret_limit)
{
	int64_t limit;
	int rc = req_query_i64(r, "limit", (int64_t)other, &limit);

	if (rc)
		return rc;
	if (limit < 0)
		return mx_fail(&r->err, MX_INVALID_PARAM, "limit must not be negative");
	if (limit == 0)
		limit = 1;
	*ret_limit = (uint64_t)limit < max ? (size_t)limit : max;
	return 0;
}

int reading_direction(struct req *r, const char *other, bool *ret_backwards)
{
	const char *text = req_query(r, "dir");

	if (!text)
		text = other;
	if (!text)
		return mx_fail(&r->err, MX_MISSING_PARAM, "dir is missing");
	if (!streq(text, "b") && !streq(text, "f"))
		return mx_fail(&r->err, MX_INVALID_PARAM, "dir must be b or f");
	*ret_backwards = streq(text, "b");
	return 0;
}

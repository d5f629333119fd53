/* Events of rooms as they happen, for clients of before there was /sync, and for who looks into a
 * room without joining. Spec: client-server API, "Room Previews", and its deprecated endpoints. */
#include "homeserver/hs.h"
#include "homeserver/json_out.h"
#include "homeserver/routes.h"
#include "homeserver/stream/stream.h"
#include "homeserver/stream/stream_db.h"
#include "homeserver/timeline/reading.h"
#include "homeserver/timeline/sync_token.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#define TIMEOUT_DEFAULT_MS (30 * 1000)
#define TIMEOUT_MAX_MS     (60 * 1000)
/* Who is no member of the room is not woken by it: they ask again. */
#define TIMEOUT_PEEKING_MS (5 * 1000)
#define ENTRIES_MAX        500 /* of the log, in one answer */

/* What is kept of a request while it is parked. */
struct listening {
	struct sync_token from;
	uint32_t room; /* 0: all of the user's */
	int64_t timeout_ms;
	struct stream_wait *wait;
};

static void listening_free(void *kept)
{
	struct listening *listening = kept;

	if (listening->wait)
		stream_wait_end(listening->wait);
	mx_free(listening);
}

/* ---- what the query says */

static struct sync_token token_now(const struct hs_call *call)
{
	return (struct sync_token){ store_view_stamp(call->view), stream_ticks(call->hs->stream) };
}

static int query_from(struct req *r, const struct hs_call *call, struct sync_token *ret_from)
{
	const char *text = req_query(r, "from");
	int rc;

	*ret_from = token_now(call);
	if (!text || !*text)
		return 0;
	rc = sync_token_parse(mx_slice(text), ret_from, &r->err);
	/* One of the future is from before the server went back to a backup. */
	if (rc == 0 && ret_from->position > token_now(call).position)
		*ret_from = token_now(call);
	return rc;
}

static int query_room(struct req *r, const struct hs_call *call, struct listening *listening)
{
	const char *room_id = req_query(r, "room_id");
	struct reading reading;
	mx_str_auto nothing = { 0 };
	int rc;

	if (!room_id)
		return 0;
	rc = reading_open(&reading, r, call, mx_slice(room_id));
	if (rc)
		return rc;
	listening->room = reading.room;
	if (reading.visibility.now != MEMBERSHIP_JOIN && listening->timeout_ms > TIMEOUT_PEEKING_MS)
		listening->timeout_ms = TIMEOUT_PEEKING_MS;
	return reading_close(&reading, 0, &nothing);
}

static int query(struct req *r, const struct hs_call *call)
{
	struct listening *listening = mx_calloc(1, sizeof(*listening));
	int rc;

	r->kept = listening;
	r->kept_free = listening_free;
	rc = req_query_i64(r, "timeout", TIMEOUT_DEFAULT_MS, &listening->timeout_ms);
	if (rc == 0 && listening->timeout_ms > TIMEOUT_MAX_MS)
		listening->timeout_ms = TIMEOUT_MAX_MS;
	if (rc == 0)
		rc = query_from(r, call, &listening->from);
	return rc ? rc : query_room(r, call, listening);
}

/* ---- what happened */

/* One room at a time is read; mostly what comes next is of the same. */
struct telling {
	struct req *r;
	const struct hs_call *call;
	const struct listening *listening;
	struct reading reading;
	uint32_t room; /* that is open; 0: none */
	bool closed; /* …or would be, but may not be read */
	struct mx_str out;
};

static int leave_room(struct telling *t)
{
	int rc = t->room && !t->closed ? reading_close(&t->reading, 0, &t->out) : 0;

	t->room = 0;
	return rc;
}

static int enter_room(struct telling *t, uint32_t room)
{
	struct user_room row;
	struct room_head head;
	int rc;

	if (t->room == room)
		return 0;
	rc = leave_room(t);
	if (rc == 0)
		rc = room_db_head(t->call, room, &head);
	if (rc == 0 && !t->listening->room)
		rc = user_room_db_load(t->call, mx_slice(t->r->user), room, &row);
	if (rc == 0)
		rc = reading_open(&t->reading, t->r, t->call, head.id);
	t->closed = rc == -MX_NOT_FOUND || rc == -MX_FORBIDDEN;
	t->room = room;
	return t->closed ? 0 : rc;
}

/* Of the room that is open. -MX_NOT_FOUND where the state changed without an event. */
static int load_event(struct telling *t, const struct stream_entry *entry,
		      struct stored_event *ret_event)
{
	const struct timeline_range range = { .after = entry->rseq - 1,
					      .before = entry->rseq + 1,
					      .limit = 1 };
	struct timeline found;
	int rc = timeline_db_scan(t->call, entry->room, &range, &found);

	if (rc == 0 && (found.len == 0 || !found.items[0].event))
		rc = -MX_NOT_FOUND;
	return rc ? rc : event_db_load(t->call, entry->room, found.items[0].event, ret_event);
}

static void show(struct telling *t, const struct stored_event *event)
{
	if (t->out.len && t->reading.out.len == 0)
		mx_str_add_char(&t->out, ',');
	if (t->reading.out.len)
		mx_str_add_char(&t->reading.out, ',');
	event_view(t->call, &t->reading.viewer, event, &t->reading.out);
}

static int tell(struct telling *t, const struct stream_entry *entry)
{
	struct stored_event event;
	int rc;

	if (entry->kind != STREAM_EVENT ||
	    (t->listening->room && entry->room != t->listening->room))
		return 0;
	rc = enter_room(t, entry->room);
	if (rc || t->closed)
		return rc;
	rc = load_event(t, entry, &event);
	if (rc == 0 && reading_shows(&t->reading, &event))
		show(t, &event);
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

static int tell_all(struct telling *t, uint64_t *ret_position)
{
	struct stream_rows rows;
	int rc = stream_db_scan(t->call, t->listening->from.position, ENTRIES_MAX, &rows);

	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = tell(t, &rows.items[i].entry);
	if (rc == 0)
		rc = leave_room(t);
	if (rc == 0)
		*ret_position = rows.position;
	return rc;
}

/* ---- answering */

static void add_token(struct mx_str *out, const char *key, const struct sync_token *token)
{
	json_key(out, key);
	mx_str_add_char(out, '"');
	sync_token_add(out, token);
	mx_str_add_char(out, '"');
}

static void answer(struct req *r, const struct mx_slice chunk, const struct sync_token *from,
		   const struct sync_token *end)
{
	struct mx_str out = { 0 };
	size_t len;

	mx_str_add_text(&out, "{\"chunk\":[");
	mx_str_add_slice(&out, chunk);
	mx_str_add_char(&out, ']');
	add_token(&out, "end", end);
	add_token(&out, "start", from);
	mx_str_add_char(&out, '}');
	len = out.len;
	reply_owned(r, "application/json", mx_str_steal(&out), len);
}

static int look(struct req *r, const struct hs_call *call)
{
	struct listening *listening = r->kept;
	struct telling t = { .r = r, .call = call, .listening = listening };
	struct sync_token end = token_now(call);
	int rc = tell_all(&t, &end.position);
	bool wait = t.out.len == 0 && listening->timeout_ms > 0 && !r->timed_out;

	leave_room(&t);
	if (rc == 0 && wait) {
		listening->from = end;
		rc = -MX_PARK;
	} else if (rc == 0) {
		answer(r, mx_str_slice(&t.out), &listening->from, &end);
	}
	mx_str_done(&t.out);
	return rc;
}

/* Whoever waits is woken from now on; what happened before will be seen. */
static void watch(struct req *r, const struct hs_call *call, struct listening *listening)
{
	struct req_wake *wake = req_wake_new(r, listening->timeout_ms);

	if (listening->wait)
		stream_wait_end(listening->wait);
	listening->wait = stream_wait_begin(call->hs->stream, mx_slice(r->user), wake);
	req_wake_unref(wake);
}

static int get_events(struct req *r)
{
	struct hs_call call = call_of(r);
	struct listening *listening;
	int rc = 0;

	if (!r->kept) {
		call.view = store_view_begin(call.hs->store);
		rc = query(r, &call);
		store_view_end(call.view);
	}
	listening = r->kept;
	if (rc == 0 && listening->timeout_ms > 0 && !r->timed_out)
		watch(r, &call, listening);
	if (rc)
		return rc;
	call.view = store_view_begin(call.hs->store);
	rc = look(r, &call);
	store_view_end(call.view);
	return rc;
}

const struct route events_routes[] = {
	{ GET, CLIENT_V3 "/events", get_events, .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_READ,
	  .flags = ROUTE_CORS, .reply = "client/events.reply",
	  .deadline_ms = TIMEOUT_MAX_MS + 30 * 1000 },
	{ 0 },
};

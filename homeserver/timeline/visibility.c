#include "homeserver/timeline/visibility.h"

#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/room/room_db.h"
#include "shared/core/error.h"

/* Changes of their own membership that are looked at for when somebody was a member last. */
#define CHANGES_MAX 1000

enum history {
	HISTORY_SHARED, /* also if nothing else is said */
	HISTORY_JOINED,
	HISTORY_INVITED,
	HISTORY_WORLD_READABLE,
};

/* What a state says of the user. */
struct seen {
	enum history history;
	enum membership membership;
};

static enum history history_of(const struct event *event, struct mx_arena *mem)
{
	struct mx_slice name = event_content_text(event, "history_visibility", mem);

	if (mx_slice_is(name, "joined"))
		return HISTORY_JOINED;
	if (mx_slice_is(name, "invited"))
		return HISTORY_INVITED;
	if (mx_slice_is(name, "world_readable"))
		return HISTORY_WORLD_READABLE;
	return HISTORY_SHARED;
}

static int read_history(struct visibility *v, const struct room_state *state,
			enum history *ret_history)
{
	struct stored_event event;
	int rc;

	*ret_history = (enum history)v->history.history;
	if (v->history.known && v->history.root == state->others)
		return 0;
	rc = state_reader_load(v->reader, state, TYPE_HISTORY_VISIBILITY, MX_SLICE(""), &event);
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	*ret_history = rc ? HISTORY_SHARED : history_of(&event.event, v->reader->call->mem);
	v->history.known = true;
	v->history.root = state->others;
	v->history.history = *ret_history;
	return 0;
}

static int read_membership(struct visibility *v, const struct room_state *state,
			   enum membership *ret_membership)
{
	struct stored_event event;
	int rc;

	*ret_membership = v->member.membership;
	if (v->member.known && v->member.root == state->members)
		return 0;
	rc = state_reader_load(v->reader, state, TYPE_MEMBER, v->user_id, &event);
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	*ret_membership = rc ? MEMBERSHIP_NONE : membership_of(event_membership(&event.event));
	v->member.known = true;
	v->member.root = state->members;
	v->member.membership = *ret_membership;
	return 0;
}

static int read_state(struct visibility *v, const struct room_state *state, struct seen *ret_seen)
{
	int rc = read_history(v, state, &ret_seen->history);

	return rc ? rc : read_membership(v, state, &ret_seen->membership);
}

enum membership visibility_membership(struct visibility *visibility, const struct room_state *state)
{
	enum membership membership;

	return read_membership(visibility, state, &membership) ? MEMBERSHIP_NONE : membership;
}

/* ---- what the user is */

/* What the user was before one of their member events. -MX_NOT_FOUND. */
static int load_before(struct visibility *v, const struct stored_event *event,
		       struct stored_event *ret_earlier)
{
	return state_reader_load(v->reader, &event->header.before, TYPE_MEMBER, v->user_id,
				 ret_earlier);
}

/* Back from one of their member events to when they ceased to be a member. -MX_NOT_FOUND. */
static int find_leaving(struct visibility *v, struct stored_event *event)
{
	struct stored_event earlier;

	for (int i = 0; i < CHANGES_MAX; i++) {
		int rc = load_before(v, event, &earlier);

		if (rc)
			return rc;
		if (membership_of(event_membership(&earlier.event)) == MEMBERSHIP_JOIN)
			return 0;
		*event = earlier;
	}
	return -MX_NOT_FOUND;
}

static int read_leaving(struct visibility *v, uint32_t number)
{
	struct stored_event event;
	int rc = event_db_load(v->reader->call, v->reader->room, number, &event);

	if (rc == 0)
		rc = find_leaving(v, &event);
	if (rc == 0) {
		v->joined_until = event.header.rseq;
		v->left_with = event.header.after;
	}
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

static int read_user(struct visibility *v)
{
	const struct hs_call *call = v->reader->call;
	struct user_room row = { 0 };
	struct member_row member;
	int rc = member_db_load(call, v->reader->room, v->user_id, &member);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	v->now = member.membership;
	if (v->now == MEMBERSHIP_JOIN) {
		v->joined_until = INT64_MAX;
		return 0;
	}
	rc = user_room_db_load(call, v->user_id, v->reader->room, &row);
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	return row.forgotten ? 0 : read_leaving(v, member.event);
}

static int check_world(struct visibility *v, struct mx_error *err)
{
	enum history history;
	struct room_head head;
	int rc = room_db_head(v->reader->call, v->reader->room, &head);

	if (rc == 0)
		rc = read_history(v, &head.state, &history);
	if (rc || history == HISTORY_WORLD_READABLE)
		return rc;
	return mx_fail(err, MX_FORBIDDEN, "You are not a member of this room");
}

int visibility_init(struct visibility *visibility, struct state_reader *reader,
		    struct mx_slice user_id, struct mx_error *err)
{
	struct visibility v = { .reader = reader, .user_id = user_id, .joined_until = INT64_MIN };
	int rc = read_user(&v);

	if (rc == 0 && v.joined_until == INT64_MIN)
		rc = check_world(&v, err);
	if (rc == 0)
		*visibility = v;
	return rc;
}

/* ---- the rules */

/* Spec: "Server behaviour", 1 to 5. */
static bool may_see(const struct visibility *v, const struct seen *seen, int64_t rseq)
{
	if (seen->membership == MEMBERSHIP_JOIN)
		return true;
	switch (seen->history) {
	case HISTORY_WORLD_READABLE: return true;
	case HISTORY_SHARED: return rseq < v->joined_until;
	case HISTORY_INVITED: return seen->membership == MEMBERSHIP_INVITE;
	case HISTORY_JOINED: return false;
	}
	return false;
}

bool visibility_allows(struct visibility *visibility, const struct stored_event *stored)
{
	const struct event *event = &stored->event;
	struct seen seen;

	if (stored->header.flags & EVENT_HIDDEN ||
	    read_state(visibility, &stored->header.before, &seen))
		return false;
	if (may_see(visibility, &seen, stored->header.rseq))
		return true;
	/* What changes who may see is seen by who might before it or may after it. */
	if (event_is(event, TYPE_HISTORY_VISIBILITY, MX_SLICE("")))
		seen.history = history_of(event, visibility->reader->call->mem);
	if (event_is(event, TYPE_MEMBER, visibility->user_id))
		seen.membership = membership_of(event_membership(event));
	return may_see(visibility, &seen, stored->header.rseq);
}

bool visibility_is_open(struct visibility *visibility, const struct room_state *state)
{
	enum history history;

	return read_history(visibility, state, &history) == 0 && history == HISTORY_WORLD_READABLE;
}

struct room_state visibility_state(const struct visibility *visibility,
				   const struct room_state *now)
{
	if (visibility->joined_until == INT64_MIN || visibility->joined_until == INT64_MAX)
		return *now;
	return visibility->left_with;
}

/* ---- of who was erased */

/* The user's member event at a time. -MX_NOT_FOUND. */
static int find_member_at(struct visibility *v, int64_t time_ms, struct stored_event *ret_event)
{
	struct stored_event event;
	struct member_row member;
	int rc = member_db_load(v->reader->call, v->reader->room, v->user_id, &member);

	if (rc == 0)
		rc = event_db_load(v->reader->call, v->reader->room, member.event, &event);
	for (int i = 0; rc == 0 && event.header.received_ms >= time_ms; i++) {
		const struct stored_event later = event;

		rc = i < CHANGES_MAX ? load_before(v, &later, &event) : -MX_NOT_FOUND;
	}
	*ret_event = event;
	return rc;
}

static int64_t joined_until(struct visibility *v, int64_t time_ms)
{
	struct stored_event event;

	if (find_member_at(v, time_ms, &event))
		return INT64_MIN;
	if (membership_of(event_membership(&event.event)) == MEMBERSHIP_JOIN)
		return INT64_MAX;
	return find_leaving(v, &event) ? INT64_MIN : event.header.rseq;
}

/* A room without its name, or without encryption, would not be what its members have agreed on.
 * What is the sender's own, like a membership, is no such thing. */
static bool makes_the_room(struct visibility *v, const struct stored_event *stored)
{
	struct room_head head;

	if (!event_is_state(&stored->event) ||
	    mx_slice_eq(stored->event.state_key, stored->event.sender) ||
	    room_db_head(v->reader->call, v->reader->room, &head))
		return false;
	return room_state_find(&v->reader->nodes, &head.state, stored->header.slot) ==
	       stored->header.state_number;
}

bool visibility_keeps(struct visibility *visibility, const struct stored_event *event,
		      int64_t since_ms)
{
	if (visibility_membership(visibility, &event->header.before) == MEMBERSHIP_JOIN)
		return true;
	if (visibility->erased.since_ms != since_ms) {
		visibility->erased.joined_until = joined_until(visibility, since_ms);
		visibility->erased.since_ms = since_ms;
	}
	return event->header.rseq < visibility->erased.joined_until ||
	       makes_the_room(visibility, event);
}

#include "homeserver/timeline/visibility.h"

#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/room/room_db.h"
#include "homeserver/state/state_db.h"
#include "shared/core/error.h"

/* Changes of their own membership that are looked at for when somebody was a member last. */
#define CHANGES_MAX 1000

static enum history_visibility history_of(const struct event *event, struct mx_arena *mem)
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

/* ---- what a state says */

static int find_slot(struct visibility *v, const char *type, struct mx_slice state_key,
		     struct visibility_view *view)
{
	int rc = slot_db_find(v->reader->call, v->reader->room, mx_slice(type), state_key,
			      &view->slot);

	view->slotted = rc == 0;
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

/* Whether it is another event than before. */
static bool moves(struct visibility *v, const struct room_state *state,
		  struct visibility_view *view)
{
	uint32_t number = view->slotted ? room_state_find(&v->reader->nodes, state, view->slot) : 0;
	bool other = number != view->number;

	view->number = number;
	return other;
}

static int read_membership(struct visibility *v, const struct room_state *state)
{
	struct stored_event event;
	int rc = 0;

	if (!moves(v, state, &v->own))
		return 0;
	v->membership = MEMBERSHIP_NONE;
	if (v->own.number)
		rc = state_reader_event(v->reader, v->own.number, &event);
	if (rc == 0 && v->own.number)
		v->membership = membership_of(event_membership(&event.event));
	return rc;
}

static int read_history(struct visibility *v, const struct room_state *state)
{
	struct stored_event event;
	int rc = 0;

	if (!moves(v, state, &v->rule))
		return 0;
	v->history = HISTORY_SHARED;
	if (v->rule.number)
		rc = state_reader_event(v->reader, v->rule.number, &event);
	if (rc == 0 && v->rule.number)
		v->history = history_of(&event.event, v->reader->call->mem);
	return rc;
}

static int read_state(struct visibility *v, const struct room_state *state)
{
	int rc = read_membership(v, state);

	if (rc == 0)
		rc = read_history(v, state);
	if (rc) /* nothing of it is known: the next one is read anew */
		v->own.number = v->rule.number = UINT32_MAX;
	return v->reader->nodes.broken ? -MX_STORE : rc;
}

/* ---- what the user is */

/* Back from what they are now to when they ceased to be a member. */
static int find_leaving(struct visibility *v, uint32_t number)
{
	const struct hs_call *call = v->reader->call;
	struct stored_event event;
	int rc = event_db_load(call, v->reader->room, number, &event);

	for (int i = 0; rc == 0 && i < CHANGES_MAX; i++) {
		rc = read_membership(v, &event.header.before);
		if (rc || v->own.number == 0)
			return rc;
		if (v->membership == MEMBERSHIP_JOIN) {
			v->joined_until = event.header.rseq;
			v->left_with = event.header.after;
			return 0;
		}
		rc = state_reader_event(v->reader, v->own.number, &event);
	}
	return rc;
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
	v->forgotten = row.forgotten;
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	return v->forgotten ? 0 : find_leaving(v, member.event);
}

static int check_world(struct visibility *v, struct mx_error *err)
{
	struct room_head head;
	int rc = room_db_head(v->reader->call, v->reader->room, &head);

	if (rc == 0)
		rc = read_history(v, &head.state);
	if (rc)
		return rc;
	return v->history == HISTORY_WORLD_READABLE
		       ? 0
		       : mx_fail(err, MX_FORBIDDEN, "You are not a member of this room");
}

int visibility_init(struct visibility *visibility, struct state_reader *reader,
		    struct mx_slice user_id, struct mx_error *err)
{
	struct visibility v = { .reader = reader, .user_id = user_id, .joined_until = INT64_MIN };
	int rc = find_slot(&v, TYPE_MEMBER, user_id, &v.own);

	if (rc == 0)
		rc = find_slot(&v, TYPE_HISTORY_VISIBILITY, MX_SLICE(""), &v.rule);
	if (rc == 0)
		rc = read_user(&v);
	if (rc == 0 && v.joined_until == INT64_MIN)
		rc = check_world(&v, err);
	if (rc == 0)
		*visibility = v;
	return rc;
}

/* ---- the rules */

/* Spec: "Server behaviour", 1 to 5. */
static bool may_see(const struct visibility *v, enum history_visibility history,
		    enum membership membership, int64_t rseq)
{
	switch (history) {
	case HISTORY_WORLD_READABLE: return true;
	case HISTORY_SHARED: return membership == MEMBERSHIP_JOIN || rseq < v->joined_until;
	case HISTORY_INVITED:
		return membership == MEMBERSHIP_JOIN || membership == MEMBERSHIP_INVITE;
	case HISTORY_JOINED: return membership == MEMBERSHIP_JOIN;
	}
	return false;
}

bool visibility_allows(struct visibility *visibility, const struct stored_event *event)
{
	const struct visibility *v = visibility;
	const struct event_header *header = &event->header;

	if (header->flags & EVENT_HIDDEN || read_state(visibility, &header->before))
		return false;
	if (may_see(v, v->history, v->membership, header->rseq))
		return true;
	/* What changes who may see is seen by who might before it or may after it. */
	if (event_is(&event->event, TYPE_HISTORY_VISIBILITY, MX_SLICE("")))
		return may_see(v, history_of(&event->event, v->reader->call->mem), v->membership,
			       header->rseq);
	if (event_is(&event->event, TYPE_MEMBER, v->user_id))
		return may_see(v, v->history, membership_of(event_membership(&event->event)),
			       header->rseq);
	return false;
}

struct room_state visibility_state(const struct visibility *visibility,
				   const struct room_state *now)
{
	if (visibility->joined_until == INT64_MIN || visibility->joined_until == INT64_MAX)
		return *now;
	return visibility->left_with;
}

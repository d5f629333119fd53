/* Whether an event is allowed. Spec: server-server API, "Checks performed on receipt of a PDU", 4
 * to 6. */
#include "homeserver/event/event_types.h"
#include "homeserver/eventauth/eventauth.h"
#include "homeserver/ingest/steps.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"

int step_known(struct ingest *in)
{
	uint32_t room, number;
	int rc;

	/* Its id is the hash of what was made a moment ago, or random. */
	if (in->source->local)
		return 0;
	rc = event_db_find(turn_read(in->turn), in->event->id, &room, &number);
	if (rc == -MX_NOT_FOUND)
		return 0;
	return rc ? rc : mx_fail(in->err, MX_CONFLICT, "The event is here already");
}

/* ---- what it cites */

static int take_cited(struct ingest *in)
{
	in->cited_len = in->source->cited_len;
	for (size_t i = 0; i < in->cited_len; i++)
		in->cited[i] = in->source->cited[i];
	return 0;
}

static int find_cited(struct ingest *in, size_t at, struct cited_event *ret_cited)
{
	const struct hs_call *call = turn_read(in->turn);
	struct stored_event *stored = mx_arena_alloc(in->turn->call.mem, sizeof(*stored));
	uint32_t room, number;
	int rc = event_db_find(call, in->event->auth_events[at], &room, &number);

	if (rc == 0)
		rc = event_db_load(call, room, number, stored);
	if (rc)
		return mx_fail(in->err, (enum mx_code) - rc, "An event that is cited is not here");
	ret_cited->event = &stored->event;
	ret_cited->rejected = stored->header.flags & EVENT_REJECTED;
	/* Of another room: its number means nothing here, and the rules refuse it. */
	in->cited[at] = room == in->stored.room ? stored->header.state_number : 0;
	return 0;
}

static int reject(struct ingest *in, int rc)
{
	if (rc != -MX_FORBIDDEN || in->source->local)
		return rc;
	in->stored.header.flags |= EVENT_REJECTED;
	return 0;
}

int step_cited(struct ingest *in)
{
	struct cited_event cited[EVENT_AUTH_MAX];
	int rc = 0;

	if (in->source->local)
		return take_cited(in);
	for (size_t i = 0; rc == 0 && i < in->event->auth_events_len; i++)
		rc = find_cited(in, i, &cited[i]);
	if (rc)
		return rc;
	rc = eventauth_check_cited(in->event, cited, in->event->auth_events_len, in->turn->call.mem,
				   in->err);
	for (size_t i = 0; i < in->event->auth_events_len; i++)
		if (in->cited[i])
			in->cited[in->cited_len++] = in->cited[i];
	return reject(in, rc);
}

/* ---- by some state */

static const struct event *find_cited_state(void *ctx, const char *type, struct mx_slice state_key)
{
	struct ingest *in = ctx;
	const struct stored_event *stored;

	for (size_t i = 0; i < in->cited_len; i++) {
		stored = turn_state_event(in->turn, in->cited[i]);
		if (stored && event_is(&stored->event, type, state_key))
			return &stored->event;
	}
	/* Spec: room version 12: the create event is known by the room's id. */
	stored = turn_find(in->turn, &in->was, TYPE_CREATE, MX_SLICE(""));
	return stored && event_is(&stored->event, type, state_key) ? &stored->event : NULL;
}

struct state_of {
	struct room_turn *turn;
	const struct room_state *state;
};

static const struct event *find_state(void *ctx, const char *type, struct mx_slice state_key)
{
	const struct state_of *of = ctx;
	const struct stored_event *stored = turn_find(of->turn, of->state, type, state_key);

	return stored ? &stored->event : NULL;
}

static int check(struct ingest *in, const struct auth_state *state)
{
	return eventauth_check(in->event, state, in->turn->call.mem, in->err);
}

static int check_by(struct ingest *in, const struct room_state *state)
{
	struct state_of of = { in->turn, state };

	return check(in, &(struct auth_state){ .find = find_state, .ctx = &of });
}

/* What a local event cites is of the state that it follows, which is asked next. */
int step_allowed_by_cited(struct ingest *in)
{
	if (in->source->local || !ingest_is_accepted(in))
		return 0;
	return reject(in, check(in, &(struct auth_state){ .find = find_cited_state, .ctx = in }));
}

int step_allowed_before(struct ingest *in)
{
	if (!ingest_is_accepted(in))
		return 0;
	return reject(in, check_by(in, &in->stored.header.before));
}

static bool is_same(const struct room_state *a, const struct room_state *b)
{
	return a->members == b->members && a->others == b->others;
}

int step_allowed_now(struct ingest *in)
{
	int rc;

	if (!ingest_is_accepted(in) || is_same(&in->stored.header.before, &in->was))
		return 0;
	rc = check_by(in, &in->was);
	if (rc != -MX_FORBIDDEN)
		return rc;
	in->stored.header.flags |= EVENT_SOFT_FAILED;
	return 0;
}

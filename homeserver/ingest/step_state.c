/* The state before an event, and what it makes of the room. */
#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/ingest/steps.h"
#include "homeserver/state/resolve.h"
#include "homeserver/state/state_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#define PREV_WALK_MAX 100 /* events that were not accepted, behind one another */

/* ---- resolution */

static const struct event *load_event(void *ctx, uint32_t number)
{
	const struct stored_event *stored = turn_state_event(ctx, number);

	return stored ? &stored->event : NULL;
}

static bool find_slot(void *ctx, const char *type, struct mx_slice state_key, uint32_t *ret_slot)
{
	return turn_slot(ctx, mx_slice(type), state_key, ret_slot);
}

static int resolve(struct ingest *in, const struct room_state *states, size_t len,
		   struct room_state *ret_state)
{
	struct room_turn *turn = in->turn;
	struct graph graph;
	const struct resolver resolver = {
		.version = turn->head.version,
		.graph = &graph,
		.nodes = &turn->nodes,
		.load = load_event,
		.slot = find_slot,
		.ctx = turn,
	};
	int rc = turn_graph(turn, &graph, in->err);

	return rc ? rc : state_resolve(&resolver, states, len, ret_state, in->err);
}

/* ---- before */

static int load_prev(struct ingest *in, size_t at)
{
	const struct hs_call *call = turn_read(in->turn);
	struct stored_event stored;
	uint32_t room, number;
	int rc = event_db_find(call, in->event->prev_events[at], &room, &number);

	if (rc == 0)
		rc = event_db_load(call, room, number, &stored);
	if (rc)
		return mx_fail(in->err, (enum mx_code) - rc, "An event before it is not here");
	if (room != in->stored.room)
		return mx_fail(in->err, MX_FORBIDDEN, "An event before it is of another room");
	/* The state at those is not known: nothing may come of it. */
	if (stored.header.flags & EVENT_OUTLIER)
		return mx_fail(in->err, MX_NOT_FOUND, "The state before it is not here");
	in->prev[at] = number;
	in->prev_after[at] = stored.header.after;
	return 0;
}

/* A local event follows the newest ones. */
static int take_prev(struct ingest *in)
{
	const struct room_head *head = &in->turn->head;

	in->prev_len = 0;
	for (size_t i = 0; i < head->extremities_len && in->prev_len < EVENT_PREV_MAX; i++)
		in->prev[in->prev_len++] = head->extremities[i];
	in->stored.header.before = head->state;
	return 0;
}

int step_before(struct ingest *in)
{
	int rc = 0;

	if (in->source->local)
		return take_prev(in);
	in->prev_len = in->event->prev_events_len;
	for (size_t i = 0; rc == 0 && i < in->prev_len; i++)
		rc = load_prev(in, i);
	if (rc || in->prev_len == 0)
		return rc;
	return resolve(in, in->prev_after, in->prev_len, &in->stored.header.before);
}

/* ---- numbers */

static uint16_t graph_flags_of(const struct ingest *in)
{
	const struct event *event = in->event;
	bool levels = event_is(event, TYPE_POWER_LEVELS, MX_SLICE(""));
	bool rejected = in->stored.header.flags & EVENT_REJECTED;

	return (uint16_t)((rejected ? GRAPH_REJECTED : 0) | (levels ? GRAPH_LEVELS : 0) |
			  (graph_is_power_event(event) ? GRAPH_POWER : 0));
}

static void number_state(struct ingest *in)
{
	struct room_turn *turn = in->turn;
	struct event_header *header = &in->stored.header;
	uint32_t *cited = mx_arena_calloc(turn->call.mem, in->cited_len + 1, sizeof(*cited));
	struct born *born = mx_arena_calloc(turn->call.mem, 1, sizeof(*born));

	for (size_t i = 0; i < in->cited_len; i++)
		cited[i] = in->cited[i];
	header->state_number = turn->head.next_state++;
	header->slot = turn_slot_made(turn, in->event->type, in->event->state_key);
	born->cited = cited;
	born->graph = (struct graph_event){ .origin_server_ts = in->event->origin_server_ts,
					    .slot = header->slot,
					    .cited_len = (uint16_t)in->cited_len,
					    .flags = graph_flags_of(in) };
	born->stored = in->stored;
	mx_vec_push(&turn->born, born);
}

int step_number(struct ingest *in)
{
	in->stored.header.number = in->turn->head.next_event++;
	if (event_is_state(in->event))
		number_state(in);
	return 0;
}

/* ---- after */

static void remove_extremity(struct room_turn *turn, uint32_t number)
{
	struct room_head *head = &turn->head;
	size_t kept = 0;

	for (size_t i = 0; i < head->extremities_len; i++) {
		if (head->extremities[i] == number)
			continue;
		head->extremities[kept] = head->extremities[i];
		turn->extremities[kept++] = turn->extremities[i];
	}
	head->extremities_len = kept;
}

static bool is_among(const uint32_t *numbers, size_t len, uint32_t number)
{
	for (size_t i = 0; i < len; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* What was not accepted is nobody's newest event, but what it follows is not either, once
 * something follows it. */
static void follow(struct ingest *in, uint32_t first)
{
	uint32_t walk[PREV_WALK_MAX] = { first };
	size_t len = 1;

	for (size_t at = 0; at < len; at++) {
		struct stored_event stored;

		remove_extremity(in->turn, walk[at]);
		if (in->source->local ||
		    event_db_load(turn_read(in->turn), in->stored.room, walk[at], &stored) ||
		    !(stored.header.flags & (EVENT_REJECTED | EVENT_SOFT_FAILED)))
			continue;
		for (size_t i = 0; i < stored.event.prev_events_len && len < PREV_WALK_MAX; i++) {
			uint32_t room;

			if (event_db_find(turn_read(in->turn), stored.event.prev_events[i], &room,
					  &walk[len]) == 0 &&
			    room == in->stored.room && !is_among(walk, len, walk[len]))
				len++;
		}
	}
}

static void add_extremity(struct ingest *in)
{
	struct room_turn *turn = in->turn;
	struct room_head *head = &turn->head;
	struct room_extremity *extremity;

	if (head->extremities_len == ROOM_EXTREMITIES_MAX)
		remove_extremity(turn, head->extremities[0]);
	extremity = &turn->extremities[head->extremities_len];
	*extremity = (struct room_extremity){ .number = in->stored.header.number,
					      .id = in->event->id,
					      .after = in->stored.header.after };
	if (head->version->hashed_references)
		event_reference_hash(in->event, extremity->hash);
	head->extremities[head->extremities_len++] = extremity->number;
}

static int resolve_room(struct ingest *in)
{
	struct room_turn *turn = in->turn;
	struct room_state states[ROOM_EXTREMITIES_MAX];

	for (size_t i = 0; i < turn->head.extremities_len; i++)
		states[i] = turn->extremities[i].after;
	if (turn->head.extremities_len > 1)
		return resolve(in, states, turn->head.extremities_len, &turn->head.state);
	turn->head.state = states[0];
	return 0;
}

int step_after(struct ingest *in)
{
	struct event_header *header = &in->stored.header;

	header->after = header->before;
	if (header->state_number && !(header->flags & EVENT_REJECTED))
		room_state_put(&in->turn->nodes, &header->after, header->slot,
			       header->state_number);
	if (!ingest_is_accepted(in))
		return 0;
	for (size_t i = 0; i < in->prev_len; i++)
		follow(in, in->prev[i]);
	add_extremity(in);
	return resolve_room(in);
}

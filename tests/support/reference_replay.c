#include "tests/support/reference_replay.h"

#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/eventauth.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/state_reader.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/reference_resolve.h"

#include <stdlib.h>

/* State numbers, of different types or keys, in order. */
struct state {
	uint32_t *numbers;
	size_t len;
};

struct replay {
	const struct hs_call *call;
	uint32_t room;
	struct room_head head;
	struct stored_event *stored; /* by number; [0] is none */
	struct state *before, *after; /* the same */
	const struct event **events; /* by state number */
	bool *rejected; /* the same */
	struct state_reader reader;
	struct mx_str *out;
	unsigned lines;
};

static void complain(struct replay *replay, uint32_t number, const char *what)
{
	const struct event *event = &replay->stored[number].event;

	replay->lines++;
	mx_str_addf(replay->out, "%.*s: event %u (%.*s): %s\n", MX_SLICE_ARG(replay->head.id),
		    number, MX_SLICE_ARG(event->type), what);
}

/* ---- states */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool same_state(const struct state *a, const struct state *b)
{
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->numbers, b->numbers, a->len * sizeof(*a->numbers)) == 0);
}

static const struct event *find_in(const struct replay *replay, const struct state *state,
				   const char *type, struct mx_slice state_key)
{
	for (size_t i = 0; i < state->len; i++)
		if (event_is(replay->events[state->numbers[i]], type, state_key))
			return replay->events[state->numbers[i]];
	return NULL;
}

static struct state with(const struct replay *replay, const struct state *state, uint32_t number)
{
	const struct event *event = replay->events[number];
	struct state next = { .numbers = mx_arena_calloc(replay->call->mem, state->len + 1,
							 sizeof(*next.numbers)) };

	for (size_t i = 0; i < state->len; i++) {
		const struct event *old = replay->events[state->numbers[i]];

		if (!mx_slice_eq(old->type, event->type) ||
		    !mx_slice_eq(old->state_key, event->state_key))
			next.numbers[next.len++] = state->numbers[i];
	}
	next.numbers[next.len++] = number;
	qsort(next.numbers, next.len, sizeof(*next.numbers), compare);
	return next;
}

static struct state resolved(struct replay *replay, const struct state *states, size_t len)
{
	const struct reference_room room = {
		.version = replay->head.version,
		.events = replay->events,
		.rejected = replay->rejected,
		.len = replay->head.next_state,
	};
	struct reference_state *given = mx_arena_calloc(replay->call->mem, len, sizeof(*given));
	struct state result = { .numbers = mx_arena_calloc(replay->call->mem, room.len,
							   sizeof(*result.numbers)) };
	size_t different = 0;

	for (size_t i = 0; i < len; i++)
		given[i] = (struct reference_state){ states[i].numbers, states[i].len };
	for (size_t i = 1; i < len; i++)
		different += !same_state(&states[0], &states[i]);
	if (!different)
		return states[0];
	result.len = reference_resolve(&room, given, len, result.numbers);
	return result;
}

/* ---- events */

static uint32_t number_of(const struct replay *replay, struct mx_slice id, uint32_t below)
{
	for (uint32_t i = 1; i < below; i++)
		if (mx_slice_eq(replay->stored[i].event.id, id))
			return i;
	return 0;
}

static struct state state_before(struct replay *replay, uint32_t number)
{
	const struct event *event = &replay->stored[number].event;
	struct state states[EVENT_PREV_MAX];

	for (size_t i = 0; i < event->prev_events_len; i++) {
		uint32_t prev = number_of(replay, event->prev_events[i], number);

		if (!prev)
			complain(replay, number, "what it follows is not there");
		states[i] = replay->after[prev];
	}
	return event->prev_events_len ? resolved(replay, states, event->prev_events_len)
				      : (struct state){ 0 };
}

struct finder {
	const struct replay *replay;
	const struct state *state;
};

static const struct event *find(void *ctx, const char *type, struct mx_slice state_key)
{
	const struct finder *finder = ctx;

	return find_in(finder->replay, finder->state, type, state_key);
}

static bool is_allowed(const struct replay *replay, uint32_t number, const struct state *state)
{
	struct finder finder = { replay, state };

	return eventauth_check(&replay->stored[number].event,
			       &(struct auth_state){ .find = find, .ctx = &finder },
			       replay->call->mem, NULL) == 0;
}

static bool is_as_kept(struct replay *replay, const struct room_state *kept,
		       const struct state *state)
{
	struct state_numbers list;

	if (state_reader_list(&replay->reader, kept, STATE_ALL, &list))
		return false;
	qsort(list.items, list.len, sizeof(*list.items), compare);
	return same_state(&(struct state){ list.items, list.len }, state);
}

static void replay_event(struct replay *replay, uint32_t number)
{
	const struct event_header *header = &replay->stored[number].header;
	bool rejected = header->flags & EVENT_REJECTED;

	replay->before[number] = state_before(replay, number);
	replay->after[number] = replay->before[number];
	if (header->state_number)
		replay->rejected[header->state_number] = rejected;
	if (!rejected && !is_allowed(replay, number, &replay->before[number]))
		complain(replay, number, "the state before it does not allow it");
	if (header->state_number && !rejected)
		replay->after[number] = with(replay, &replay->before[number], header->state_number);
	if (!is_as_kept(replay, &header->before, &replay->before[number]))
		complain(replay, number, "the state before it is another one");
	if (!is_as_kept(replay, &header->after, &replay->after[number]))
		complain(replay, number, "the state after it is another one");
}

/* ---- the room */

static bool is_hidden(const struct replay *replay, uint32_t number)
{
	return replay->stored[number].header.flags & EVENT_HIDDEN;
}

/* Whether an accepted event follows it, at once or behind others that were not accepted. */
static bool is_followed(const struct replay *replay, uint32_t number)
{
	for (uint32_t i = number + 1; i < replay->head.next_event; i++) {
		const struct event *event = &replay->stored[i].event;

		for (size_t j = 0; j < event->prev_events_len; j++)
			if (mx_slice_eq(event->prev_events[j], replay->stored[number].event.id) &&
			    (!is_hidden(replay, i) || is_followed(replay, i)))
				return true;
	}
	return false;
}

static bool is_extremity(const struct room_head *head, uint32_t number)
{
	for (size_t i = 0; i < head->extremities_len; i++)
		if (head->extremities[i] == number)
			return true;
	return false;
}

static struct state check_extremities(struct replay *replay)
{
	struct state *states = mx_arena_calloc(replay->call->mem, replay->head.next_event,
					       sizeof(*states));
	size_t len = 0;

	for (uint32_t i = 1; i < replay->head.next_event; i++) {
		bool newest = !is_hidden(replay, i) && !is_followed(replay, i);

		if (newest)
			states[len++] = replay->after[i];
		if (newest != is_extremity(&replay->head, i))
			complain(replay, i, newest ? "is no newest event" : "is a newest event");
	}
	return len ? resolved(replay, states, len) : (struct state){ 0 };
}

static void check_members(struct replay *replay, const struct state *state)
{
	uint32_t counts[MEMBERSHIP_BAN + 1] = { 0 };

	for (size_t i = 0; i < state->len; i++) {
		const struct event *event = replay->events[state->numbers[i]];
		enum membership membership = membership_of(event_membership(event));
		struct member_row row;

		if (!mx_slice_is(event->type, TYPE_MEMBER))
			continue;
		counts[membership]++;
		if (member_db_load(replay->call, replay->room, event->state_key, &row) ||
		    row.membership != membership)
			complain(replay, 0, "a member is another in its row");
	}
	if (counts[MEMBERSHIP_JOIN] != replay->head.joined ||
	    counts[MEMBERSHIP_INVITE] != replay->head.invited ||
	    counts[MEMBERSHIP_KNOCK] != replay->head.knocked)
		complain(replay, 0, "the members are counted otherwise");
}

static void check_timeline(struct replay *replay)
{
	struct timeline timeline;
	const struct timeline_range all = { .before = INT64_MAX, .limit = replay->head.next_event };
	uint32_t shown = 0;

	for (uint32_t i = 1; i < replay->head.next_event; i++)
		shown += !is_hidden(replay, i);
	if (timeline_db_scan(replay->call, replay->room, &all, &timeline) ||
	    timeline.len != shown) {
		complain(replay, 0, "the timeline has not all events");
		return;
	}
	for (size_t i = 0; i < timeline.len; i++)
		if (replay->stored[timeline.items[i].event].header.rseq != timeline.items[i].rseq)
			complain(replay, timeline.items[i].event, "stands elsewhere");
}

static bool load(struct replay *replay)
{
	struct mx_arena *mem = replay->call->mem;
	uint32_t len = replay->head.next_event;

	replay->stored = mx_arena_calloc(mem, len, sizeof(*replay->stored));
	replay->before = mx_arena_calloc(mem, len, sizeof(*replay->before));
	replay->after = mx_arena_calloc(mem, len, sizeof(*replay->after));
	replay->events = mx_arena_calloc(mem, replay->head.next_state, sizeof(*replay->events));
	replay->rejected = mx_arena_calloc(mem, replay->head.next_state, sizeof(*replay->rejected));
	for (uint32_t i = 1; i < len; i++) {
		struct stored_event *stored = &replay->stored[i];

		if (event_db_load(replay->call, replay->room, i, stored))
			return false;
		if (stored->header.state_number)
			replay->events[stored->header.state_number] = &stored->event;
	}
	return true;
}

unsigned reference_replay(const struct hs_call *call, uint32_t room, struct mx_str *out)
{
	struct replay replay = { .call = call, .room = room, .out = out };
	struct state state;

	if (room_db_head(call, room, &replay.head) || !load(&replay)) {
		mx_str_addf(out, "room %u cannot be read\n", room);
		return 1;
	}
	state_reader_init(&replay.reader, call, room);
	for (uint32_t i = 1; i < replay.head.next_event; i++)
		replay_event(&replay, i);
	state = check_extremities(&replay);
	if (!is_as_kept(&replay, &replay.head.state, &state))
		complain(&replay, 0, "the room's state is another one");
	check_members(&replay, &state);
	check_timeline(&replay);
	state_reader_done(&replay.reader);
	return replay.lines;
}

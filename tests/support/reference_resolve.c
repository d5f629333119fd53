#include "tests/support/reference_resolve.h"

#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/eventauth.h"
#include "homeserver/eventauth/power_levels.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/crypto/sha1.h"

#include <stdlib.h>

/* A set of events: by number, whether it is in. */
typedef bool *event_set;

/* A state in the making: numbers, 0 where something was taken out. */
struct state {
	uint32_t *numbers;
	size_t len;
};

struct work {
	const struct reference_room *room;
	const struct reference_state *states;
	size_t states_len;
	struct mx_arena *mem;
	const struct event *create;
	uint32_t (*cited)[EVENT_AUTH_MAX]; /* of each event, the numbers of its auth_events */
};

static event_set set_new(const struct work *work)
{
	return mx_arena_calloc(work->mem, work->room->len, sizeof(bool));
}

static const struct event *event_at(const struct work *work, uint32_t number)
{
	return work->room->events[number];
}

static bool same_key(const struct event *a, const struct event *b)
{
	return mx_slice_eq(a->type, b->type) && mx_slice_eq(a->state_key, b->state_key);
}

static uint32_t number_of(const struct work *work, struct mx_slice id)
{
	for (uint32_t number = 1; number < work->room->len; number++)
		if (mx_slice_eq(event_at(work, number)->id, id))
			return number;
	return 0;
}

/* ---- states */

static uint32_t state_find(const struct work *work, const uint32_t *numbers, size_t len,
			   const struct event *like)
{
	for (size_t i = 0; i < len; i++)
		if (numbers[i] && same_key(event_at(work, numbers[i]), like))
			return numbers[i];
	return 0;
}

static void state_put(const struct work *work, struct state *state, uint32_t number)
{
	for (size_t i = 0; i < state->len; i++)
		if (state->numbers[i] &&
		    same_key(event_at(work, state->numbers[i]), event_at(work, number))) {
			state->numbers[i] = number;
			return;
		}
	state->numbers[state->len++] = number;
}

static void state_remove(const struct work *work, struct state *state, const struct event *like)
{
	for (size_t i = 0; i < state->len; i++)
		if (state->numbers[i] && same_key(event_at(work, state->numbers[i]), like))
			state->numbers[i] = 0;
}

static struct state state_new(const struct work *work)
{
	return (struct state){
		.numbers = mx_arena_calloc(work->mem, work->room->len * 2u, sizeof(uint32_t)),
	};
}

static uint32_t find_in(const struct work *work, size_t state, const struct event *like)
{
	return state_find(work, work->states[state].numbers, work->states[state].len, like);
}

/* Present with the same event in every state. */
static bool is_unconflicted(const struct work *work, uint32_t number)
{
	for (size_t i = 0; i < work->states_len; i++)
		if (find_in(work, i, event_at(work, number)) != number)
			return false;
	return true;
}

static struct state unconflicted_state(const struct work *work)
{
	struct state state = state_new(work);

	for (size_t i = 0; i < work->states[0].len; i++)
		if (is_unconflicted(work, work->states[0].numbers[i]))
			state_put(work, &state, work->states[0].numbers[i]);
	return state;
}

static event_set conflicted_events(const struct work *work)
{
	event_set set = set_new(work);

	for (size_t i = 0; i < work->states_len; i++)
		for (size_t j = 0; j < work->states[i].len; j++)
			set[work->states[i].numbers[j]] = !is_unconflicted(
				work, work->states[i].numbers[j]);
	return set;
}

/* ---- auth chains; an event counts as part of its own */

static void add_chain(const struct work *work, uint32_t number, event_set chain)
{
	chain[number] = true;
	for (uint32_t at = number; at; at--)
		for (size_t i = 0; chain[at] && i < event_at(work, at)->auth_events_len; i++)
			chain[work->cited[at][i]] = true;
}

static event_set auth_difference(const struct work *work)
{
	event_set all = set_new(work), some = set_new(work);

	memset(all, true, work->room->len);
	for (size_t i = 0; i < work->states_len; i++) {
		event_set chain = set_new(work);

		for (size_t j = 0; j < work->states[i].len; j++)
			add_chain(work, work->states[i].numbers[j], chain);
		for (uint32_t number = 1; number < work->room->len; number++) {
			all[number] = all[number] && chain[number];
			some[number] = some[number] || chain[number];
		}
	}
	for (uint32_t number = 1; number < work->room->len; number++)
		some[number] = some[number] && !all[number];
	return some;
}

/* On a path from one conflicted event to another. */
static void add_subgraph(const struct work *work, const bool *conflicted, event_set set)
{
	for (uint32_t middle = 1; middle < work->room->len; middle++) {
		event_set below = set_new(work);
		bool is_below = false, is_above = false;

		add_chain(work, middle, below);
		for (uint32_t number = 1; number < work->room->len; number++) {
			event_set chain = set_new(work);

			if (!conflicted[number])
				continue;
			add_chain(work, number, chain);
			is_below = is_below || chain[middle];
			is_above = is_above || below[number];
		}
		set[middle] = set[middle] || (is_below && is_above);
	}
}

static event_set full_conflicted_set(const struct work *work)
{
	event_set conflicted = conflicted_events(work), set = auth_difference(work);

	for (uint32_t number = 1; number < work->room->len; number++)
		set[number] = set[number] || conflicted[number];
	if (work->room->version->resolution == RESOLUTION_V2_1)
		add_subgraph(work, conflicted, set);
	return set;
}

/* ---- whether a state allows an event */

struct check {
	const struct work *work;
	const struct state *state;
	const struct event *event; /* whose cited events help out; NULL: nobody's */
	uint32_t number;
};

static const struct event *usable(const struct work *work, uint32_t number)
{
	return number && !work->room->rejected[number] ? event_at(work, number) : NULL;
}

static const struct event *find(void *ctx, const char *type, struct mx_slice state_key)
{
	const struct check *check = ctx;
	const struct event like = { .type = mx_slice(type), .state_key = state_key };
	const struct event *event;

	if (mx_slice_is(like.type, TYPE_CREATE))
		return check->work->create;
	event = usable(check->work,
		       state_find(check->work, check->state->numbers, check->state->len, &like));
	for (size_t i = 0; !event && check->event && i < check->event->auth_events_len; i++) {
		uint32_t number = check->work->cited[check->number][i];

		if (same_key(event_at(check->work, number), &like))
			event = usable(check->work, number);
	}
	return event;
}

static bool allows(const struct work *work, const struct state *state, uint32_t number, bool cited)
{
	const struct event *event = event_at(work, number);
	struct check check = { work, state, cited ? event : NULL, number };
	const struct auth_state auth_state = { find, &check };

	return eventauth_check(event, &auth_state, work->mem, NULL) == 0;
}

/* ---- orders */

static uint32_t cited_levels(const struct work *work, uint32_t number)
{
	const struct event *event = event_at(work, number);

	for (size_t i = 0; i < event->auth_events_len; i++) {
		uint32_t cited = work->cited[number][i];

		if (event_is(event_at(work, cited), TYPE_POWER_LEVELS, MX_SLICE("")))
			return cited;
	}
	return 0;
}

static int64_t sender_level(const struct work *work, uint32_t number)
{
	uint32_t cited = cited_levels(work, number);
	struct power_levels stated = { 0 };
	const struct room_levels levels = {
		.version = work->room->version,
		.stated = cited ? &stated : NULL,
		.creators = room_creators_of(work->create, work->mem),
	};

	if (cited)
		power_levels_parse(event_at(work, cited), work->mem, &stated, NULL);
	return level_of_user(&levels, event_at(work, number)->sender);
}

static int by_time(const struct event *a, const struct event *b)
{
	if (a->origin_server_ts != b->origin_server_ts)
		return a->origin_server_ts < b->origin_server_ts ? -1 : 1;
	return mx_slice_cmp(a->id, b->id);
}

static bool power_comes_first(const struct work *work, uint32_t a, uint32_t b)
{
	int64_t x = sender_level(work, a), y = sender_level(work, b);

	return x != y ? x > y : by_time(event_at(work, a), event_at(work, b)) < 0;
}

/* Whether all that it cites of the set is in order already. */
static bool is_ready(const struct work *work, uint32_t number, const bool *left)
{
	const struct event *event = event_at(work, number);

	for (size_t i = 0; i < event->auth_events_len; i++)
		if (left[work->cited[number][i]])
			return false;
	return true;
}

static size_t order_by_power(const struct work *work, event_set left, uint32_t *ret_numbers)
{
	size_t len = 0;

	for (;;) {
		uint32_t best = 0;

		for (uint32_t number = 1; number < work->room->len; number++)
			if (left[number] && is_ready(work, number, left) &&
			    (!best || power_comes_first(work, number, best)))
				best = number;
		if (!best)
			return len;
		left[best] = false;
		ret_numbers[len++] = best;
	}
}

/* How far back on the mainline; beyond its end for what is not based on it. */
static uint32_t mainline_position(const struct work *work, uint32_t levels, uint32_t number)
{
	for (uint32_t at = number; at; at = cited_levels(work, at)) {
		uint32_t position = 0;

		for (uint32_t line = levels; line; line = cited_levels(work, line), position++)
			if (line == at)
				return position;
	}
	return UINT32_MAX;
}

static bool mainline_comes_first(const struct work *work, uint32_t levels, uint32_t a, uint32_t b)
{
	uint32_t x = mainline_position(work, levels, a), y = mainline_position(work, levels, b);

	return x != y ? x > y : by_time(event_at(work, a), event_at(work, b)) < 0;
}

static size_t order_by_mainline(const struct work *work, uint32_t levels, event_set left,
				uint32_t *ret_numbers)
{
	size_t len = 0;

	for (;;) {
		uint32_t best = 0;

		for (uint32_t number = 1; number < work->room->len; number++)
			if (left[number] &&
			    (!best || mainline_comes_first(work, levels, number, best)))
				best = number;
		if (!best)
			return len;
		left[best] = false;
		ret_numbers[len++] = best;
	}
}

/* ---- versions 2 and 2.1 */

static bool is_power_event(const struct event *event)
{
	struct mx_slice membership = event_membership(event);

	if (event_is(event, TYPE_POWER_LEVELS, MX_SLICE("")) ||
	    event_is(event, TYPE_JOIN_RULES, MX_SLICE("")))
		return true;
	return (mx_slice_is(membership, "leave") || mx_slice_is(membership, "ban")) &&
	       !mx_slice_eq(event->sender, event->state_key);
}

/* With what they cite of the set, and what that cites. */
static event_set power_events(const struct work *work, const bool *set)
{
	event_set power = set_new(work);

	for (uint32_t number = work->room->len - 1; number; number--) {
		const struct event *event = event_at(work, number);

		power[number] = set[number] && (power[number] || is_power_event(event));
		for (size_t i = 0; power[number] && i < event->auth_events_len; i++)
			power[work->cited[number][i]] = true;
	}
	for (uint32_t number = 1; number < work->room->len; number++)
		power[number] = power[number] && set[number];
	return power;
}

static void try_all(const struct work *work, const uint32_t *numbers, size_t len,
		    struct state *state)
{
	for (size_t i = 0; i < len; i++)
		if (allows(work, state, numbers[i], true))
			state_put(work, state, numbers[i]);
}

static struct state resolve_v2(const struct work *work)
{
	const struct event levels = { .type = MX_SLICE(TYPE_POWER_LEVELS),
				      .state_key = MX_SLICE("") };
	struct state unconflicted = unconflicted_state(work), state = state_new(work);
	event_set set = full_conflicted_set(work), power = power_events(work, set);
	uint32_t *numbers = mx_arena_calloc(work->mem, work->room->len, sizeof(*numbers));
	size_t len;

	for (uint32_t number = 1; number < work->room->len; number++)
		set[number] = set[number] && !power[number];
	if (work->room->version->resolution == RESOLUTION_V2)
		state = unconflicted_state(work);
	len = order_by_power(work, power, numbers);
	try_all(work, numbers, len, &state);
	len = order_by_mainline(work, state_find(work, state.numbers, state.len, &levels), set,
				numbers);
	try_all(work, numbers, len, &state);
	for (size_t i = 0; i < unconflicted.len; i++)
		state_put(work, &state, unconflicted.numbers[i]);
	return state;
}

/* ---- version 1 */

static int by_depth(const struct event *a, const struct event *b)
{
	uint8_t x[MX_SHA1_LEN], y[MX_SHA1_LEN];

	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	mx_sha1(a->id, x);
	mx_sha1(b->id, y);
	return memcmp(y, x, MX_SHA1_LEN);
}

/* The distinct events of a type and key, by ascending depth; how many. */
static size_t contenders(const struct work *work, const struct event *like, uint32_t *ret_numbers)
{
	size_t len = 0;

	for (size_t i = 0; i < work->states_len; i++) {
		uint32_t number = find_in(work, i, like);
		bool is_new = number != 0;
		size_t at = len;

		for (size_t j = 0; j < len; j++)
			is_new = is_new && ret_numbers[j] != number;
		if (!is_new)
			continue;
		for (; at &&
		       by_depth(event_at(work, number), event_at(work, ret_numbers[at - 1])) < 0;
		     at--)
			ret_numbers[at] = ret_numbers[at - 1];
		ret_numbers[at] = number;
		len++;
	}
	return len;
}

static uint32_t decide_in_turn(const struct work *work, const struct state *so_far,
			       const uint32_t *numbers, size_t len)
{
	struct state state = state_new(work);
	uint32_t winner = numbers[0];

	memcpy(state.numbers, so_far->numbers, so_far->len * sizeof(*state.numbers));
	state.len = so_far->len;
	for (size_t i = 1; i < len; i++) {
		state_put(work, &state, winner);
		if (!allows(work, &state, numbers[i], false))
			break;
		winner = numbers[i];
	}
	return winner;
}

static uint32_t decide_by_depth(const struct work *work, const struct state *state,
				const uint32_t *numbers, size_t len)
{
	for (size_t i = len; i-- > 0;)
		if (allows(work, state, numbers[i], false))
			return numbers[i];
	return numbers[0];
}

static bool is_of_pass(const struct event *event, const char *type)
{
	if (type)
		return mx_slice_is(event->type, type);
	return !mx_slice_is(event->type, TYPE_POWER_LEVELS) &&
	       !mx_slice_is(event->type, TYPE_JOIN_RULES) && !mx_slice_is(event->type, TYPE_MEMBER);
}

/* What is decided in a pass is seen by the next one. */
static void run_pass(const struct work *work, struct state *state, const char *type)
{
	struct state decided = state_new(work);

	for (uint32_t number = 1; number < work->room->len; number++) {
		const struct event *event = event_at(work, number);
		uint32_t numbers[64], winner;
		size_t len = is_of_pass(event, type) ? contenders(work, event, numbers) : 0;

		if (len < 2)
			continue;
		winner = type ? decide_in_turn(work, state, numbers, len)
			      : decide_by_depth(work, state, numbers, len);
		state_put(work, &decided, winner);
	}
	for (size_t i = 0; i < decided.len; i++)
		state_put(work, state, decided.numbers[i]);
}

static struct state resolve_v1(const struct work *work)
{
	struct state state = state_new(work);

	for (size_t i = 0; i < work->states_len; i++)
		for (size_t j = 0; j < work->states[i].len; j++)
			state_put(work, &state, work->states[i].numbers[j]);
	for (uint32_t number = 1; number < work->room->len; number++) {
		uint32_t numbers[64];

		if (contenders(work, event_at(work, number), numbers) > 1)
			state_remove(work, &state, event_at(work, number));
	}
	run_pass(work, &state, TYPE_POWER_LEVELS);
	run_pass(work, &state, TYPE_JOIN_RULES);
	run_pass(work, &state, TYPE_MEMBER);
	run_pass(work, &state, NULL);
	return state;
}

/* ---- the whole */

static void find_cited(struct work *work)
{
	work->cited = mx_arena_calloc(work->mem, work->room->len, sizeof(*work->cited));
	for (uint32_t number = 1; number < work->room->len; number++)
		for (size_t i = 0; i < event_at(work, number)->auth_events_len; i++)
			work->cited[number][i] = number_of(work,
							   event_at(work, number)->auth_events[i]);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

size_t reference_resolve(const struct reference_room *room, const struct reference_state *states,
			 size_t len, uint32_t *ret_numbers)
{
	struct work work = { .room = room,
			     .states = states,
			     .states_len = len,
			     .mem = mx_arena_new(64 * 1024),
			     .create = room->events[1] };
	struct state state;
	size_t count = 0;

	find_cited(&work);
	state = room->version->resolution == RESOLUTION_V1 ? resolve_v1(&work) : resolve_v2(&work);

	for (size_t i = 0; i < state.len; i++)
		if (state.numbers[i])
			ret_numbers[count++] = state.numbers[i];
	qsort(ret_numbers, count, sizeof(*ret_numbers), compare);
	mx_arena_free(work.mem);
	return count;
}

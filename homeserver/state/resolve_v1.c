/* Spec: room version 1, "State resolution". */
#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"
#include "homeserver/state/resolution.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/sha1.h"

#include <stdlib.h>

/* One of the events that contest a slot. */
struct contender {
	uint32_t number;
	int64_t depth;
	uint8_t digest[MX_SHA1_LEN]; /* of its id */
};

struct contest {
	uint32_t slot;
	const char *type; /* of the first passes, or NULL */
	struct contender *contenders; /* by ascending depth, then descending digest */
	size_t len;
	uint32_t winner;
};

static const char *const passes[] = { TYPE_POWER_LEVELS, TYPE_JOIN_RULES, TYPE_MEMBER };

#define PASSES (sizeof(passes) / sizeof(passes[0]))

/* ---- contests */

static int compare(const void *a, const void *b)
{
	const struct contender *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return memcmp(y->digest, x->digest, MX_SHA1_LEN);
}

/* The distinct events that the states have in the slot; a state without one contests nothing. */
static struct numbers events_in(const struct resolution *resolution, uint32_t slot)
{
	struct numbers numbers = { 0 };

	numbers.items = mx_arena_calloc(resolution->mem, resolution->states_len + 1,
					sizeof(uint32_t));
	for (size_t i = 0; i < resolution->states_len; i++) {
		uint32_t number = room_state_find(resolution->resolver->nodes,
						  &resolution->states[i], slot);

		if (number)
			numbers.items[numbers.len++] = number;
	}
	numbers_sort(&numbers);
	return numbers;
}

static const char *pass_of(const struct event *event)
{
	for (size_t i = 0; i < PASSES; i++)
		if (mx_slice_is(event->type, passes[i]))
			return passes[i];
	return NULL;
}

static int enter(struct resolution *resolution, struct contest *contest, uint32_t number)
{
	const struct event *event = resolution_load(resolution, number);
	struct contender *contender = &contest->contenders[contest->len++];

	if (!event)
		return -MX_STORE;
	contender->number = number;
	contender->depth = event->depth;
	mx_sha1(event->id, contender->digest);
	contest->type = pass_of(event);
	return 0;
}

static int open_contest(struct resolution *resolution, uint32_t slot, struct contest *contest)
{
	struct numbers numbers = events_in(resolution, slot);
	int rc = 0;

	contest->slot = slot;
	contest->contenders = mx_arena_calloc(resolution->mem, numbers.len + 1,
					      sizeof(*contest->contenders));
	for (size_t i = 0; rc == 0 && i < numbers.len; i++)
		rc = enter(resolution, contest, numbers.items[i]);
	qsort(contest->contenders, contest->len, sizeof(*contest->contenders), compare);
	return rc;
}

/* ---- deciding */

/* Each is tried in the state that the one before made, until one fails. */
static int decide_in_turn(struct resolution *resolution, struct contest *contest)
{
	contest->winner = contest->contenders[0].number;
	for (size_t i = 1; i < contest->len; i++) {
		int allowed;

		making_put(resolution, contest->slot, contest->winner);
		allowed = making_allows(resolution, contest->contenders[i].number, false);
		if (allowed < 0)
			return allowed;
		if (!allowed)
			break;
		contest->winner = contest->contenders[i].number;
	}
	/* The others of this pass do not see it yet. */
	making_put(resolution, contest->slot, 0);
	return 0;
}

/* The deepest that is allowed, or else the least deep. */
static int decide_by_depth(struct resolution *resolution, struct contest *contest)
{
	contest->winner = contest->contenders[0].number;
	for (size_t i = contest->len; i-- > 0;) {
		int allowed = making_allows(resolution, contest->contenders[i].number, false);

		if (allowed < 0)
			return allowed;
		if (!allowed)
			continue;
		contest->winner = contest->contenders[i].number;
		break;
	}
	return 0;
}

static int run_pass(struct resolution *resolution, struct contest *contests, size_t len,
		    const char *type)
{
	for (size_t i = 0; i < len; i++) {
		int rc = 0;

		if (contests[i].len > 1 && contests[i].type == type)
			rc = type ? decide_in_turn(resolution, &contests[i])
				  : decide_by_depth(resolution, &contests[i]);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < len; i++)
		if (contests[i].len > 1 && contests[i].type == type)
			making_put(resolution, contests[i].slot, contests[i].winner);
	return 0;
}

/* ---- the whole */

static int open_all(struct resolution *resolution, struct contest *contests)
{
	for (size_t i = 0; i < resolution->conflicted.len; i++) {
		int rc = open_contest(resolution, resolution->conflicted.items[i], &contests[i]);

		if (rc)
			return rc;
		if (contests[i].len == 1)
			making_put(resolution, contests[i].slot, contests[i].contenders[0].number);
	}
	return 0;
}

int resolve_v1(struct resolution *resolution, struct room_state *ret_state)
{
	size_t len = resolution->conflicted.len;
	struct contest *contests = mx_arena_calloc(resolution->mem, len + 1, sizeof(*contests));
	int rc;

	resolution->base = &resolution->states[0];
	making_begin(resolution, &resolution->conflicted);
	rc = open_all(resolution, contests);
	for (size_t i = 0; rc == 0 && i < PASSES; i++)
		rc = run_pass(resolution, contests, len, passes[i]);
	if (rc == 0)
		rc = run_pass(resolution, contests, len, NULL);
	if (rc)
		return rc;
	*ret_state = resolution->states[0];
	for (size_t i = 0; i < resolution->slots.len; i++)
		room_state_put(resolution->resolver->nodes, ret_state, resolution->slots.items[i],
			       resolution->decided[i]);
	return 0;
}

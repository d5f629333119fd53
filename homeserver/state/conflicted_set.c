#include "homeserver/state/conflicted_set.h"

#include "homeserver/event/room_version.h"
#include "homeserver/state/trie.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/vec.h"

/* What is known of each number, by sweeps over all of them: what is cited has a smaller number, so
 * going down meets every event before what it cites, and going up behind it. */
struct sweep {
	const struct graph *graph;
	uint64_t *chains; /* a bit for each state in whose full auth chain it is */
	uint8_t *marks;
	uint64_t all; /* states */
	uint32_t highest; /* with a bit */
	uint32_t highest_shared;
};

enum mark {
	CONFLICTED = 1,
	ABOVE_CONFLICTED = 2,
	BELOW_CONFLICTED = 4,
	SHARED = 8, /* in the chain of something that all states have */
};

/* ---- the states */

static uint64_t all_states(const struct resolution *resolution)
{
	return resolution->states_len == 64 ? UINT64_MAX
					    : (UINT64_C(1) << resolution->states_len) - 1;
}

static void seed(struct sweep *sweep, uint32_t number, uint64_t bits)
{
	sweep->chains[number] |= bits;
	if (number > sweep->highest)
		sweep->highest = number;
}

/* What a state has and others have not. */
static void seed_conflicted(const struct resolution *resolution, struct sweep *sweep)
{
	struct trie_nodes *nodes = resolution->resolver->nodes;

	for (size_t i = 0; i < resolution->conflicted.len; i++)
		for (size_t j = 0; j < resolution->states_len; j++) {
			uint32_t number = room_state_find(nodes, &resolution->states[j],
							  resolution->conflicted.items[i]);

			if (!number)
				continue;
			seed(sweep, number, UINT64_C(1) << j);
			sweep->marks[number] = CONFLICTED;
		}
}

static void seed_shared_one(void *ctx, uint32_t slot, uint32_t none, uint32_t number)
{
	struct sweep *sweep = ctx;

	(void)slot;
	(void)none;
	if (!(sweep->marks[number] & CONFLICTED))
		sweep->marks[number] |= SHARED;
	if (number > sweep->highest_shared)
		sweep->highest_shared = number;
}

/* What all states have is in all chains. */
static void seed_shared(const struct resolution *resolution, struct sweep *sweep)
{
	struct trie_nodes *nodes = resolution->resolver->nodes;

	trie_each(nodes, resolution->states[0].members, seed_shared_one, sweep);
	trie_each(nodes, resolution->states[0].others, seed_shared_one, sweep);
}

static bool is_shared(const struct resolution *resolution, uint32_t number)
{
	uint32_t slot = resolution->resolver->graph->events[number].slot;

	return !slot_is_conflicted(resolution, slot) &&
	       room_state_find(resolution->resolver->nodes, &resolution->states[0], slot) == number;
}

/* ---- sweeps */

static uint32_t cited_by(const struct graph *graph, uint32_t number, uint32_t index)
{
	return graph->cited[graph->events[number].cited + index];
}

static bool is_in_difference(const struct sweep *sweep, uint32_t number)
{
	return sweep->chains[number] && sweep->chains[number] != sweep->all &&
	       !(sweep->marks[number] & SHARED);
}

static void sweep_down(const struct resolution *resolution, struct sweep *sweep)
{
	const struct graph *graph = sweep->graph;

	for (uint32_t number = sweep->highest; number; number--) {
		bool above = sweep->marks[number] & (CONFLICTED | ABOVE_CONFLICTED);

		if (!sweep->chains[number])
			continue;
		if (is_in_difference(sweep, number) && !(sweep->marks[number] & CONFLICTED) &&
		    is_shared(resolution, number))
			sweep->chains[number] = sweep->all;
		for (uint32_t i = 0; i < graph->events[number].cited_len; i++) {
			uint32_t cited = cited_by(graph, number, i);

			sweep->chains[cited] |= sweep->chains[number];
			sweep->marks[cited] |= above ? ABOVE_CONFLICTED : 0;
		}
	}
}

/* What lies between two of the conflicted is above one of them, so nothing else is looked at. */
static void sweep_up(struct sweep *sweep)
{
	const struct graph *graph = sweep->graph;

	for (uint32_t number = 1; number <= sweep->highest; number++) {
		if (!(sweep->marks[number] & (CONFLICTED | ABOVE_CONFLICTED)))
			continue;
		for (uint32_t i = 0; i < graph->events[number].cited_len; i++)
			if (sweep->marks[cited_by(graph, number, i)] &
			    (CONFLICTED | BELOW_CONFLICTED))
				sweep->marks[number] |= BELOW_CONFLICTED;
	}
}

/* What the conflicted ones cite may be cited by something that all states have, too. 0: nothing. */
static uint32_t first_in_doubt(const struct sweep *sweep)
{
	for (uint32_t number = 1; number <= sweep->highest; number++)
		if (is_in_difference(sweep, number) && !(sweep->marks[number] & CONFLICTED))
			return number;
	return 0;
}

static void sweep_shared(struct sweep *sweep, uint32_t down_to)
{
	const struct graph *graph = sweep->graph;

	for (uint32_t number = sweep->highest_shared; number > down_to; number--) {
		if (!(sweep->marks[number] & SHARED))
			continue;
		for (uint32_t i = 0; i < graph->events[number].cited_len; i++)
			sweep->marks[cited_by(graph, number, i)] |= SHARED;
	}
}

/* ---- the set */

/* Between two of the conflicted ones, or one of them. */
static bool is_in_subgraph(uint8_t marks)
{
	return (marks & CONFLICTED) || ((marks & ABOVE_CONFLICTED) && (marks & BELOW_CONFLICTED));
}

static void collect(const struct resolution *resolution, const struct sweep *sweep,
		    struct numbers *ret_set)
{
	bool subgraph = resolution->resolver->version->resolution == RESOLUTION_V2_1;
	struct mx_vec(uint32_t) set = { 0 };

	for (uint32_t number = 1; number <= sweep->highest; number++) {
		uint8_t marks = sweep->marks[number];

		if ((marks & CONFLICTED) || (subgraph && is_in_subgraph(marks)) ||
		    is_in_difference(sweep, number))
			mx_vec_push(&set, number);
	}
	ret_set->items = mx_arena_calloc(resolution->mem, set.len + 1, sizeof(*ret_set->items));
	ret_set->len = set.len;
	if (set.len)
		memcpy(ret_set->items, set.items, set.len * sizeof(*set.items));
	mx_vec_done(&set);
}

/* A state is large and a conflict small: first only what the conflicted ones cite is looked at, and
 * all that the states share only if that leaves a doubt. */
void full_conflicted_set(struct resolution *resolution, struct numbers *ret_set)
{
	const struct graph *graph = resolution->resolver->graph;
	struct sweep sweep = {
		.graph = graph,
		.chains = mx_calloc(graph->len, sizeof(*sweep.chains)),
		.marks = mx_calloc(graph->len, sizeof(*sweep.marks)),
		.all = all_states(resolution),
	};
	uint32_t doubt;

	seed_conflicted(resolution, &sweep);
	sweep_down(resolution, &sweep);
	doubt = first_in_doubt(&sweep);
	if (doubt) {
		seed_shared(resolution, &sweep);
		sweep_shared(&sweep, doubt);
	}
	if (resolution->resolver->version->resolution == RESOLUTION_V2_1)
		sweep_up(&sweep);
	collect(resolution, &sweep, ret_set);
	mx_free(sweep.chains);
	mx_free(sweep.marks);
}

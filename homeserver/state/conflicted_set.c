#include "homeserver/state/conflicted_set.h"

#include "homeserver/room/room_version.h"
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
	uint32_t highest; /* with a mark or a bit */
};

enum mark { CONFLICTED = 1, ABOVE_CONFLICTED = 2, BELOW_CONFLICTED = 4 };

/* ---- the states */

struct seed {
	struct sweep *sweep;
	uint64_t bits;
};

static void seed(struct sweep *sweep, uint32_t number, uint64_t bits)
{
	sweep->chains[number] |= bits;
	if (number > sweep->highest)
		sweep->highest = number;
}

static void seed_one(void *ctx, uint32_t slot, uint32_t none, uint32_t number)
{
	const struct seed *of = ctx;

	(void)slot;
	(void)none;
	seed(of->sweep, number, of->bits);
}

/* What a state has and others have not; what they share is in all chains. */
static void seed_states(const struct resolution *resolution, struct sweep *sweep)
{
	struct trie_nodes *nodes = resolution->resolver->nodes;
	uint64_t all = resolution->states_len == 64 ? UINT64_MAX
						    : (UINT64_C(1) << resolution->states_len) - 1;
	struct seed of = { sweep, all };

	trie_each(nodes, resolution->states[0].members, seed_one, &of);
	trie_each(nodes, resolution->states[0].others, seed_one, &of);
	for (size_t i = 0; i < resolution->conflicted.len; i++) {
		uint32_t slot = resolution->conflicted.items[i];

		sweep->chains[room_state_find(nodes, &resolution->states[0], slot)] = 0;
	}
	for (size_t i = 0; i < resolution->conflicted.len; i++) {
		for (size_t j = 0; j < resolution->states_len; j++) {
			uint32_t number = room_state_find(nodes, &resolution->states[j],
							  resolution->conflicted.items[i]);

			seed(sweep, number, number ? UINT64_C(1) << j : 0);
			sweep->marks[number] |= number ? CONFLICTED : 0;
		}
	}
}

/* ---- sweeps */

static uint32_t cited_by(const struct graph *graph, uint32_t number, uint32_t index)
{
	return graph->cited[graph->events[number].cited + index];
}

static void sweep_down(struct sweep *sweep)
{
	const struct graph *graph = sweep->graph;

	for (uint32_t number = sweep->highest; number; number--) {
		bool above = sweep->marks[number] & (CONFLICTED | ABOVE_CONFLICTED);

		if (!sweep->chains[number])
			continue;
		for (uint32_t i = 0; i < graph->events[number].cited_len; i++) {
			uint32_t cited = cited_by(graph, number, i);

			sweep->chains[cited] |= sweep->chains[number];
			sweep->marks[cited] |= above ? ABOVE_CONFLICTED : 0;
		}
	}
}

static void sweep_up(struct sweep *sweep)
{
	const struct graph *graph = sweep->graph;

	for (uint32_t number = 1; number <= sweep->highest; number++)
		for (uint32_t i = 0; i < graph->events[number].cited_len; i++)
			if (sweep->marks[cited_by(graph, number, i)] &
			    (CONFLICTED | BELOW_CONFLICTED))
				sweep->marks[number] |= BELOW_CONFLICTED;
}

/* ---- the set */

static bool is_in_difference(uint64_t chains, size_t states)
{
	return chains && (size_t)__builtin_popcountll(chains) < states;
}

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
		    is_in_difference(sweep->chains[number], resolution->states_len))
			mx_vec_push(&set, number);
	}
	ret_set->items = mx_arena_calloc(resolution->mem, set.len + 1, sizeof(*ret_set->items));
	ret_set->len = set.len;
	if (set.len)
		memcpy(ret_set->items, set.items, set.len * sizeof(*set.items));
	mx_vec_done(&set);
}

void full_conflicted_set(struct resolution *resolution, struct numbers *ret_set)
{
	const struct graph *graph = resolution->resolver->graph;
	struct sweep sweep = {
		.graph = graph,
		.chains = mx_calloc(graph->len, sizeof(*sweep.chains)),
		.marks = mx_calloc(graph->len, sizeof(*sweep.marks)),
	};

	seed_states(resolution, &sweep);
	sweep_down(&sweep);
	if (resolution->resolver->version->resolution == RESOLUTION_V2_1)
		sweep_up(&sweep);
	collect(resolution, &sweep, ret_set);
	mx_free(sweep.chains);
	mx_free(sweep.marks);
}

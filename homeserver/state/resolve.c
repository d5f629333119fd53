#include "homeserver/state/resolve.h"

#include "homeserver/event/room_version.h"
#include "homeserver/state/resolution.h"
#include "homeserver/state/trie.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/vec.h"

/* ---- states */

uint32_t room_state_find(struct trie_nodes *nodes, const struct room_state *state, uint32_t slot)
{
	if (slot & SLOT_MEMBER)
		return trie_find(nodes, state->members, slot & ~SLOT_MEMBER);
	return trie_find(nodes, state->others, slot);
}

void room_state_put(struct trie_nodes *nodes, struct room_state *state, uint32_t slot,
		    uint32_t number)
{
	if (slot & SLOT_MEMBER)
		state->members = trie_put(nodes, state->members, slot & ~SLOT_MEMBER, number);
	else
		state->others = trie_put(nodes, state->others, slot, number);
}

static bool is_same(const struct room_state *a, const struct room_state *b)
{
	return a->members == b->members && a->others == b->others;
}

/* ---- where they differ */

struct collector {
	struct mx_vec(uint32_t) slots;
	uint32_t kind; /* SLOT_MEMBER or 0 */
};

static void collect(void *ctx, uint32_t slot, uint32_t a, uint32_t b)
{
	struct collector *collector = ctx;

	(void)a;
	(void)b;
	mx_vec_push(&collector->slots, slot | collector->kind);
}

static void find_conflicts(struct resolution *resolution)
{
	struct trie_nodes *nodes = resolution->resolver->nodes;
	const struct room_state *first = &resolution->states[0];
	struct collector collector = { 0 };

	for (size_t i = 1; i < resolution->states_len; i++) {
		const struct room_state *state = &resolution->states[i];

		collector.kind = 0;
		trie_diff(nodes, first->others, state->others, collect, &collector);
		collector.kind = SLOT_MEMBER;
		trie_diff(nodes, first->members, state->members, collect, &collector);
	}
	resolution->conflicted.items = mx_arena_calloc(resolution->mem, collector.slots.len + 1,
						       sizeof(*resolution->conflicted.items));
	resolution->conflicted.len = collector.slots.len;
	if (collector.slots.len)
		memcpy(resolution->conflicted.items, collector.slots.items,
		       collector.slots.len * sizeof(*collector.slots.items));
	numbers_sort(&resolution->conflicted);
	mx_vec_done(&collector.slots);
}

/* ---- resolving */

/* Each state once; how many. */
static size_t distinct(const struct room_state *states, size_t len,
		       struct room_state ret_states[RESOLVE_STATES_MAX])
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		size_t at = 0;

		while (at < kept && !is_same(&ret_states[at], &states[i]))
			at++;
		if (at == kept)
			ret_states[kept++] = states[i];
	}
	return kept;
}

static int resolve(struct resolution *resolution, struct room_state *ret_state)
{
	const struct resolver *resolver = resolution->resolver;
	int rc;

	find_conflicts(resolution);
	rc = resolver->version->resolution == RESOLUTION_V1 ? resolve_v1(resolution, ret_state)
							    : resolve_v2(resolution, ret_state);
	if (rc == 0 && resolver->nodes->broken)
		return mx_fail(resolution->err, MX_STORE,
			       "A part of the room's state cannot be had");
	return rc;
}

int state_resolve(const struct resolver *resolver, const struct room_state *states, size_t len,
		  struct room_state *ret_state, struct mx_error *err)
{
	struct room_state different[RESOLVE_STATES_MAX], resolved;
	struct resolution resolution = { .resolver = resolver, .states = different, .err = err };
	int rc;

	resolution.states_len = distinct(states, len, different);
	if (resolution.states_len == 1) {
		*ret_state = different[0];
		return 0;
	}
	resolution.mem = mx_arena_new(0);
	rc = resolve(&resolution, &resolved);
	mx_arena_free(resolution.mem);
	if (rc == 0)
		*ret_state = resolved;
	return rc;
}

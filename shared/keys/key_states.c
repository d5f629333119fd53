#include "shared/keys/key_states.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/lru.h"
#include "shared/core/time.h"

struct state {
	int64_t last_try_ms, last_success_ms;
	int64_t paid_until_mono_ms; /* grows by a pause with each success */
	int64_t negative_until_mono_ms;
	int64_t took_ms;
	unsigned failures;
	int last_rc;
	char *address, *error; /* NULL = none: most origins have no error */
};

struct key_states {
	struct key_states_conf conf;
	struct mx_lru *lru;
};

static void state_free(void *value)
{
	struct state *state = value;

	mx_free(state->address);
	mx_free(state->error);
	mx_free(state);
}

struct key_states *key_states_new(const struct key_states_conf *conf)
{
	struct key_states *states = mx_calloc(1, sizeof(*states));

	states->conf = *conf;
	states->lru = mx_lru_new(conf->max, 0, state_free);
	return states;
}

void key_states_free(struct key_states *states)
{
	if (!states)
		return;
	mx_lru_free(states->lru);
	mx_free(states);
}

bool key_states_may(struct key_states *states, struct mx_slice server)
{
	const struct state *state = mx_lru_find(states->lru, server);
	int64_t now_ms = mx_mono_ms();

	if (!state)
		return true;
	if (state->negative_until_mono_ms > now_ms)
		return false;
	return state->paid_until_mono_ms - now_ms <=
	       (int64_t)(states->conf.burst - 1) * states->conf.pause_ms;
}

const char *key_states_address(struct key_states *states, struct mx_slice server)
{
	const struct state *state = mx_lru_find(states->lru, server);

	return state && state->address ? state->address : "";
}

static void set_text(char **slot, const char *text)
{
	mx_free(*slot);
	*slot = text && *text ? mx_strdup(text) : NULL;
}

static struct state *state_of(struct key_states *states, struct mx_slice server)
{
	struct state *state = mx_lru_find(states->lru, server);

	if (!state) {
		state = mx_calloc(1, sizeof(*state));
		mx_lru_put(states->lru, server, state, 1);
	}
	return state;
}

void key_states_add(struct key_states *states, struct mx_slice server,
		    const struct key_result *result)
{
	struct state *state = state_of(states, server);
	int64_t now_ms = mx_mono_ms();

	state->last_try_ms = result->started_ms;
	state->took_ms = result->took_ms;
	state->last_rc = result->rc;
	state->negative_until_mono_ms = result->negative_ms ? now_ms + result->negative_ms : 0;
	if (result->rc == 0) {
		state->last_success_ms = result->started_ms;
		state->failures = 0;
	} else {
		state->failures++;
	}
	if (result->is_paid && state->paid_until_mono_ms < now_ms)
		state->paid_until_mono_ms = now_ms;
	if (result->is_paid)
		state->paid_until_mono_ms += states->conf.pause_ms;
	if (result->address && *result->address)
		set_text(&state->address, result->address);
	set_text(&state->error, result->error);
}

static struct key_fetch_state show(const struct state *state, struct mx_slice server)
{
	struct key_fetch_state shown = {
		.server = server,
		.last_try_ms = state->last_try_ms,
		.last_success_ms = state->last_success_ms,
		.took_ms = state->took_ms,
		.failures = state->failures,
		.last_rc = state->last_rc,
	};

	snprintf(shown.last_error, sizeof(shown.last_error), "%s",
		 state->error ? state->error : "");
	return shown;
}

bool key_states_get(struct key_states *states, struct mx_slice server,
		    struct key_fetch_state *ret_state)
{
	const struct state *state = mx_lru_find(states->lru, server);

	if (!state)
		return false;
	*ret_state = show(state, server);
	return true;
}

/* ---- the worst */

struct worst {
	bool slow;
	struct key_fetch_state *best; /* sorted, worst first */
	size_t len, max;
};

static int64_t badness(const struct worst *worst, const struct key_fetch_state *state)
{
	return worst->slow ? state->took_ms : state->failures;
}

static void insert(struct worst *worst, size_t at, const struct key_fetch_state *shown)
{
	if (worst->len < worst->max)
		worst->len++;
	memmove(&worst->best[at + 1], &worst->best[at],
		(worst->len - at - 1) * sizeof(*worst->best));
	worst->best[at] = *shown;
}

static void consider(void *ctx, struct mx_slice server, void *value)
{
	struct worst *worst = ctx;
	const struct state *state = value;
	int64_t bad = worst->slow ? state->took_ms : state->failures;
	struct key_fetch_state shown;
	size_t at = worst->len;

	if (bad == 0 || (worst->slow && state->last_rc))
		return;
	while (at > 0 && badness(worst, &worst->best[at - 1]) < bad)
		at--;
	if (at == worst->max)
		return;
	shown = show(state, server);
	insert(worst, at, &shown);
}

size_t key_states_worst(struct key_states *states, bool slow, struct key_fetch_state *ret_states,
			size_t max, struct mx_arena *mem)
{
	struct worst worst = { .slow = slow, .best = ret_states, .max = max };

	mx_lru_each(states->lru, consider, &worst);
	for (size_t i = 0; i < worst.len; i++)
		ret_states[i].server = mx_arena_slice(mem, ret_states[i].server);
	return worst.len;
}

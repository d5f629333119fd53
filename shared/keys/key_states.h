/* What the fetcher remembers of origins: results, durations, and how often they may be asked.
 * Bounded; not thread-safe. */
#pragma once

#include "shared/keys/key_fetch.h"

struct key_states;

struct key_states_conf {
	size_t max;
	unsigned burst; /* successes in a row … */
	int64_t pause_ms; /* … and then one per this long */
};

struct key_states *key_states_new(const struct key_states_conf *conf);
void key_states_free(struct key_states *states);

/* Neither "no" for a while nor out of its successes. */
bool key_states_may(struct key_states *states, struct mx_slice server);

/* The address it was last reached at, "" if unknown; borrowed until the next result. */
const char *key_states_address(struct key_states *states, struct mx_slice server);

struct key_result {
	int rc;
	const char *error, *address; /* "" = none */
	int64_t started_ms, took_ms;
	int64_t negative_ms; /* > 0: not asked again for this long */
	bool is_paid; /* counts as one of its successes */
};
void key_states_add(struct key_states *states, struct mx_slice server,
		    const struct key_result *result);

/* All but the back-off; server is the caller's slice. */
bool key_states_get(struct key_states *states, struct mx_slice server,
		    struct key_fetch_state *ret_state);
/* The slowest, or those that failed most often in a row, worst first, names in mem. */
size_t key_states_worst(struct key_states *states, bool slow, struct key_fetch_state *ret_states,
			size_t max, struct mx_arena *mem);

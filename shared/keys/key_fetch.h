/* Asks origins for their key object: one fetch per server however many wait, back-off per
 * server and per address, recorded in the history before anybody is told. */
#pragma once

#include "shared/core/slice.h"
#include "shared/keys/key_object.h"

#include <stdbool.h>

struct key_fetcher;
struct key_history;
struct mx_metrics;
struct net;

struct key_fetch_conf {
	struct net *net;
	struct key_history *history;
	/* Which servers need only one signature; NULL = none. */
	bool (*policy_any)(void *ctx, struct mx_slice server);
	void *ctx;
	int64_t connect_ms, total_ms; /* 0 = 3 s, 8 s */
	int64_t negative_ms; /* how long a never-seen failing server is "no" at once;
				0 = 60 s */
	unsigned bucket_burst; /* successful fetches of one server in a row; 0 = 5 … */
	int64_t bucket_ms; /* … and then one per this long; 0 = 10 s */
	unsigned recorders; /* threads that verify and record; 0 = 2 */
	struct mx_metrics *metrics;
	const char *metrics_prefix;
};

/* Reads the back-off that key_fetch_save() wrote; a damaged one is logged and left. */
struct key_fetcher *key_fetcher_new(const struct key_fetch_conf *conf);
/* Waiters get -MX_BUSY. Before or after net_free(); never from a callback. */
void key_fetcher_free(struct key_fetcher *fetcher);

/* rc: 0 recorded; -MX_REMOTE_FAILED, -MX_REMOTE_TIMEOUT, -MX_ADDRESS_REFUSED, -MX_TOO_LARGE;
 * -MX_BAD_SIGNATURE (refused object); -MX_CONFLICT; -MX_BACKED_OFF (not asked);
 * -MX_INVALID_PARAM (no server name); -MX_BUSY (too much under way, or stopping); -MX_STORE_FULL,
 * -MX_STORE. */
typedef void key_fetched_fn(void *ctx, int rc);

/* Would key_fetch() ask now, or join a fetch under way? No side effect. */
bool key_fetch_may(struct key_fetcher *fetcher, struct mx_slice server);

/* done runs exactly once, on a thread of the fetcher's (or at once, in the call, if nobody is
 * asked). `force` skips back-off and bucket: for operators. */
void key_fetch(struct key_fetcher *fetcher, struct mx_slice server, bool force,
	       key_fetched_fn *done, void *ctx);

/* What an operator wants to know of one server, or of those that fail or are slow. */
struct key_fetch_state {
	struct mx_slice server;
	int64_t last_try_ms, last_success_ms, backed_off_until_ms, took_ms;
	unsigned failures;
	int last_rc;
	char last_error[160];
};
bool key_fetch_state(struct key_fetcher *fetcher, struct mx_slice server,
		     struct key_fetch_state *ret_state);
size_t key_fetch_worst(struct key_fetcher *fetcher, bool slow, struct key_fetch_state *ret_states,
		       size_t max, struct mx_arena *mem);
size_t key_fetch_in_flight(struct key_fetcher *fetcher);
size_t key_fetch_backed_off(struct key_fetcher *fetcher);

/* Back-off survives a restart: writes it to the history's store, replacing what was there. */
int key_fetch_save(struct key_fetcher *fetcher, struct mx_error *err);

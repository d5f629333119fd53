/* When to ask a peer again that failed. One set for server names, one for addresses. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_backoff;

struct net_backoff_conf {
	int64_t first_ms; /* after the first failure; 0 = 30 s */
	int64_t max_ms; /* 0 = 1 h; every failure doubles, ± 25 % */
	size_t entries_max; /* 0 = 100,000; the least recently failed go */
};

/* Thread-safe. */
struct net_backoff *net_backoff_new(const struct net_backoff_conf *conf);
void net_backoff_free(struct net_backoff *set);

/* True if key may be asked now. After its pause one caller gets true (the probe) and the others
 * wait for its result, at most as long as the first pause. */
bool net_backoff_may_try(struct net_backoff *set, struct mx_slice key);
void net_backoff_failed(struct net_backoff *set, struct mx_slice key);
void net_backoff_worked(struct net_backoff *set, struct mx_slice key);

/* Wall-clock time of the next try, 0 if not backed off; failures so far. */
int64_t net_backoff_until_ms(struct net_backoff *set, struct mx_slice key, unsigned *ret_failures);
size_t net_backoff_len(struct net_backoff *set);

/* For keeping it over a restart. */
void net_backoff_restore(struct net_backoff *set, struct mx_slice key, int64_t until_ms,
			 unsigned failures);
void net_backoff_each(struct net_backoff *set,
		      void (*visit)(void *ctx, struct mx_slice key, int64_t until_ms,
				    unsigned failures),
		      void *ctx);

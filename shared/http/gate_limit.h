/* Token buckets per class and client, in memory of a fixed size: when a set of buckets is full,
 * the one that was not asked for longest makes room. */
#pragma once

#include "shared/core/slice.h"
#include "shared/http/http_server.h"

#include <stdint.h>

struct limiter;

struct limiter *limiter_new(const struct http_limit limits[LIMIT_COUNT]);
void limiter_free(struct limiter *limiter);
void limiter_set(struct limiter *limiter, const struct http_limit limits[LIMIT_COUNT]);

/* Takes a token of `who` (an address or a user id); 0, or how long to wait for the next. */
int64_t limiter_take(struct limiter *limiter, enum route_limit limit, struct mx_slice who,
		     int64_t now_ms);

/* A bounded cache: the least recently used entries go when the total cost passes the limit.
 * Not thread-safe. */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>
#include <stdint.h>

struct mx_lru;

/* max_cost in the unit of the callers' costs; max_age_ms 0 = no age limit. free_value is
 * called for every value that leaves. */
struct mx_lru *mx_lru_new(size_t max_cost, int64_t max_age_ms, void (*free_value)(void *));
void mx_lru_free(struct mx_lru *lru);

/* The value, now the most recently used; NULL if unknown or too old. Borrowed. */
void *mx_lru_find(struct mx_lru *lru, struct mx_slice key);

/* Takes value over, replacing what was there. */
void mx_lru_put(struct mx_lru *lru, struct mx_slice key, void *value, size_t cost);

void mx_lru_remove(struct mx_lru *lru, struct mx_slice key);
void mx_lru_clear(struct mx_lru *lru);

/* Visits every value, the most recently used first, without making it so; visit must not change
 * the cache. */
void mx_lru_each(const struct mx_lru *lru,
		 void (*visit)(void *ctx, struct mx_slice key, void *value), void *ctx);
size_t mx_lru_len(const struct mx_lru *lru);
size_t mx_lru_cost(const struct mx_lru *lru);

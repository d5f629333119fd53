/* Removing the rows of a table that are over, page by page: each in a transaction of its own, so
 * that nobody waits for long. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct store_table;

/* How many rows went of those whose value is_over(). */
size_t reap_table(struct store *store, const struct store_table *table,
		  bool (*is_over)(struct mx_slice value, int64_t time_ms), int64_t time_ms);

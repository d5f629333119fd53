/* Every row of a table, page by page: for what is read whole at start. */
#pragma once

#include "shared/core/slice.h"

#include <stdint.h>

struct mx_error;
struct store;
struct store_row;
struct store_table;

/* Visits all rows in key order; the row is borrowed for the call. 0, or -MX_STORE. */
int store_each(struct store *store, const struct store_table *table,
	       void (*visit)(void *ctx, const struct store_row *row), void *ctx,
	       struct mx_error *err);

/* How many rows there are. Each page has a view of its own, so nobody is held up, and what is added
 * meanwhile may count or not. 0, or -MX_STORE. */
int store_count(struct store *store, const struct store_table *table, int64_t *ret_count,
		struct mx_error *err);

/* Every row of a table, page by page: for what is read whole at start. */
#pragma once

#include "shared/core/slice.h"

struct mx_error;
struct store;
struct store_row;
struct store_table;

/* Visits all rows in key order; the row is borrowed for the call. 0, or -MX_STORE. */
int store_each(struct store *store, const struct store_table *table,
	       void (*visit)(void *ctx, const struct store_row *row), void *ctx,
	       struct mx_error *err);

/* Reading another program's PostgreSQL database, row by row. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

#define POSTGRES_COLUMNS_MAX 8

struct mx_error;

/* "postgresql://…" or "postgres://…" */
bool postgres_is_address(const char *source);

/* Runs one SELECT in a read-only session, results in binary form, and visits each row; NULL
 * columns are empty. Rows are streamed, not gathered. Not 0 from visit ends it. */
int postgres_each(const char *address, const char *select,
		  int (*visit)(void *ctx, const struct mx_slice *columns, struct mx_error *err),
		  void *ctx, struct mx_error *err);

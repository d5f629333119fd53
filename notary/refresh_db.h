/* Records of who is kept fresh: table `refresh`, a row a server. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_error;
struct store;

struct refresh_row {
	int64_t asked_day; /* days since 1970 when it was last asked for */
	bool prefetch; /* kept fresh whether asked for or not */
};

/* Writes many rows at once; a row with asked_day 0 and no prefetch is removed. */
int refresh_db_put(struct store *store, const struct mx_slice *servers,
		   const struct refresh_row *rows, size_t len, struct mx_error *err);

int refresh_db_each(struct store *store,
		    void (*visit)(void *ctx, struct mx_slice server, const struct refresh_row *row),
		    void *ctx, struct mx_error *err);

/* Whom not to ask for a while, over a restart. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;
struct store;
struct store_table;

extern const struct store_table key_backoff_table;

struct key_backoff_row {
	bool is_address; /* else a server */
	struct mx_slice name;
	int64_t until_ms;
	unsigned failures;
};

bool key_backoff_decode(struct mx_slice value, struct key_backoff_row *ret_row);

/* The rows become all that is stored. In several transactions: a crash may lose some. */
int key_backoff_db_save(struct store *store, const struct key_backoff_row *rows, size_t len,
			struct mx_error *err);

/* At most limit rows, in mem. */
int key_backoff_db_load(struct store *store, size_t limit, struct mx_arena *mem,
			struct key_backoff_row **ret_rows, size_t *ret_len, struct mx_error *err);

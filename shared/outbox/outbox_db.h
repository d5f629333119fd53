/* The stored items: number → what and whereto, how often tried, when next. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;
struct store;
struct store_table;
struct store_txn;
struct store_view;

extern const struct store_table outbox_table;

struct outbox_row {
	uint64_t id;
	struct mx_slice kind, lane, payload, why;
	unsigned attempts;
	int64_t created_ms, due_ms;
	bool past_return; /* it may have been sent, whatever else is known */
};

/* False for rows that no writer made. Borrows. */
bool outbox_row_read(struct mx_slice key, struct mx_slice value, struct outbox_row *ret_row);
bool outbox_id_read(struct mx_slice key, uint64_t *ret_id);

/* The number must be new. */
void outbox_db_add(struct store_txn *txn, const struct outbox_row *row);
void outbox_db_put(struct store_txn *txn, const struct outbox_row *row);
void outbox_db_delete(struct store_txn *txn, uint64_t id);

/* In mem. -MX_NOT_FOUND; -MX_STORE for a row that no writer made. */
int outbox_db_get(struct store_txn *txn, uint64_t id, struct mx_arena *mem,
		  struct outbox_row *ret_row);

/* All rows, in the order of their numbers. */
int outbox_db_each(struct store *store, void (*visit)(void *ctx, const struct outbox_row *row),
		   void *ctx, struct mx_error *err);
/* At most limit rows from a number on, in mem. */
int outbox_db_page(struct store_view *view, uint64_t from, size_t limit, struct mx_arena *mem,
		   struct outbox_row **ret_rows, size_t *ret_len);

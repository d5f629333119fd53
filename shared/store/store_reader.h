/* Reading for what may or may not write later: by a transaction, or by a view where there is none.
 * For _db.c files that serve both. */
#pragma once

#include "shared/core/slice.h"

struct mx_arena;
struct store_key;
struct store_range;
struct store_rows;
struct store_table;
struct store_txn;
struct store_view;

struct store_reader {
	struct store_txn *txn; /* NULL: by the view */
	struct store_view *view;
	struct mx_arena *mem; /* where keys and values go */
};

/* store_txn_get() or store_get(). */
int store_reader_get(const struct store_reader *reader, const struct store_table *table,
		     struct mx_slice key, struct mx_slice *ret_value);
/* The same by a key of what somebody asks for: what no key can hold is -MX_NOT_FOUND. */
int store_reader_find(const struct store_reader *reader, const struct store_table *table,
		      const struct store_key *key, struct mx_slice *ret_value);
/* store_txn_scan() or store_scan(). */
int store_reader_scan(const struct store_reader *reader, const struct store_table *table,
		      const struct store_range *range, struct store_rows *ret_rows);

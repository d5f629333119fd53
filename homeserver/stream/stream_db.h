/* The log: one row for each entry that a transaction noted, in the order in which they became
 * durable. Who follows what happened begins behind the last position that they dealt with. */
#pragma once

#include "homeserver/stream/stream.h"

#include <stddef.h>

struct hs_call;
struct store;
struct store_table;

extern const struct store_table stream_log_table; /* the store's stamp_table */
extern const struct store_table *const stream_tables[]; /* NULL-ended */

struct stream_row {
	uint64_t position;
	struct stream_entry entry;
};

struct stream_rows {
	struct stream_row *items;
	size_t len;
	uint64_t position; /* how far it looked: where to go on */
};

/* The entries behind a position, about `limit` of them: those of one position are never parted. In
 * call->mem. */
int stream_db_scan(const struct hs_call *call, uint64_t after, size_t limit,
		   struct stream_rows *ret_rows);

/* A row as store_watch() tells it; false for what no writer made. `entry` borrows from it. */
bool stream_db_read(struct mx_slice key, struct mx_slice value, struct stream_row *ret_row);

/* Deletes entries until those of at most `kept` positions are left, in small transactions. The last
 * row always stays, as the store's stamps begin there. How many positions are gone. */
size_t stream_db_trim(struct store *store, uint64_t kept);

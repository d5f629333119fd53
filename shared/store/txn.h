/* A transaction, inside. */
#pragma once

#include "shared/store/inside.h"
#include "shared/store/ordered.h"
#include "shared/store/rows.h"

/* Keys and values of one transaction. */
#define STORE_TXN_BYTES_MAX (64u * 1024 * 1024)

struct store_deleted_range {
	unsigned table;
	struct mx_slice from, to;
};

struct store_txn {
	struct store_batch batch; /* first: `done` gets back from it to here */
	struct store *store;
	struct store_view *view;
	struct mx_arena *mem;
	struct store_ordered *own; /* a table's puts and deletes */
	struct mx_vec(struct store_write) stamped; /* with stamps in their keys; after all others */
	struct mx_vec(struct store_deleted_range) deleted; /* before all of `own` */
	size_t bytes;
	uint64_t serial;
	bool expects; /* has checks beyond those of what it read */
	int rc; /* the first error */
	void (*done)(void *ctx, int rc);
	void *done_ctx;
};

/* Remembers the first error, returns it. */
int store_txn_break(struct store_txn *txn, int rc);

/* Is the table's row gone by a range that this transaction deletes? */
bool store_txn_deletes(const struct store_txn *txn, unsigned table, struct mx_slice key);

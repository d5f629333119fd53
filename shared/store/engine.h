/*
 * What a storage engine does for the rest of shared/store. Above this line are transactions,
 * the committer, leases and migrations; below it are pages, logs and recovery.
 */
#pragma once

#include "shared/core/vec.h"
#include "shared/store/check.h"
#include "shared/store/store.h"

struct store_row_check {
	unsigned table;
	struct mx_slice key;
	bool present;
	struct store_hash hash; /* of the value, when present */
	int failure; /* what the batch fails with: -MX_CONFLICT or -MX_LEASE_LOST */
};

/* The rows in from ≤ key < to are `rows` in number and have this hash. */
struct store_range_check {
	unsigned table;
	struct mx_slice from, to;
	size_t rows;
	struct store_hash hash;
};

enum store_write_kind { STORE_WRITE_DELETE_RANGE, STORE_WRITE_DELETE, STORE_WRITE_PUT };

struct store_write {
	enum store_write_kind kind;
	unsigned table;
	struct mx_slice key, value; /* from and to for a range */
	/* Where the stamps in these end, for apply to fill in; 0: there is none. */
	uint32_t key_stamp_end, value_stamp_end;
};

/* Checks, then writes in their order: all or nothing. The bytes belong to who made the batch and
 * stay until `done` was called. */
struct store_batch {
	struct mx_vec(struct store_row_check) row_checks;
	struct mx_vec(struct store_range_check) range_checks;
	struct mx_vec(struct store_write) writes;
	size_t bytes; /* of keys and values to be written */
	bool stamped; /* some of the writes have stamps */
	struct store_chain *chain; /* may be NULL */
	int failure; /* not 0: it failed already, and is here for the order of its chain */
	int rc; /* set by apply */
	int64_t queued_us;
	void (*done)(struct store_batch *batch);
	struct store_batch *next;
};

struct store_engine {
	const struct store_engine_ops *ops;
	_Atomic uint64_t stamp; /* the last one that new views see */
};

struct store_engine_view {
	struct store_engine *engine;
	uint64_t stamp; /* the last one that it sees */
};

struct store_engine_conf {
	const char *directory;
	size_t cache_bytes;
	const struct store_table *const *tables; /* a table's number is its place here */
	unsigned tables_len;
	struct mx_metrics *metrics;
	int64_t free_bytes_min;
	bool check_all;
	struct store_hash_key hash_key;
};

struct store_engine_ops {
	void (*close)(struct store_engine *engine);

	/* Stamps go on after this one. Before the first view of anybody else, and the first apply.
	 */
	void (*stamps_begin)(struct store_engine *engine, uint64_t stamp);

	struct store_engine_view *(*view_begin)(struct store_engine *engine);
	void (*view_end)(struct store_engine_view *view);
	/* get and scan: -MX_CONFLICT when the view cannot be kept consistent any longer. */
	int (*get)(struct store_engine_view *view, unsigned table, struct mx_slice key,
		   struct mx_arena *mem, struct mx_slice *ret_value);
	int (*scan)(struct store_engine_view *view, unsigned table, const struct store_range *range,
		    struct mx_arena *mem, struct store_rows *ret_rows);

	/* Called by one thread only. Sets the rc of every batch; when it returns, what was 0 is
	 * durable and visible to new views. Later batches see earlier ones. batch.h says what all
	 * engines do with stamps and chains. */
	void (*apply)(struct store_engine *engine, struct store_batch *const *group, size_t len);

	bool (*is_full)(struct store_engine *engine);
	int (*backup)(struct store_engine *engine, const char *to_directory, struct mx_error *err);
};

/* The embedded engine. */
int store_bdb_open(const struct store_engine_conf *conf, struct store_engine **ret_engine,
		   struct mx_error *err);

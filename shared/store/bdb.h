/* The embedded engine, inside: one private Berkeley DB environment, one file a table. Only the
 * files that include this header know of <db.h>. */
#pragma once

#include "shared/store/bdb_files.h"
#include "shared/store/bdb_pages.h"
#include "shared/store/bdb_space.h"
#include "shared/store/engine.h"
#include "shared/store/versions.h"

#include <pthread.h>
#include <stdatomic.h>

#include <db.h>

struct mx_metric;
struct mx_metrics;

/* Bytes that grow as the library asks for more. */
struct bdb_buffer {
	void *ptr;
	uint32_t cap;
};

struct bdb_view {
	struct store_engine_view base;
	struct store_snapshot snapshot;
};

struct bdb_keeper;

struct bdb {
	struct store_engine base;
	char *directory; /* NULL: in memory */
	uint32_t recover_flag;
	int lock_fd;
	DB_ENV *env;
	const struct store_table *const *tables;
	unsigned tables_len;
	DB **handles;
	struct store_hash_key hash_key;
	struct store_versions versions;
	struct bdb_space space;
	struct bdb_keeper *keeper;
	struct bdb_buffer scratch; /* the writing thread's */
	atomic_bool opening; /* failures are returned, not fatal */
	char message[256]; /* the library's last one while opening */
};

/* A failure after which nothing may be acknowledged any more: logged, then the process ends. */
void store_bdb_fatal(const struct bdb *bdb, const char *what, int rc) __attribute__((noreturn));

/* ---- bdb_env.c */
int store_bdb_env_open(struct bdb *bdb, size_t cache_bytes, struct mx_error *err);
int store_bdb_tables_open(struct bdb *bdb, struct mx_error *err);
/* -MX_STORE with what the library said last. */
int store_bdb_fail(struct bdb *bdb, const char *what, int rc, struct mx_error *err);

/* ---- bdb_check.c */

/* What was found in the directory before the library looks at it. */
struct bdb_start {
	bool closed;
	uint64_t empty_pages; /* those that are missing included: recovery has to fill them */
	struct store_catalogue catalogue;
};

/* The log to its end, tables by their pages; `all`: however many there are. Changes nothing. */
int store_bdb_check_files(const char *directory, bool all, struct bdb_start *ret_start,
			  struct mx_error *err);
/* After recovery, before a table is opened. */
int store_bdb_check_recovered(struct bdb *bdb, const struct bdb_start *start, struct mx_error *err);
void store_bdb_catalogue_write(struct bdb *bdb);

/* ---- bdb_backup.c */
int store_bdb_backup(struct store_engine *engine, const char *to_directory, struct mx_error *err);

/* ---- bdb_read.c: the rows as they are in the tables, library codes */

/* 0 or DB_NOTFOUND; the value is in the buffer. */
int store_bdb_row(DB *handle, DB_TXN *txn, struct mx_slice key, struct bdb_buffer *buffer,
		  struct mx_slice *ret_value);

struct bdb_span {
	DB *handle;
	DB_TXN *txn; /* NULL: what is there, published or not */
	const struct store_range *range;
};

/* At most range->limit rows, copied into mem. */
int store_bdb_rows(const struct bdb_span *span, struct mx_arena *mem, struct store_row_list *rows);

void store_bdb_buffer_done(struct bdb_buffer *buffer);
DBT store_bdb_in(struct mx_slice bytes);

struct store_engine_view *store_bdb_view_begin(struct store_engine *engine);
void store_bdb_view_end(struct store_engine_view *view);
int store_bdb_get(struct store_engine_view *view, unsigned table, struct mx_slice key,
		  struct mx_arena *mem, struct mx_slice *ret_value);
int store_bdb_scan(struct store_engine_view *view, unsigned table, const struct store_range *range,
		   struct mx_arena *mem, struct store_rows *ret_rows);

/* ---- bdb_apply.c */
void store_bdb_apply(struct store_engine *engine, struct store_batch *const *group, size_t len);

/*
 * The contract between the daemons and any storage engine: ordered tables of bytes, snapshots,
 * atomic batches with preconditions. Every 0 from a commit is durable.
 */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;
struct mx_metrics;
struct store;
struct store_txn;
struct store_view;

#define STORE_KEY_MAX   1024 /* bytes */
#define STORE_VALUE_MAX (16u * 1024 * 1024)

/* Tables are const objects of their _db.c files; the daemon lists all of them at open. */
struct store_table {
	const char *name; /* unique, [a-z_]+ */
	bool large_values; /* values mostly over 1 KiB: for engines that lay those out otherwise */
};

struct store_row {
	struct mx_slice key, value;
};

struct store_rows {
	struct store_row *items;
	size_t len;
};

struct store_keys {
	const struct mx_slice *items;
	size_t len;
};

/* One numbered change of the stored form; runs in order, each in transactions of its own choice
 * but resumable: killed in the middle, it starts again from its beginning. */
struct store_migration {
	const char *what;
	int (*run)(struct store *store, struct mx_error *err);
};

struct store_conf {
	const char *directory; /* NULL: in memory (tests) */
	size_t cache_bytes; /* 0 = 8 MiB */
	const struct store_table *const *tables; /* NULL-ended */
	/* Migration i makes version i + 2 of version i + 1. A new store starts at the newest.
	 * A store newer than the list is refused; before the first step a backup is taken. */
	const struct store_migration *migrations;
	size_t migrations_len;
	struct mx_metrics *metrics; /* may be NULL */
	/* Its keys begin with a stamp: at open the last row says where counting goes on, so that
	 * row is never deleted. A transaction that has stamps elsewhere only gets an empty row
	 * there, whose key is the stamp. NULL: stamps begin anew at every open. */
	const struct store_table *stamp_table;
	bool check_all; /* every page at open; else all after a crash, 256 MiB after a clean exit */
	int64_t free_bytes_min; /* below this much free disk, writes are -MX_STORE_FULL;
				   0 = 64 MiB, < 0 = no check */
};

/* Recovers, checks file lengths and pages, migrates. -MX_STORE with the reason; never wipes. */
int store_open(const struct store_conf *conf, struct store **ret_store, struct mx_error *err);
/* Waits for commits under way. */
void store_close(struct store *store);

/* A consistent hot copy into an empty or new directory; others go on reading and writing. */
int store_backup(struct store *store, const char *to_directory, struct mx_error *err);
/* Offline: checks the copy, then puts it where no store is. */
int store_restore(const char *from_directory, const char *to_directory, struct mx_error *err);

/* True while commits are refused with -MX_STORE_FULL. Reads go on; checked again every second. */
bool store_is_full(struct store *store);

/* ---- reading: a view is a short-lived consistent snapshot of one request; one thread. */

/* The last stamp (see store_txn_put_stamped) that new views see; at first that of the last row of
 * the stamp_table, or 0. */
uint64_t store_stamp(struct store *store);

struct store_view *store_view_begin(struct store *store);
/* The last stamp that this view sees: all up to it, and none after it. */
uint64_t store_view_stamp(const struct store_view *view);
void store_view_end(struct store_view *view);

/* 0 and the value, copied into mem; -MX_NOT_FOUND; -MX_STORE; -MX_TOO_LARGE for a key that no row
 * can have. */
int store_get(struct store_view *view, const struct store_table *table, struct mx_slice key,
	      struct mx_arena *mem, struct mx_slice *ret_value);

/* Many keys of one table: ret_values[i].ptr is NULL where there is no row. */
int store_get_many(struct store_view *view, const struct store_table *table,
		   const struct store_keys *keys, struct mx_arena *mem,
		   struct mx_slice *ret_values);

struct store_range {
	struct mx_slice from, to; /* from ≤ key < to; an empty `to` has no end */
	size_t limit; /* 0 = 1,000 */
	bool reverse;
};

/* Rows in key order, copied into mem, at most range->limit. */
int store_scan(struct store_view *view, const struct store_table *table,
	       const struct store_range *range, struct mx_arena *mem, struct store_rows *ret_rows);

/* ---- writing: a transaction is a view and an empty batch. Rows read through it are checked at
 * commit to be unchanged; it sees its own writes. Errors stick: the commit reports the first. */

struct store_txn *store_txn_begin(struct store *store);
void store_txn_abort(struct store_txn *txn);

int store_txn_get(struct store_txn *txn, const struct store_table *table, struct mx_slice key,
		  struct mx_arena *mem, struct mx_slice *ret_value);
int store_txn_scan(struct store_txn *txn, const struct store_table *table,
		   const struct store_range *range, struct mx_arena *mem,
		   struct store_rows *ret_rows);
void store_txn_put(struct store_txn *txn, const struct store_table *table, struct mx_slice key,
		   struct mx_slice value);

/*
 * A row that holds the transaction's stamp: eight bytes, big-endian, filled in when it is applied.
 * Stamps grow by one with each transaction that has such a row, in the order in which they are
 * applied; one that fails takes none. Where there are stamps in keys: no other row of the
 * transaction has that key, the transaction does not see the row, and its deletes do not meet it.
 * Rows with a stamp in the value alone are like others; until then they read as stamp 0.
 */
#define STORE_NO_STAMP SIZE_MAX
struct store_stamp_at {
	size_t key_at, value_at; /* offsets, or STORE_NO_STAMP */
};
void store_txn_put_stamped(struct store_txn *txn, const struct store_table *table,
			   struct mx_slice key, struct mx_slice value,
			   const struct store_stamp_at *at);
/* 1, 2, … with each call: what tells rows of one transaction with the same stamp apart. */
uint64_t store_txn_serial(struct store_txn *txn);
void store_txn_delete(struct store_txn *txn, const struct store_table *table, struct mx_slice key);
void store_txn_delete_range(struct store_txn *txn, const struct store_table *table,
			    struct mx_slice from, struct mx_slice to);
/* The row must be absent at commit, whatever was read. */
void store_txn_expect_absent(struct store_txn *txn, const struct store_table *table,
			     struct mx_slice key);
/* The lease must still be ours at commit: else -MX_LEASE_LOST. */
struct store_lease;
void store_txn_expect_lease(struct store_txn *txn, const struct store_lease *lease);

/*
 * Transactions that build on each other in memory before they are durable. Once one of a chain
 * failed, for whatever reason, all that are committed to it later fail too, with -MX_CONFLICT (or
 * -MX_STORE_FULL). A broken chain stays broken: who made it goes back to what is stored, and begins
 * a new one. A transaction that was aborted does not count. What an earlier one of the chain wrote
 * is not in the view of a later one before it is durable: it must not be read through it.
 */
struct store_chain {
	_Atomic bool broken;
	_Atomic unsigned pending; /* commits that are not decided */
	bool failing; /* the committer's */
};
void store_chain_init(struct store_chain *chain);
void store_txn_chain(struct store_txn *txn, struct store_chain *chain);
/* When it is true, a view that is opened now sees every transaction of the chain that succeeded. */
bool store_chain_is_broken(const struct store_chain *chain);
/* How many of its commits are not decided yet: at 0, and with nobody who commits to it, the chain
 * may go, and new views see all that succeeded. */
unsigned store_chain_pending(const struct store_chain *chain);
/* Waits until all commits to it that were called before are decided. */
void store_chain_settle(struct store *store, struct store_chain *chain);

/* Ends txn in every case. 0: all of it is durable. -MX_CONFLICT: nothing happened, run again.
 * -MX_STORE_FULL: nothing happened. Blocks for the group commit (at most a few ms). */
int store_txn_commit(struct store_txn *txn, struct mx_error *err);

/* The same without waiting; done runs on the committer's thread with the result and must be
 * short. Commits are applied in the order of these calls. */
void store_txn_commit_async(struct store_txn *txn, void (*done)(void *ctx, int rc), void *ctx);

/*
 * Tells fn of every row of the table that a commit put or deleted (value.ptr is NULL then), in the
 * order of the commits, before each commit's own answer. It runs on the committer's thread: it is
 * short and calls nothing of the store. Rows in deleted ranges are not told. One fn a table; NULL
 * ends it, and when the call returns fn runs no more.
 */
typedef void store_watch_fn(void *ctx, struct mx_slice key, struct mx_slice value);
void store_watch(struct store *store, const struct store_table *table, store_watch_fn *fn,
		 void *ctx);

/*
 * Tells fn of the last stamp after the rows of each group of commits were told, and before their
 * answers: then everything up to it was told, and new views see it. One fn; NULL ends it, as above.
 */
typedef void store_stamp_fn(void *ctx, uint64_t stamp);
void store_watch_stamps(struct store *store, store_stamp_fn *fn, void *ctx);

/* ---- ownership and numbers */

/* A name owned by one process at a time; the epoch grows with every owner. */
struct store_lease {
	char name[64];
	uint64_t epoch;
	int64_t until_mono_ms;
};

/* 0, or -MX_CONFLICT while somebody else holds it. Taking one's own again renews it. */
int store_lease_take(struct store *store, const char *name, int64_t ttl_ms,
		     struct store_lease *ret_lease, struct mx_error *err);
void store_lease_release(struct store *store, const struct store_lease *lease);

/* A block of n numbers nobody else gets: *ret_first … *ret_first + n - 1, growing, from 1. */
int store_reserve(struct store *store, const char *counter, uint64_t n, uint64_t *ret_first,
		  struct mx_error *err);

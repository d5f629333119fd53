#include "shared/store/bdb.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/batch.h"
#include "shared/store/bdb_keeper.h"

#include <errno.h>

#define DEADLOCK_TRIES_MAX 1000

/* What a batch may take on the disk: the log holds its rows new and old, the tables new, and
 * every row may split a page. */
#define SPACE_FACTOR    3
#define SPACE_PER_WRITE 1024

struct apply {
	struct bdb *bdb;
	DB_TXN *txn;
	size_t logged;
	uint64_t stamp; /* the last one that was given */
};

/* ---- checks. 0 with *ret_holds, or a library code. */

static int row_check(struct apply *apply, const struct store_row_check *check, bool *ret_holds)
{
	struct bdb *bdb = apply->bdb;
	struct mx_slice value = { 0 };
	int rc = store_bdb_row(bdb->handles[check->table], apply->txn, check->key, &bdb->scratch,
			       &value);
	struct store_hash hash;

	if (rc && rc != DB_NOTFOUND)
		return rc;
	*ret_holds = (rc == 0) == check->present;
	if (rc == 0 && check->present) {
		hash = store_check_value(&bdb->hash_key, value);
		*ret_holds = store_check_same(&hash, &check->hash);
	}
	return 0;
}

static bool rows_hold(const struct bdb *bdb, const struct store_range_check *check,
		      const struct store_row_list *rows)
{
	struct store_hash hash = { 0 };

	if (rows->len != check->rows)
		return false;
	for (size_t i = 0; i < rows->len; i++)
		store_check_add_row(&bdb->hash_key, &hash, &rows->items[i]);
	return store_check_same(&hash, &check->hash);
}

static int range_check(struct apply *apply, const struct store_range_check *check, bool *ret_holds)
{
	const struct store_range range = {
		.from = check->from,
		.to = check->to,
		.limit = check->rows + 1, /* one more would be a phantom */
	};
	const struct bdb_span span = {
		.handle = apply->bdb->handles[check->table],
		.txn = apply->txn,
		.range = &range,
	};
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_row_list rows = { 0 };
	int rc = store_bdb_rows(&span, mem, &rows);

	if (rc == 0)
		*ret_holds = rows_hold(apply->bdb, check, &rows);
	mx_vec_done(&rows);
	return rc;
}

static int batch_check(struct apply *apply, struct store_batch *batch)
{
	bool holds = true;
	int rc = 0;

	for (size_t i = 0; rc == 0 && holds && i < batch->row_checks.len; i++) {
		rc = row_check(apply, &batch->row_checks.items[i], &holds);
		if (rc == 0 && !holds)
			batch->rc = batch->row_checks.items[i].failure;
	}
	for (size_t i = 0; rc == 0 && holds && i < batch->range_checks.len; i++) {
		rc = range_check(apply, &batch->range_checks.items[i], &holds);
		if (rc == 0 && !holds)
			batch->rc = -MX_CONFLICT;
	}
	return rc;
}

/* ---- writes */

/* Keeps the row as open views have to see it. */
static int row_keep(struct apply *apply, unsigned table, struct mx_slice key)
{
	const struct store_place place = { .table = table, .key = key };
	struct bdb *bdb = apply->bdb;
	struct mx_slice value;
	int rc;

	if (store_versions_has(&bdb->versions, &place))
		return 0;
	rc = store_bdb_row(bdb->handles[table], apply->txn, key, &bdb->scratch, &value);
	if (rc && rc != DB_NOTFOUND)
		return rc;
	store_versions_keep(&bdb->versions, &place, rc == 0 ? &value : NULL);
	return 0;
}

static int row_put(struct apply *apply, const struct store_write *write)
{
	DB *handle = apply->bdb->handles[write->table];
	DBT key = store_bdb_in(write->key), value = store_bdb_in(write->value);
	int rc = row_keep(apply, write->table, write->key);

	return rc ? rc : handle->put(handle, apply->txn, &key, &value, 0);
}

static int row_delete(struct apply *apply, const struct store_write *write)
{
	DB *handle = apply->bdb->handles[write->table];
	DBT key = store_bdb_in(write->key);
	int rc = row_keep(apply, write->table, write->key);

	if (rc)
		return rc;
	rc = handle->del(handle, apply->txn, &key, 0);
	return rc == DB_NOTFOUND ? 0 : rc;
}

/* Some rows at a time, so that a long range does not fill memory. */
#define DELETE_ROWS 256

static int rows_delete(struct apply *apply, unsigned table, const struct store_row_list *rows)
{
	for (size_t i = 0; i < rows->len; i++) {
		const struct store_write write = { .table = table, .key = rows->items[i].key };
		int rc = row_delete(apply, &write);

		if (rc)
			return rc;
		apply->logged += rows->items[i].key.len + rows->items[i].value.len;
	}
	return 0;
}

static int range_delete(struct apply *apply, const struct store_write *write)
{
	const struct store_range range = {
		.from = write->key,
		.to = write->value,
		.limit = DELETE_ROWS,
	};
	const struct bdb_span span = {
		.handle = apply->bdb->handles[write->table],
		.txn = apply->txn,
		.range = &range,
	};
	struct store_row_list rows = { 0 };
	int rc;

	do {
		mx_arena_auto *mem = mx_arena_new(0);

		rows.len = 0;
		rc = store_bdb_rows(&span, mem, &rows);
		if (rc == 0)
			rc = rows_delete(apply, write->table, &rows);
	} while (rc == 0 && rows.len == DELETE_ROWS);
	mx_vec_done(&rows);
	return rc;
}

static int batch_write(struct apply *apply, const struct store_write *write)
{
	switch (write->kind) {
	case STORE_WRITE_PUT: return row_put(apply, write);
	case STORE_WRITE_DELETE: return row_delete(apply, write);
	case STORE_WRITE_DELETE_RANGE: return range_delete(apply, write);
	}
	return EINVAL;
}

static int batch_run(struct apply *apply, struct store_batch *batch)
{
	int rc;

	if (!store_batch_admit(batch))
		return 0;
	rc = batch_check(apply, batch);
	if (rc || batch->rc)
		return rc;
	if (batch->stamped)
		store_batch_stamp(batch, ++apply->stamp);
	for (size_t i = 0; rc == 0 && i < batch->writes.len; i++)
		rc = batch_write(apply, &batch->writes.items[i]);
	apply->logged += batch->bytes;
	return rc;
}

/* ---- a group is one transaction of the library */

static int group_run(struct apply *apply, struct store_batch *const *group, size_t len)
{
	DB_ENV *env = apply->bdb->env;
	int rc = env->txn_begin(env, NULL, &apply->txn, DB_TXN_NOSYNC);

	if (rc)
		return rc;
	apply->logged = 0;
	apply->stamp = atomic_load(&apply->bdb->base.stamp);
	store_group_begin(group, len);
	for (size_t i = 0; rc == 0 && i < len; i++) {
		rc = batch_run(apply, group[i]);
		store_batch_end(group[i]);
	}
	if (rc == 0) {
		rc = apply->txn->commit(apply->txn, DB_TXN_NOSYNC);
		if (rc)
			store_bdb_fatal(apply->bdb, "commit", rc);
		return 0;
	}
	if (apply->txn->abort(apply->txn))
		store_bdb_fatal(apply->bdb, "undoing a commit", rc);
	return rc;
}

static void group_refuse(struct store_batch *const *group, size_t len, int rc)
{
	for (size_t i = 0; i < len; i++)
		group[i]->rc = group[i]->rc ? group[i]->rc : rc;
}

/* What could not be applied was undone. Two reasons leave a store that works. */
static void group_undone(struct bdb *bdb, struct store_batch *const *group, size_t len, int rc)
{
	if (rc == ENOSPC)
		group_refuse(group, len, -MX_STORE_FULL);
	else if (!bdb->directory && (rc == DB_LOG_BUFFER_FULL || rc == ENOMEM))
		group_refuse(group, len, -MX_STORE);
	else
		store_bdb_fatal(bdb, "applying a commit", rc);
}

static void make_durable(struct bdb *bdb)
{
	int rc = bdb->directory ? bdb->env->log_flush(bdb->env, NULL) : 0;

	if (rc)
		store_bdb_fatal(bdb, "writing the log", rc);
}

static void space_check(struct bdb *bdb, struct store_batch *const *group, size_t len)
{
	size_t need = 0;

	for (size_t i = 0; i < len; i++)
		need += group[i]->bytes * SPACE_FACTOR + group[i]->writes.len * SPACE_PER_WRITE;
	if (need == 0 || store_space_admits(&bdb->space, (int64_t)need))
		return;
	for (size_t i = 0; i < len; i++) {
		if (group[i]->writes.len)
			group[i]->rc = -MX_STORE_FULL;
	}
}

void store_bdb_apply(struct store_engine *engine, struct store_batch *const *group, size_t len)
{
	struct bdb *bdb = (struct bdb *)engine;
	struct apply apply = { .bdb = bdb };
	int rc = DB_LOCK_DEADLOCK;

	space_check(bdb, group, len);
	for (int i = 0; rc == DB_LOCK_DEADLOCK && i < DEADLOCK_TRIES_MAX; i++)
		rc = group_run(&apply, group, len);
	if (rc) {
		group_undone(bdb, group, len, rc);
		apply.stamp = atomic_load(&engine->stamp);
	} else if (apply.logged) {
		make_durable(bdb);
	}
	store_versions_publish(&bdb->versions, apply.stamp);
	if (apply.logged)
		store_keeper_logged(bdb->keeper, apply.logged);
}

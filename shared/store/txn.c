#include "shared/store/txn.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <stdatomic.h>

#define STAMP_LEN 8

struct store_txn *store_txn_begin(struct store *store)
{
	struct store_txn *txn = mx_calloc(1, sizeof(*txn));

	txn->store = store;
	txn->view = store_view_begin(store);
	txn->mem = mx_arena_new(0);
	txn->own = mx_arena_calloc(txn->mem, store->tables_len, sizeof(*txn->own));
	return txn;
}

static void txn_free(struct store_txn *txn)
{
	store_view_end(txn->view);
	mx_vec_done(&txn->deleted);
	mx_vec_done(&txn->stamped);
	mx_vec_done(&txn->batch.row_checks);
	mx_vec_done(&txn->batch.range_checks);
	mx_vec_done(&txn->batch.writes);
	mx_arena_free(txn->mem);
	mx_free(txn);
}

void store_txn_abort(struct store_txn *txn)
{
	if (txn)
		txn_free(txn);
}

int store_txn_break(struct store_txn *txn, int rc)
{
	if (txn->rc == 0)
		txn->rc = rc;
	return rc;
}

bool store_txn_deletes(const struct store_txn *txn, unsigned table, struct mx_slice key)
{
	for (size_t i = 0; i < txn->deleted.len; i++) {
		const struct store_deleted_range *range = &txn->deleted.items[i];

		if (range->table == table && mx_slice_cmp(key, range->from) >= 0 &&
		    (range->to.len == 0 || mx_slice_cmp(key, range->to) < 0))
			return true;
	}
	return false;
}

/* ---- reading */

static void row_expect(struct store_txn *txn, unsigned table, struct mx_slice key,
		       const struct mx_slice *value)
{
	struct store_row_check check = {
		.table = table,
		.key = mx_arena_slice(txn->mem, key),
		.present = value,
		.failure = -MX_CONFLICT,
	};

	if (value)
		check.hash = store_check_value(&txn->store->hash_key, *value);
	mx_vec_push(&txn->batch.row_checks, check);
}

static int own_get(const struct store_ordered_node *node, struct mx_arena *mem,
		   struct mx_slice *ret_value)
{
	if (!node->present)
		return -MX_NOT_FOUND;
	*ret_value = mx_arena_slice(mem, node->value);
	return 0;
}

int store_txn_get(struct store_txn *txn, const struct store_table *table, struct mx_slice key,
		  struct mx_arena *mem, struct mx_slice *ret_value)
{
	unsigned number = store_table_number(txn->store, table);
	int rc = txn->rc ? txn->rc : store_key_check(key);
	const struct store_ordered_node *own;

	if (rc)
		return store_txn_break(txn, rc);
	own = store_ordered_find(&txn->own[number], key, 0);
	if (own)
		return own_get(own, mem, ret_value);
	if (store_txn_deletes(txn, number, key))
		return -MX_NOT_FOUND;
	rc = txn->store->engine->ops->get(txn->view->engine_view, number, key, mem, ret_value);
	if (rc && rc != -MX_NOT_FOUND)
		return store_txn_break(txn, rc);
	row_expect(txn, number, key, rc ? NULL : ret_value);
	return rc;
}

/* ---- writing */

static bool may_add(struct store_txn *txn, size_t bytes)
{
	if (txn->rc)
		return false;
	txn->bytes += bytes;
	if (txn->bytes > STORE_TXN_BYTES_MAX)
		store_txn_break(txn, -MX_TOO_LARGE);
	return txn->rc == 0;
}

static void own_put(struct store_txn *txn, const struct store_table *table,
		    const struct store_ordered_row *row)
{
	unsigned number = store_table_number(txn->store, table);

	if (row->key.len > STORE_KEY_MAX || row->value.len > STORE_VALUE_MAX)
		store_txn_break(txn, -MX_TOO_LARGE);
	else if (may_add(txn, row->key.len + row->value.len))
		store_ordered_put(&txn->own[number], txn->mem, row);
}

void store_txn_put(struct store_txn *txn, const struct store_table *table, struct mx_slice key,
		   struct mx_slice value)
{
	own_put(txn, table,
		&(struct store_ordered_row){ .key = key, .value = value, .present = true });
}

static uint32_t stamp_end(size_t at)
{
	return at == STORE_NO_STAMP ? 0 : (uint32_t)at + STAMP_LEN;
}

static void stamped_add(struct store_txn *txn, const struct store_write *write)
{
	if (write->key.len > STORE_KEY_MAX || write->value.len > STORE_VALUE_MAX) {
		store_txn_break(txn, -MX_TOO_LARGE);
		return;
	}
	if (!may_add(txn, write->key.len + write->value.len))
		return;
	mx_vec_push(&txn->stamped, *write);
	txn->stamped.items[txn->stamped.len - 1].key = mx_arena_slice(txn->mem, write->key);
	txn->stamped.items[txn->stamped.len - 1].value = mx_arena_slice(txn->mem, write->value);
}

void store_txn_put_stamped(struct store_txn *txn, const struct store_table *table,
			   struct mx_slice key, struct mx_slice value,
			   const struct store_stamp_at *at)
{
	if (at->key_at == STORE_NO_STAMP)
		own_put(txn, table,
			&(struct store_ordered_row){ .key = key,
						     .value = value,
						     .present = true,
						     .stamp_end = stamp_end(at->value_at) });
	else
		stamped_add(txn, &(struct store_write){
					 .kind = STORE_WRITE_PUT,
					 .table = store_table_number(txn->store, table),
					 .key = key,
					 .value = value,
					 .key_stamp_end = stamp_end(at->key_at),
					 .value_stamp_end = stamp_end(at->value_at),
				 });
}

uint64_t store_txn_serial(struct store_txn *txn)
{
	return ++txn->serial;
}

void store_txn_chain(struct store_txn *txn, struct store_chain *chain)
{
	txn->batch.chain = chain;
}

void store_txn_delete(struct store_txn *txn, const struct store_table *table, struct mx_slice key)
{
	own_put(txn, table, &(struct store_ordered_row){ .key = key });
}

static void own_forget(struct store_ordered *own, const struct store_deleted_range *range)
{
	struct store_ordered_node *node = store_ordered_from(own, range->from, 0);

	while (node && (range->to.len == 0 || mx_slice_cmp(node->key, range->to) < 0)) {
		struct store_ordered_node *next = node->next[0];

		store_ordered_remove(own, node);
		node = next;
	}
}

void store_txn_delete_range(struct store_txn *txn, const struct store_table *table,
			    struct mx_slice from, struct mx_slice to)
{
	struct store_deleted_range range = { .table = store_table_number(txn->store, table) };

	if (!may_add(txn, from.len + to.len))
		return;
	range.from = mx_arena_slice(txn->mem, from);
	range.to = mx_arena_slice(txn->mem, to);
	own_forget(&txn->own[range.table], &range);
	mx_vec_push(&txn->deleted, range);
}

void store_txn_expect_absent(struct store_txn *txn, const struct store_table *table,
			     struct mx_slice key)
{
	int rc = store_key_check(key);

	if (rc) {
		store_txn_break(txn, rc);
		return;
	}
	row_expect(txn, store_table_number(txn->store, table), key, NULL);
	txn->expects = true;
}

void store_txn_expect_lease(struct store_txn *txn, const struct store_lease *lease)
{
	mx_str_auto key = { 0 }, value = { 0 };
	struct mx_slice bytes;

	store_lease_row(txn->store, lease, &key, &value);
	bytes = mx_str_slice(&value);
	row_expect(txn, 0, mx_str_slice(&key), &bytes);
	txn->batch.row_checks.items[txn->batch.row_checks.len - 1].failure = -MX_LEASE_LOST;
	txn->expects = true;
}

/* ---- commit */

static void write_add(struct store_txn *txn, const struct store_write *write)
{
	mx_vec_push(&txn->batch.writes, *write);
	txn->batch.bytes += write->key.len + write->value.len;
	txn->batch.stamped |= write->key_stamp_end || write->value_stamp_end;
}

static bool has_stamp_row(const struct store_txn *txn)
{
	for (size_t i = 0; i < txn->stamped.len; i++)
		if (txn->stamped.items[i].table == txn->store->stamp_table)
			return true;
	return false;
}

/* Without it the stamp would be given again after the next open. */
static void stamp_row_add(struct store_txn *txn)
{
	static const char zeros[STAMP_LEN];

	write_add(txn, &(struct store_write){
			       .kind = STORE_WRITE_PUT,
			       .table = txn->store->stamp_table,
			       .key = mx_arena_slice(txn->mem, mx_slice_of(zeros, STAMP_LEN)),
			       .value = MX_SLICE(""),
			       .key_stamp_end = STAMP_LEN,
		       });
}

static void batch_fill(struct store_txn *txn)
{
	for (size_t i = 0; i < txn->deleted.len; i++) {
		const struct store_deleted_range *range = &txn->deleted.items[i];

		write_add(txn, &(struct store_write){ .kind = STORE_WRITE_DELETE_RANGE,
						      .table = range->table,
						      .key = range->from,
						      .value = range->to });
	}
	for (unsigned table = 0; table < txn->store->tables_len; table++) {
		const struct store_ordered_node *node = txn->own[table].head[0];

		for (; node; node = node->next[0]) {
			enum store_write_kind kind = node->present ? STORE_WRITE_PUT
								   : STORE_WRITE_DELETE;

			write_add(txn, &(struct store_write){ .kind = kind,
							      .table = table,
							      .key = node->key,
							      .value = node->value,
							      .value_stamp_end = node->stamp_end });
		}
	}
	for (size_t i = 0; i < txn->stamped.len; i++)
		write_add(txn, &txn->stamped.items[i]);
	if (txn->batch.stamped && txn->store->stamp_table && !has_stamp_row(txn))
		stamp_row_add(txn);
}

/* What was read came from one snapshot: with nothing to write it needs no other check. One of a
 * chain takes its turn whatever it holds. */
static bool has_work(struct store_txn *txn)
{
	if (txn->batch.chain)
		return true;
	return txn->rc == 0 && (txn->batch.writes.len > 0 || txn->expects);
}

/* False: there is nothing for the committer, and txn->rc is the answer. */
static bool commit_prepare(struct store_txn *txn)
{
	txn->batch.failure = txn->rc;
	if (txn->rc == 0)
		batch_fill(txn);
	store_view_end(txn->view);
	txn->view = NULL;
	return has_work(txn);
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	bool done;
	int rc;
};

static void waiter_answer(void *ctx, int rc)
{
	struct waiter *waiter = ctx;

	pthread_mutex_lock(&waiter->lock);
	waiter->done = true;
	waiter->rc = rc;
	pthread_cond_signal(&waiter->answered);
	pthread_mutex_unlock(&waiter->lock);
}

static int waiter_wait(struct waiter *waiter)
{
	pthread_mutex_lock(&waiter->lock);
	while (!waiter->done)
		pthread_cond_wait(&waiter->answered, &waiter->lock);
	pthread_mutex_unlock(&waiter->lock);
	pthread_cond_destroy(&waiter->answered);
	pthread_mutex_destroy(&waiter->lock);
	return waiter->rc;
}

int store_txn_commit(struct store_txn *txn, struct mx_error *err)
{
	struct waiter waiter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 };
	int rc;

	store_txn_commit_async(txn, waiter_answer, &waiter);
	rc = waiter_wait(&waiter);
	return rc ? mx_fail(err, (enum mx_code) - rc, "%s", mx_errc((enum mx_code) - rc)->text) : 0;
}

static void on_batch_done(struct store_batch *batch)
{
	struct store_txn *txn = (struct store_txn *)batch;
	void (*done)(void *ctx, int rc) = txn->done;
	void *ctx = txn->done_ctx;
	int rc = batch->rc;

	txn_free(txn);
	done(ctx, rc);
}

void store_txn_commit_async(struct store_txn *txn, void (*done)(void *ctx, int rc), void *ctx)
{
	txn->done = done;
	txn->done_ctx = ctx;
	txn->batch.done = on_batch_done;
	if (commit_prepare(txn)) {
		if (txn->batch.chain)
			atomic_fetch_add(&txn->batch.chain->pending, 1);
		store_committer_push(txn->store->committer, &txn->batch);
		return;
	}
	txn->batch.rc = txn->rc;
	on_batch_done(&txn->batch);
}

/* An empty one of the chain takes its turn like the others. */
void store_chain_settle(struct store *store, struct store_chain *chain)
{
	struct store_txn *txn = store_txn_begin(store);

	store_txn_chain(txn, chain);
	store_txn_commit(txn, NULL);
}

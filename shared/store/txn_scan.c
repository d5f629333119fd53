#include "shared/store/txn.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"

struct txn_scan {
	struct store_txn *txn;
	unsigned table;
	const struct store_range *range;
	struct mx_arena *mem;
	struct store_row_list seen; /* of the table, before this transaction's own writes */
	struct store_row_list part;
};

static int scan_read(void *ctx, const struct store_range *range, struct store_rows_part *ret_part)
{
	struct txn_scan *scan = ctx;
	struct store_rows rows;
	int rc = scan->txn->store->engine->ops->scan(scan->txn->view->engine_view, scan->table,
						     range, scan->mem, &rows);

	if (rc)
		return rc;
	scan->part.len = 0;
	for (size_t i = 0; i < rows.len; i++) {
		mx_vec_push(&scan->seen, rows.items[i]);
		if (!store_txn_deletes(scan->txn, scan->table, rows.items[i].key))
			mx_vec_push(&scan->part, rows.items[i]);
	}
	*ret_part = (struct store_rows_part){
		.rows = scan->part.items,
		.len = scan->part.len,
		.complete = rows.len < range->limit,
	};
	if (!ret_part->complete)
		ret_part->last = rows.items[rows.len - 1].key;
	return 0;
}

static int scan_patch(void *ctx, struct mx_slice from, struct mx_slice to,
		      struct store_patches *patches)
{
	struct txn_scan *scan = ctx;
	const struct store_ordered_node *node = store_ordered_from(&scan->txn->own[scan->table],
								   from, 0);

	for (; node && (to.len == 0 || mx_slice_cmp(node->key, to) < 0); node = node->next[0])
		mx_vec_push(patches, (struct store_ordered_row){ .key = node->key,
								 .value = node->value,
								 .present = node->present });
	return 0;
}

/* The part of the range that the result depends on: all of it, or up to the last row when the
 * limit ended the scan. */
static void seen_bounds(const struct txn_scan *scan, const struct store_rows *rows,
			struct store_range_check *check)
{
	struct mx_arena *mem = scan->txn->mem;

	check->from = mx_arena_slice(mem, scan->range->from);
	check->to = mx_arena_slice(mem, scan->range->to);
	if (rows->len < store_rows_limit(scan->range))
		return;
	if (scan->range->reverse)
		check->from = mx_arena_slice(mem, rows->items[rows->len - 1].key);
	else
		check->to = store_rows_key_after(mem, rows->items[rows->len - 1].key);
}

static bool is_within(const struct store_range_check *check, struct mx_slice key)
{
	return mx_slice_cmp(key, check->from) >= 0 &&
	       (check->to.len == 0 || mx_slice_cmp(key, check->to) < 0);
}

static void rows_expect(struct txn_scan *scan, const struct store_rows *rows)
{
	struct store_range_check check = { .table = scan->table };

	seen_bounds(scan, rows, &check);
	for (size_t i = 0; i < scan->seen.len; i++) {
		/* The check at commit runs forward whatever the scan did. */
		size_t at = scan->range->reverse ? scan->seen.len - 1 - i : i;
		const struct store_row *row = &scan->seen.items[at];

		if (!is_within(&check, row->key))
			continue;
		store_check_add_row(&scan->txn->store->hash_key, &check.hash, row);
		check.rows++;
	}
	mx_vec_push(&scan->txn->batch.range_checks, check);
}

/* Rows of own writes lie in the transaction, the others in mem already. */
static void own_rows_copy(struct store_rows *rows, struct mx_arena *mem)
{
	for (size_t i = 0; i < rows->len; i++) {
		rows->items[i].key = mx_arena_slice(mem, rows->items[i].key);
		rows->items[i].value = mx_arena_slice(mem, rows->items[i].value);
	}
}

int store_txn_scan(struct store_txn *txn, const struct store_table *table,
		   const struct store_range *range, struct mx_arena *mem,
		   struct store_rows *ret_rows)
{
	struct txn_scan scan = {
		.txn = txn,
		.table = store_table_number(txn->store, table),
		.range = range,
		.mem = mem,
	};
	const struct store_layer layer = { .ctx = &scan, .read = scan_read, .patch = scan_patch };
	int rc = txn->rc;

	if (rc == 0)
		rc = store_rows_scan(&layer, range, mem, ret_rows);
	if (rc == 0) {
		rows_expect(&scan, ret_rows);
		if (txn->own[scan.table].len)
			own_rows_copy(ret_rows, mem);
	}
	mx_vec_done(&scan.seen);
	mx_vec_done(&scan.part);
	return rc ? store_txn_break(txn, rc) : 0;
}

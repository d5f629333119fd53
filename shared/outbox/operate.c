/* For the operator: to see what waits, to hasten it, to call it off. */
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/outbox/state.h"
#include "shared/store/store.h"

#include <inttypes.h>

#define PAGE_MAX 1000

static json_t *number_text(uint64_t id)
{
	mx_autofree char *text = mx_strf("%" PRIu64, id);

	return json_string(text);
}

static json_t *row_json(const struct outbox_row *row)
{
	json_t *json = json_pack("{s:o, s:s%, s:s%, s:i, s:I, s:I}", "id", number_text(row->id),
				 "kind", row->kind.ptr, row->kind.len, "lane", row->lane.ptr,
				 row->lane.len, "attempts", (int)row->attempts, "created_ts",
				 (json_int_t)row->created_ms, "next_ts", (json_int_t)row->due_ms);

	if (row->why.len > 0)
		json_object_set_new(json, "why", json_stringn(row->why.ptr, row->why.len));
	return json;
}

json_t *outbox_list(struct outbox *outbox, const char *kind, uint64_t from, size_t limit)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_view *view = store_view_begin(outbox->store);
	json_t *items = json_array(), *list = json_pack("{s:o}", "items", items);
	struct outbox_row *rows;
	size_t len = 0;

	if (limit == 0 || limit > PAGE_MAX)
		limit = PAGE_MAX;
	if (outbox_db_page(view, from, limit, mem, &rows, &len) == 0)
		for (size_t i = 0; i < len; i++)
			if (!kind || mx_slice_is(rows[i].kind, kind))
				json_array_append_new(items, row_json(&rows[i]));
	if (len == limit)
		json_object_set_new(list, "next", number_text(rows[len - 1].id + 1));
	store_view_end(view);
	return list;
}

/* In a transaction of its own: what `change` does to the row. */
static int with_row(struct outbox *outbox, uint64_t id,
		    void (*change)(struct store_txn *txn, struct outbox_row *row),
		    struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_txn *txn = store_txn_begin(outbox->store);
	struct outbox_row row;
	int rc = outbox_db_get(txn, id, mem, &row);

	if (rc) {
		store_txn_abort(txn);
		return mx_fail(err, (enum mx_code) - rc, "There is no such item");
	}
	change(txn, &row);
	return store_txn_commit(txn, err);
}

static void make_due(struct store_txn *txn, struct outbox_row *row)
{
	row->due_ms = mx_now_ms();
	outbox_db_put(txn, row);
}

int outbox_hasten(struct outbox *outbox, uint64_t id, struct mx_error *err)
{
	return with_row(outbox, id, make_due, err);
}

int outbox_withdraw(struct outbox *outbox, uint64_t id, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct outbox_report report;
	struct store_txn *txn;
	struct outbox_row row;
	int rc;

	outbox_look(outbox, id, &report);
	if (report.stage == OUTBOX_SENDING)
		return mx_fail(err, MX_CONFLICT, "The item is being sent");
	txn = store_txn_begin(outbox->store);
	rc = outbox_db_get(txn, id, mem, &row);
	store_txn_abort(txn);
	if (rc)
		return mx_fail(err, (enum mx_code) - rc, "There is no such item");
	return outbox_end(outbox, &row, OUTBOX_WITHDRAWN, err);
}

void outbox_withdraw_in(struct store_txn *txn, uint64_t id)
{
	outbox_db_delete(txn, id);
}

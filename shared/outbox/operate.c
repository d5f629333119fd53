/* For the operator: to see what waits, to hasten it, to call it off. */
#include "shared/core/alloc.h"
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

int outbox_hasten_in(struct store_txn *txn, uint64_t id)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct outbox_row row;
	int rc = outbox_db_get(txn, id, mem, &row);

	if (rc)
		return rc;
	row.due_ms = mx_now_ms();
	outbox_db_put(txn, &row);
	return 0;
}

int outbox_hasten(struct outbox *outbox, uint64_t id, struct mx_error *err)
{
	struct store_txn *txn = store_txn_begin(outbox->store);
	int rc = outbox_hasten_in(txn, id);

	if (rc) {
		store_txn_abort(txn);
		return mx_fail(err, (enum mx_code) - rc, "There is no such item");
	}
	return store_txn_commit(txn, err);
}

int outbox_cancel_in(struct outbox *outbox, struct store_txn *txn, uint64_t id,
		     struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct outbox_report report;
	struct outbox_row row;
	int rc;

	outbox_look(outbox, id, &report);
	if (report.stage == OUTBOX_SENDING)
		return mx_fail(err, MX_CONFLICT, "The item is being sent");
	rc = outbox_db_get(txn, id, mem, &row);
	if (rc)
		return mx_fail(err, (enum mx_code) - rc, "There is no such item");
	outbox_will_end(outbox, id, OUTBOX_WITHDRAWN);
	outbox_end_in(outbox, txn, &row, OUTBOX_WITHDRAWN);
	return 0;
}

int outbox_withdraw(struct outbox *outbox, uint64_t id, struct mx_error *err)
{
	struct store_txn *txn = store_txn_begin(outbox->store);
	int rc = outbox_cancel_in(outbox, txn, id, err);

	if (rc == 0)
		return store_txn_commit(txn, err);
	store_txn_abort(txn);
	return rc;
}

void outbox_withdraw_in(struct store_txn *txn, uint64_t id)
{
	outbox_db_delete(txn, id);
}

struct visitor {
	void (*visit)(void *ctx, const struct outbox_item *item);
	void *ctx;
};

static void visit_row(void *ctx, const struct outbox_row *row)
{
	const struct visitor *visitor = ctx;
	mx_autofree char *kind = mx_strndup(row->kind.ptr, row->kind.len);
	const struct outbox_item item = {
		.id = row->id,
		.kind = kind,
		.lane = row->lane,
		.payload = row->payload,
		.attempts = row->attempts,
		.created_ms = row->created_ms,
	};

	visitor->visit(visitor->ctx, &item);
}

int outbox_each(struct outbox *outbox, void (*visit)(void *ctx, const struct outbox_item *item),
		void *ctx, struct mx_error *err)
{
	struct visitor visitor = { visit, ctx };

	return outbox_db_each(outbox->store, visit_row, &visitor, err);
}

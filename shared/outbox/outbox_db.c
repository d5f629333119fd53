#include "shared/outbox/outbox_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/each.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table outbox_table = { .name = "outbox", .large_values = true };

static struct store_key key_of(uint64_t id)
{
	struct store_key key = { 0 };

	store_key_u64(&key, id);
	return key;
}

static void write_row(const struct outbox_row *row, struct mx_str *out)
{
	record_begin(out, 1);
	record_put_bytes(out, row->kind);
	record_put_bytes(out, row->lane);
	record_put_i64(out, row->created_ms);
	record_put_i64(out, row->due_ms);
	record_put_u64(out, row->attempts);
	record_put_u64(out, row->past_return);
	record_put_bytes(out, row->why);
	record_put_bytes(out, row->payload);
}

bool outbox_id_read(struct mx_slice key, uint64_t *ret_id)
{
	return store_key_read_u64(&key, ret_id);
}

bool outbox_row_read(struct mx_slice key, struct mx_slice value, struct outbox_row *ret_row)
{
	struct record_reader reader = record_open(value);

	*ret_row = (struct outbox_row){ .kind = record_bytes(&reader) };
	ret_row->lane = record_bytes(&reader);
	ret_row->created_ms = record_i64(&reader);
	ret_row->due_ms = record_i64(&reader);
	ret_row->attempts = (unsigned)record_u64(&reader);
	ret_row->past_return = record_u64(&reader) != 0;
	ret_row->why = record_bytes(&reader);
	ret_row->payload = record_bytes(&reader);
	return record_ok(&reader) && outbox_id_read(key, &ret_row->id);
}

void outbox_db_put(struct store_txn *txn, const struct outbox_row *row)
{
	struct store_key key = key_of(row->id);
	mx_str_auto value = { 0 };

	write_row(row, &value);
	store_txn_put(txn, &outbox_table, store_key_slice(&key), mx_str_slice(&value));
}

void outbox_db_add(struct store_txn *txn, const struct outbox_row *row)
{
	struct store_key key = key_of(row->id);

	store_txn_expect_absent(txn, &outbox_table, store_key_slice(&key));
	outbox_db_put(txn, row);
}

void outbox_db_delete(struct store_txn *txn, uint64_t id)
{
	struct store_key key = key_of(id);

	store_txn_delete(txn, &outbox_table, store_key_slice(&key));
}

int outbox_db_get(struct store_txn *txn, uint64_t id, struct mx_arena *mem,
		  struct outbox_row *ret_row)
{
	struct store_key key = key_of(id);
	struct mx_slice value;
	int rc = store_txn_get(txn, &outbox_table, store_key_slice(&key), mem, &value);

	if (rc)
		return rc;
	return outbox_row_read(store_key_slice(&key), value, ret_row) ? 0 : -MX_STORE;
}

struct visitor {
	void (*visit)(void *ctx, const struct outbox_row *row);
	void *ctx;
};

static void visit_row(void *ctx, const struct store_row *stored)
{
	const struct visitor *visitor = ctx;
	struct outbox_row row;

	if (outbox_row_read(stored->key, stored->value, &row))
		visitor->visit(visitor->ctx, &row);
}

int outbox_db_each(struct store *store, void (*visit)(void *ctx, const struct outbox_row *row),
		   void *ctx, struct mx_error *err)
{
	struct visitor visitor = { visit, ctx };

	return store_each(store, &outbox_table, visit_row, &visitor, err);
}

int outbox_db_page(struct store_view *view, uint64_t from, size_t limit, struct mx_arena *mem,
		   struct outbox_row **ret_rows, size_t *ret_len)
{
	struct store_key key = key_of(from);
	struct store_rows stored;
	struct outbox_row *rows;
	size_t len = 0;
	int rc = store_scan(view, &outbox_table,
			    &(struct store_range){ .from = store_key_slice(&key), .limit = limit },
			    mem, &stored);

	if (rc)
		return rc;
	rows = mx_arena_calloc(mem, stored.len ? stored.len : 1, sizeof(*rows));
	for (size_t i = 0; i < stored.len; i++)
		len += outbox_row_read(stored.items[i].key, stored.items[i].value, &rows[len]);
	*ret_rows = rows;
	*ret_len = len;
	return 0;
}

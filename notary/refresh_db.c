#include "notary/refresh_db.h"

#include "notary/refresh.h"
#include "shared/store/each.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table refresh_table = { .name = "refresh" };

static void put_row(struct store_txn *txn, struct mx_slice server, const struct refresh_row *row)
{
	struct store_key key = { 0 };
	mx_str_auto value = { 0 };

	store_key_text(&key, server);
	if (!row->asked_day && !row->prefetch) {
		store_txn_delete(txn, &refresh_table, store_key_slice(&key));
		return;
	}
	record_begin(&value, 1);
	record_put_i64(&value, row->asked_day);
	record_put_u64(&value, row->prefetch);
	store_txn_put(txn, &refresh_table, store_key_slice(&key), mx_str_slice(&value));
}

int refresh_db_put(struct store *store, const struct mx_slice *servers,
		   const struct refresh_row *rows, size_t len, struct mx_error *err)
{
	struct store_txn *txn = store_txn_begin(store);

	for (size_t i = 0; i < len; i++)
		put_row(txn, servers[i], &rows[i]);
	return store_txn_commit(txn, err);
}

struct visitor {
	void (*visit)(void *ctx, struct mx_slice server, const struct refresh_row *row);
	void *ctx;
};

static void visit_row(void *ctx, const struct store_row *stored)
{
	const struct visitor *visitor = ctx;
	struct record_reader reader = record_open(stored->value);
	struct mx_slice rest = stored->key;
	struct refresh_row row;
	mx_str_auto server = { 0 };

	row.asked_day = record_i64(&reader);
	row.prefetch = record_u64(&reader) != 0;
	if (record_ok(&reader) && store_key_read_text(&rest, &server))
		visitor->visit(visitor->ctx, mx_str_slice(&server), &row);
}

int refresh_db_each(struct store *store,
		    void (*visit)(void *ctx, struct mx_slice server, const struct refresh_row *row),
		    void *ctx, struct mx_error *err)
{
	struct visitor visitor = { visit, ctx };

	return store_each(store, &refresh_table, visit_row, &visitor, err);
}

#include "shared/keys/key_backoff_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

/* (1 for addresses, name) */
const struct store_table key_backoff_table = { .name = "key_backoff" };

#define BATCH_ROWS 1000

static void put(struct store_txn *txn, const struct key_backoff_row *row)
{
	struct store_key key = { 0 };
	mx_str_auto value = { 0 };

	store_key_u64(&key, row->is_address);
	store_key_text(&key, row->name);
	record_begin(&value, 1);
	record_put_u64(&value, row->is_address);
	record_put_bytes(&value, row->name);
	record_put_i64(&value, row->until_ms);
	record_put_u64(&value, row->failures);
	store_txn_put(txn, &key_backoff_table, store_key_slice(&key), mx_str_slice(&value));
}

static void delete_all(struct store_txn *txn)
{
	struct store_key from = { 0 }, to = { 0 };

	store_key_u64(&from, 0);
	store_key_u64(&to, 2);
	store_txn_delete_range(txn, &key_backoff_table, store_key_slice(&from),
			       store_key_slice(&to));
}

bool key_backoff_decode(struct mx_slice value, struct key_backoff_row *ret_row)
{
	struct record_reader in = record_open(value);

	*ret_row = (struct key_backoff_row){ .is_address = record_u64(&in) != 0 };
	ret_row->name = record_bytes(&in);
	ret_row->until_ms = record_i64(&in);
	ret_row->failures = (unsigned)record_u64(&in);
	return record_ok(&in);
}

int key_backoff_db_save(struct store *store, const struct key_backoff_row *rows, size_t len,
			struct mx_error *err)
{
	size_t done = 0;

	do {
		struct store_txn *txn = store_txn_begin(store);
		size_t end = len - done > BATCH_ROWS ? done + BATCH_ROWS : len;
		int rc;

		if (done == 0)
			delete_all(txn);
		while (done < end)
			put(txn, &rows[done++]);
		rc = store_txn_commit(txn, err);
		if (rc)
			return rc;
	} while (done < len);
	return 0;
}

int key_backoff_db_load(struct store *store, size_t limit, struct mx_arena *mem,
			struct key_backoff_row **ret_rows, size_t *ret_len, struct mx_error *err)
{
	const struct store_range all = { .limit = limit };
	struct store_view *view = store_view_begin(store);
	struct key_backoff_row *found;
	struct store_rows rows;
	int rc = store_scan(view, &key_backoff_table, &all, mem, &rows);

	store_view_end(view);
	if (rc)
		return mx_fail(err, (enum mx_code) - rc, "The stored back-off cannot be read");
	found = mx_arena_calloc(mem, rows.len, sizeof(*found));
	for (size_t i = 0; i < rows.len; i++)
		if (!key_backoff_decode(rows.items[i].value, &found[i]))
			return mx_fail(err, MX_STORE, "A row of back-off is damaged");
	*ret_rows = found;
	*ret_len = rows.len;
	return 0;
}

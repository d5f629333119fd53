#include "homeserver/account/reap.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/store.h"

#include <string.h>

#define PAGE 500

struct reaping {
	struct store *store;
	const struct store_table *table;
	bool (*is_over)(struct mx_slice value, int64_t time_ms);
	int64_t time_ms;
	struct store_key from;
	size_t reaped;
};

static size_t delete_rows(struct reaping *reaping, struct store_txn *txn,
			  const struct store_rows *rows)
{
	size_t deleted = 0;

	for (size_t i = 0; i < rows->len; i++)
		if (reaping->is_over(rows->items[i].value, reaping->time_ms)) {
			store_txn_delete(txn, reaping->table, rows->items[i].key);
			deleted++;
		}
	return deleted;
}

/* The least key behind it. */
static void move_behind(struct store_key *from, struct mx_slice last)
{
	from->overflow = last.len >= sizeof(from->bytes);
	if (from->overflow)
		return;
	memcpy(from->bytes, last.ptr, last.len);
	from->bytes[last.len] = '\0';
	from->len = last.len + 1;
}

/* False at the end. */
static bool reap_page(struct reaping *reaping)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_range range = { .from = store_key_slice(&reaping->from), .limit = PAGE };
	struct store_txn *txn = store_txn_begin(reaping->store);
	struct store_rows rows;
	size_t deleted;

	if (store_txn_scan(txn, reaping->table, &range, mem, &rows)) {
		store_txn_abort(txn);
		return false;
	}
	deleted = delete_rows(reaping, txn, &rows);
	if (rows.len > 0)
		move_behind(&reaping->from, rows.items[rows.len - 1].key);
	/* What is lost to a conflict is found the next time. */
	if (store_txn_commit(txn, NULL) == 0)
		reaping->reaped += deleted;
	return rows.len == PAGE && !reaping->from.overflow;
}

size_t reap_table(struct store *store, const struct store_table *table,
		  bool (*is_over)(struct mx_slice value, int64_t time_ms), int64_t time_ms)
{
	struct reaping reaping = {
		.store = store,
		.table = table,
		.is_over = is_over,
		.time_ms = time_ms,
	};

	while (reap_page(&reaping))
		continue;
	return reaping.reaped;
}

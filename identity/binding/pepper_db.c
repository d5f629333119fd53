#include "identity/binding/pepper_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#include <stdio.h>

const struct store_table pepper_table = { .name = "pepper" };

enum pepper_kind { KIND_PEPPER, KIND_PROGRESS };

static struct store_key kind_key(enum pepper_kind kind)
{
	struct store_key key = { 0 };

	store_key_u64(&key, kind);
	return key;
}

static struct store_key pepper_key(uint64_t generation)
{
	struct store_key key = kind_key(KIND_PEPPER);

	store_key_u64(&key, generation);
	return key;
}

static int read_row(const struct store_row *stored, struct pepper_row *row)
{
	struct record_reader reader = record_open(stored->value);
	struct mx_slice text = record_bytes(&reader), rest = stored->key;
	uint64_t kind;

	snprintf(row->text, sizeof(row->text), "%.*s", MX_SLICE_ARG(text));
	row->state = (enum pepper_state)record_u64(&reader);
	row->since_ms = record_i64(&reader);
	if (!record_ok(&reader) || row->state > PEPPER_RETIRED)
		return -MX_STORE;
	if (!store_key_read_u64(&rest, &kind) || !store_key_read_u64(&rest, &row->generation))
		return -MX_STORE;
	return 0;
}

int pepper_db_list(struct store_txn *txn, struct mx_arena *mem, struct pepper_rows *ret_rows)
{
	struct store_key from = kind_key(KIND_PEPPER), end = kind_key(KIND_PEPPER + 1);
	const struct store_range range = {
		.from = store_key_slice(&from),
		.to = store_key_slice(&end),
		.limit = PEPPERS_MAX,
	};
	struct store_rows stored;
	int rc = store_txn_scan(txn, &pepper_table, &range, mem, &stored);

	ret_rows->len = 0;
	for (size_t i = 0; rc == 0 && i < stored.len; i++)
		rc = read_row(&stored.items[i], &ret_rows->items[ret_rows->len++]);
	return rc;
}

void pepper_db_put(struct store_txn *txn, const struct pepper_row *row)
{
	struct store_key key = pepper_key(row->generation);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice(row->text));
	record_put_u64(&value, row->state);
	record_put_i64(&value, row->since_ms);
	store_txn_put(txn, &pepper_table, store_key_slice(&key), mx_str_slice(&value));
}

void pepper_db_delete(struct store_txn *txn, uint64_t generation)
{
	struct store_key key = pepper_key(generation);

	store_txn_delete(txn, &pepper_table, store_key_slice(&key));
}

int pepper_db_progress(struct store_txn *txn, struct mx_arena *mem,
		       struct pepper_progress *ret_progress)
{
	struct store_key key = kind_key(KIND_PROGRESS);
	struct record_reader reader;
	struct mx_slice value;
	int rc = store_txn_get(txn, &pepper_table, store_key_slice(&key), mem, &value);

	*ret_progress = (struct pepper_progress){ 0 };
	if (rc == -MX_NOT_FOUND)
		return 0;
	if (rc)
		return rc;
	reader = record_open(value);
	ret_progress->from = record_bytes(&reader);
	ret_progress->listed = record_u64(&reader) != 0;
	return record_ok(&reader) ? 0 : -MX_STORE;
}

void pepper_db_put_progress(struct store_txn *txn, const struct pepper_progress *progress)
{
	struct store_key key = kind_key(KIND_PROGRESS);
	mx_str_auto value = { 0 };

	if (progress->from.len == 0 && !progress->listed) {
		store_txn_delete(txn, &pepper_table, store_key_slice(&key));
		return;
	}
	record_begin(&value, 1);
	record_put_bytes(&value, progress->from);
	record_put_u64(&value, progress->listed);
	store_txn_put(txn, &pepper_table, store_key_slice(&key), mx_str_slice(&value));
}

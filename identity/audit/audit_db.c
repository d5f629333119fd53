#include "identity/audit/audit_db.h"

#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"
#include "shared/store/store_reader.h"

/* (time, random number) → entry */
const struct store_table audit_table = { .name = "audit" };
const struct store_table audit_key_table = { .name = "audit_key" };

static struct store_key time_key(int64_t at_ms)
{
	struct store_key key = { 0 };

	store_key_i64(&key, at_ms);
	return key;
}

static void put_text(struct mx_str *out, const char *text)
{
	record_put_bytes(out, mx_slice(text ? text : ""));
}

void audit_db_add(struct store_txn *txn, const struct audit_entry *entry)
{
	struct store_key key = time_key(entry->at_ms);
	mx_str_auto value = { 0 };
	uint64_t random;

	mx_random_bytes(&random, sizeof(random));
	store_key_u64(&key, random);
	record_begin(&value, 1);
	put_text(&value, entry->who);
	put_text(&value, entry->what);
	put_text(&value, entry->reason);
	put_text(&value, entry->threepid);
	put_text(&value, entry->user);
	put_text(&value, entry->thing);
	store_txn_put(txn, &audit_table, store_key_slice(&key), mx_str_slice(&value));
}

static int read_row(const struct store_row *row, struct mx_arena *mem, struct audit_entry *entry)
{
	struct record_reader reader = record_open(row->value);
	struct mx_slice key = row->key;

	entry->who = record_text(&reader, mem);
	entry->what = record_text(&reader, mem);
	entry->reason = record_text(&reader, mem);
	entry->threepid = record_text(&reader, mem);
	entry->user = record_text(&reader, mem);
	entry->thing = record_text(&reader, mem);
	return store_key_read_i64(&key, &entry->at_ms) && record_ok(&reader) ? 0 : -MX_STORE;
}

int audit_db_list(const struct identity_call *call, int64_t since_ms, const struct page *page,
		  struct audit_list *ret_list)
{
	const struct store_key from = time_key(since_ms), to = time_key(INT64_MAX);
	struct store_range range = {
		.from = store_key_slice(&from),
		.to = store_key_slice(&to),
		.reverse = true,
	};
	const struct store_reader reader = reader_of(call);
	struct store_rows rows;
	int rc;

	page_narrow(page, &range, call->mem);
	rc = store_reader_scan(&reader, &audit_table, &range, &rows);
	if (rc)
		return rc;
	ret_list->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_list->items));
	ret_list->len = rows.len;
	ret_list->next = page_next(page, &rows);
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = read_row(&rows.items[i], call->mem, &ret_list->items[i]);
	return rc;
}

size_t audit_db_delete(struct store_txn *txn, int64_t before_ms, size_t limit, struct mx_arena *mem)
{
	const struct store_key to = time_key(before_ms);
	const struct store_range range = { .to = store_key_slice(&to), .limit = limit };
	struct store_rows rows;

	if (store_txn_scan(txn, &audit_table, &range, mem, &rows))
		return 0;
	for (size_t i = 0; i < rows.len; i++)
		store_txn_delete(txn, &audit_table, rows.items[i].key);
	return rows.len;
}

/* ---- the key */

int audit_db_load_key(struct store_txn *txn, struct mx_arena *mem, uint8_t ret_key[AUDIT_KEY_LEN])
{
	struct record_reader reader;
	struct mx_slice value, bytes;
	int rc = store_txn_get(txn, &audit_key_table, MX_SLICE("key"), mem, &value);

	if (rc)
		return rc;
	reader = record_open(value);
	bytes = record_bytes(&reader);
	if (!record_ok(&reader) || bytes.len != AUDIT_KEY_LEN)
		return -MX_STORE;
	memcpy(ret_key, bytes.ptr, AUDIT_KEY_LEN);
	return 0;
}

void audit_db_put_key(struct store_txn *txn, const uint8_t key[AUDIT_KEY_LEN])
{
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice_of(key, AUDIT_KEY_LEN));
	store_txn_put(txn, &audit_key_table, MX_SLICE("key"), mx_str_slice(&value));
}

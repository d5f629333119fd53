#include "identity/binding/lookup_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table lookup_table = { .name = "lookup" };

/* Numbers, not text: all keys are 40 bytes, and nothing in them is escaped. */
static struct store_key hash_key(uint64_t generation, const uint8_t hash[LOOKUP_HASH_LEN])
{
	struct store_key key;
	uint64_t part;

	key.len = 0;
	key.overflow = false;
	store_key_u64(&key, generation);
	for (size_t i = 0; i < LOOKUP_HASH_LEN; i += sizeof(part)) {
		memcpy(&part, hash + i, sizeof(part));
		store_key_u64(&key, part);
	}
	return key;
}

void lookup_db_put(struct store_txn *txn, uint64_t generation, const uint8_t hash[LOOKUP_HASH_LEN],
		   const struct lookup_entry *entry)
{
	struct store_key key = hash_key(generation, hash);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice(entry->user_id));
	if (entry->not_before_ms || entry->not_after_ms) {
		record_put_i64(&value, entry->not_before_ms);
		record_put_i64(&value, entry->not_after_ms);
	}
	store_txn_put(txn, &lookup_table, store_key_slice(&key), mx_str_slice(&value));
}

void lookup_db_delete(struct store_txn *txn, uint64_t generation,
		      const uint8_t hash[LOOKUP_HASH_LEN])
{
	struct store_key key = hash_key(generation, hash);

	store_txn_delete(txn, &lookup_table, store_key_slice(&key));
}

static int read_entry(struct mx_slice value, struct mx_arena *mem, struct lookup_entry *ret_entry)
{
	struct record_reader reader = record_open(value);
	struct mx_slice user = record_bytes(&reader);

	*ret_entry = (struct lookup_entry){
		.user_id = mx_arena_strndup(mem, user.ptr ? user.ptr : "", user.len),
		.not_before_ms = record_i64(&reader),
		.not_after_ms = record_i64(&reader),
	};
	return record_ok(&reader) ? 0 : -MX_STORE;
}

bool lookup_db_read(struct mx_slice key, struct mx_slice value, struct mx_arena *mem,
		    struct lookup_row *ret_row)
{
	uint64_t part;

	if (!store_key_read_u64(&key, &ret_row->generation))
		return false;
	for (size_t i = 0; i < LOOKUP_HASH_LEN; i += sizeof(part)) {
		if (!store_key_read_u64(&key, &part))
			return false;
		memcpy(ret_row->hash + i, &part, sizeof(part));
	}
	ret_row->entry = (struct lookup_entry){ 0 };
	return !value.ptr || read_entry(value, mem, &ret_row->entry) == 0;
}

int lookup_db_get_many(struct store_view *view, const struct lookup_hashes *hashes,
		       struct mx_arena *mem, struct lookup_entry *ret_entries)
{
	struct mx_slice *keys = mx_arena_alloc(mem, (hashes->len + 1) * sizeof(*keys));
	struct mx_slice *values = mx_arena_alloc(mem, (hashes->len + 1) * sizeof(*values));
	const struct store_keys list = { keys, hashes->len };
	int rc;

	for (size_t i = 0; i < hashes->len; i++) {
		struct store_key key = hash_key(hashes->generation, hashes->items[i]);

		keys[i] = mx_arena_slice(mem, store_key_slice(&key));
	}
	rc = store_get_many(view, &lookup_table, &list, mem, values);
	for (size_t i = 0; rc == 0 && i < hashes->len; i++) {
		ret_entries[i] = (struct lookup_entry){ 0 };
		if (values[i].ptr)
			rc = read_entry(values[i], mem, &ret_entries[i]);
	}
	return rc;
}

int lookup_db_drop(struct store_txn *txn, uint64_t generation, size_t limit, struct mx_arena *mem,
		   size_t *ret_deleted)
{
	struct store_key from = { 0 }, end = { 0 };
	struct store_range range = { .limit = limit };
	struct store_rows rows;
	int rc;

	store_key_u64(&from, generation);
	store_key_range_end(&from, &end);
	range.from = store_key_slice(&from);
	range.to = store_key_slice(&end);
	rc = store_txn_scan(txn, &lookup_table, &range, mem, &rows);
	if (rc)
		return rc;
	for (size_t i = 0; i < rows.len; i++)
		store_txn_delete(txn, &lookup_table, rows.items[i].key);
	*ret_deleted = rows.len;
	return 0;
}

#include "identity/binding/listed_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table listed_table = { .name = "listed" };

static const char *keep_text(struct mx_arena *mem, struct mx_slice text)
{
	return mx_arena_strndup(mem, text.ptr ? text.ptr : "", text.len);
}

static int read_record(struct mx_slice value, struct mx_arena *mem, struct listed *listed)
{
	struct record_reader reader = record_open(value);

	listed->user_id = keep_text(mem, record_bytes(&reader));
	listed->source = keep_text(mem, record_bytes(&reader));
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int listed_db_load(const struct store_reader *reader, const struct threepid *threepid,
		   struct listed *ret_listed)
{
	struct store_key key = binding_db_key(threepid);
	struct listed listed = { 0 };
	struct mx_slice value;
	int rc = store_reader_get(reader, &listed_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	listed.threepid = (struct threepid){
		.medium = mx_arena_strdup(reader->mem, threepid->medium),
		.address = mx_arena_strdup(reader->mem, threepid->address),
	};
	rc = read_record(value, reader->mem, &listed);
	if (rc == 0)
		*ret_listed = listed;
	return rc;
}

void listed_db_put(struct store_txn *txn, const struct listed *listed)
{
	struct store_key key = binding_db_key(&listed->threepid);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice(listed->user_id));
	record_put_bytes(&value, mx_slice(listed->source));
	store_txn_put(txn, &listed_table, store_key_slice(&key), mx_str_slice(&value));
}

void listed_db_delete(struct store_txn *txn, const struct threepid *threepid)
{
	struct store_key key = binding_db_key(threepid);

	store_txn_delete(txn, &listed_table, store_key_slice(&key));
}

static int read_row(const struct store_row *row, struct mx_arena *mem, struct listed *listed)
{
	if (!binding_db_read_key(row->key, mem, &listed->threepid))
		return -MX_STORE;
	return read_record(row->value, mem, listed);
}

int listed_page(struct store_txn *txn, struct mx_slice after, size_t limit, struct mx_arena *mem,
		struct listed_page *ret_page)
{
	const struct store_range range = { .from = after, .limit = limit };
	struct listed_page page = { 0 };
	struct store_rows rows;
	int rc = store_txn_scan(txn, &listed_table, &range, mem, &rows);

	if (rc)
		return rc;
	page.items = mx_arena_calloc(mem, rows.len + 1, sizeof(*page.items));
	page.len = rows.len;
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = read_row(&rows.items[i], mem, &page.items[i]);
	if (rc)
		return rc;
	if (rows.len == limit)
		page.next = binding_db_key_after(mem, rows.items[rows.len - 1].key);
	*ret_page = page;
	return 0;
}

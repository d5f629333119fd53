#include "homeserver/room/block_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

/* room id → since, reason */
static const struct store_table block_table = { .name = "room_block" };

const struct store_table *const block_tables[] = { &block_table, NULL };

static struct store_key key_of(const char *room_id)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(room_id));
	return key;
}

static int decode(struct mx_slice value, struct mx_arena *mem, struct room_block *ret_block)
{
	struct record_reader in = record_open(value);
	struct room_block block = { .since_ms = record_i64(&in) };

	block.reason = mx_arena_slice(mem, record_bytes(&in)).ptr;
	if (!record_ok(&in))
		return -MX_STORE;
	*ret_block = block;
	return 0;
}

int block_db_load(const struct hs_call *call, const char *room_id, struct room_block *ret_block)
{
	const struct store_key key = key_of(room_id);
	struct mx_slice value;
	int rc = call_get(call, &block_table, store_key_slice(&key), &value);

	if (rc || !ret_block)
		return rc;
	rc = decode(value, call->mem, ret_block);
	ret_block->room_id = mx_arena_strdup(call->mem, room_id);
	return rc;
}

static int decode_row(const struct hs_call *call, const struct store_row *row,
		      struct room_block *ret_block)
{
	struct mx_slice rest = row->key, room_id;
	int rc = decode(row->value, call->mem, ret_block);

	if (rc || !store_key_load_text(&rest, call->mem, &room_id))
		return -MX_STORE;
	ret_block->room_id = room_id.ptr;
	return 0;
}

int block_db_list(const struct hs_call *call, const char *after, size_t limit,
		  struct room_block_list *ret_list)
{
	struct store_key from = { 0 };
	struct store_range range = { .limit = limit };
	struct store_rows rows;
	int rc;

	if (*after) {
		struct store_key key = key_of(after);

		store_key_range_end(&key, &from);
	}
	range.from = store_key_slice(&from);
	rc = call_scan(call, &block_table, &range, &rows);
	if (rc)
		return rc;
	ret_list->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_list->items));
	ret_list->len = rows.len;
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = decode_row(call, &rows.items[i], &ret_list->items[i]);
	return rc;
}

void block_db_put(const struct hs_call *call, const struct room_block *block)
{
	const struct store_key key = key_of(block->room_id);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_i64(&value, block->since_ms);
	record_put_bytes(&value, mx_slice(block->reason));
	store_txn_put(call->txn, &block_table, store_key_slice(&key), mx_str_slice(&value));
}

void block_db_delete(const struct hs_call *call, const char *room_id)
{
	const struct store_key key = key_of(room_id);

	store_txn_delete(call->txn, &block_table, store_key_slice(&key));
}

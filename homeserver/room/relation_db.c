#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/room_tables.h"
#include "homeserver/room_key.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table relation_table = { .name = "relation" };
const struct store_table redaction_table = { .name = "redaction" };

/* A row stands under its type, and under the empty one, where all of the parent are in the order
 * of arrival. */
static const struct mx_slice any_type = { "", 0 };

static struct store_key relation_key(uint32_t room, struct mx_slice parent_id, struct mx_slice type)
{
	struct store_key key = room_key(room);

	store_key_text(&key, parent_id);
	store_key_text(&key, type);
	return key;
}

static struct store_key row_key(uint32_t room, struct mx_slice parent_id, struct mx_slice type,
				int64_t rseq)
{
	struct store_key key = relation_key(room, parent_id, type);

	store_key_i64(&key, rseq);
	return key;
}

void relation_db_add(struct store_txn *txn, uint32_t room, struct mx_slice parent_id,
		     const struct relation_row *row)
{
	struct store_key key = row_key(room, parent_id, row->type, row->rseq);
	mx_str_auto value = { 0 };

	if (key.overflow || row->type.len == 0)
		return;
	record_begin(&value, 1);
	record_put_u64(&value, row->event);
	record_put_bytes(&value, row->type);
	record_put_bytes(&value, row->event_type);
	record_put_bytes(&value, row->sender);
	record_put_bytes(&value, row->key);
	store_txn_put(txn, &relation_table, store_key_slice(&key), mx_str_slice(&value));
	key = row_key(room, parent_id, any_type, row->rseq);
	store_txn_put(txn, &relation_table, store_key_slice(&key), mx_str_slice(&value));
}

void relation_db_remove(struct store_txn *txn, uint32_t room, struct mx_slice parent_id,
			struct mx_slice type, int64_t rseq)
{
	struct store_key key = row_key(room, parent_id, type, rseq);

	if (key.overflow)
		return;
	store_txn_delete(txn, &relation_table, store_key_slice(&key));
	key = row_key(room, parent_id, any_type, rseq);
	store_txn_delete(txn, &relation_table, store_key_slice(&key));
}

/* prefix_len: of the keys, what stands before rseq. */
static int read_row(const struct store_row *row, size_t prefix_len, struct relation_row *ret_row)
{
	struct mx_slice rest = mx_slice_of(row->key.ptr + prefix_len, row->key.len - prefix_len);
	struct record_reader reader = record_open(row->value);

	ret_row->event = (uint32_t)record_u64(&reader);
	ret_row->type = record_bytes(&reader);
	ret_row->event_type = record_bytes(&reader);
	ret_row->sender = record_bytes(&reader);
	ret_row->key = record_bytes(&reader);
	if (!store_key_read_i64(&rest, &ret_row->rseq) || !record_ok(&reader))
		return -MX_STORE;
	return 0;
}

static int read_rows(const struct store_rows *rows, size_t prefix_len, struct mx_arena *mem,
		     struct relation_list *ret_list)
{
	struct relation_list list = { mx_arena_calloc(mem, rows->len + 1, sizeof(*list.items)),
				      rows->len };

	for (size_t i = 0; i < rows->len; i++)
		if (read_row(&rows->items[i], prefix_len, &list.items[i]))
			return -MX_STORE;
	*ret_list = list;
	return 0;
}

int relation_db_list(const struct hs_call *call, uint32_t room, struct mx_slice parent_id,
		     struct mx_slice type, const struct timeline_range *range,
		     struct relation_list *ret_list)
{
	struct store_key prefix = relation_key(room, parent_id, type), from = prefix, to = prefix;
	struct store_range keys = { .limit = range->limit, .reverse = range->reverse };
	struct store_rows rows = { 0 };
	int rc;

	if (prefix.overflow || range->after >= range->before) {
		*ret_list = (struct relation_list){ 0 };
		return 0;
	}
	store_key_i64(&from, range->after + 1);
	store_key_i64(&to, range->before);
	keys.from = store_key_slice(&from);
	keys.to = store_key_slice(&to);
	rc = call_scan(call, &relation_table, &keys, &rows);
	return rc ? rc : read_rows(&rows, prefix.len, call->mem, ret_list);
}

/* ---- redactions without what they redact */

static struct store_key redaction_key(uint32_t room, struct mx_slice event_id)
{
	struct store_key key = room_key(room);

	store_key_text(&key, event_id);
	return key;
}

void redaction_db_wait(struct store_txn *txn, uint32_t room, struct mx_slice event_id,
		       uint32_t redaction)
{
	struct store_key key = redaction_key(room, event_id);
	mx_str_auto value = { 0 };

	if (key.overflow)
		return; /* no event has such an id */
	record_begin(&value, 1);
	record_put_u64(&value, redaction);
	store_txn_put(txn, &redaction_table, store_key_slice(&key), mx_str_slice(&value));
}

int redaction_db_waiting(const struct hs_call *call, uint32_t room, struct mx_slice event_id,
			 uint32_t *ret_redaction)
{
	struct store_key key = redaction_key(room, event_id);
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_find(call, &redaction_table, &key, &value);

	if (rc)
		return rc;
	reader = record_open(value);
	*ret_redaction = (uint32_t)record_u64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

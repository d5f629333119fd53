#include "homeserver/ephemeral/receipts_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

static const struct store_table receipt_table = { .name = "receipt" };
static const struct store_table receipt_log_table = { .name = "receipt_log" };

const struct store_table *const receipt_tables[] = {
	&receipt_table,
	&receipt_log_table,
	NULL,
};

static struct store_key room_key(uint32_t room)
{
	struct store_key key = { 0 };

	store_key_u64(&key, room);
	return key;
}

/* The user first: all marks of one lie together. */
static void mark_key(struct store_key *key, const struct receipt *receipt)
{
	store_key_text(key, receipt->user_id);
	store_key_text(key, receipt->type);
	store_key_text(key, receipt->thread_id);
}

static bool read_mark_key(struct mx_slice *rest, struct mx_arena *mem, struct receipt *receipt)
{
	return store_key_load_text(rest, mem, &receipt->user_id) &&
	       store_key_load_text(rest, mem, &receipt->type) &&
	       store_key_load_text(rest, mem, &receipt->thread_id);
}

/* ---- values: the same in both tables */

static size_t put_value(struct mx_str *out, const struct receipt *receipt)
{
	size_t at;

	record_begin(out, 1);
	at = record_put_stamp(out);
	record_put_bytes(out, receipt->event_id);
	record_put_i64(out, receipt->ts);
	record_put_i64(out, receipt->rseq);
	return at;
}

static int read_value(struct mx_slice value, struct receipt *receipt)
{
	struct record_reader reader = record_open(value);

	receipt->position = record_stamp(&reader);
	receipt->event_id = record_bytes(&reader);
	receipt->ts = record_i64(&reader);
	receipt->rseq = record_i64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int receipts_db_load(const struct hs_call *call, uint32_t room, const struct receipt *which,
		     struct receipt *ret_receipt)
{
	struct store_key key = room_key(room);
	struct mx_slice value;
	int rc;

	mark_key(&key, which);
	rc = call_get(call, &receipt_table, store_key_slice(&key), &value);
	if (rc)
		return rc;
	*ret_receipt = *which;
	return read_value(value, ret_receipt);
}

static void drop_log(struct store_txn *txn, uint32_t room, const struct receipt *receipt,
		     uint64_t position)
{
	struct store_key key = room_key(room);

	store_key_known_stamp(&key, position);
	mark_key(&key, receipt);
	store_txn_delete(txn, &receipt_log_table, store_key_slice(&key));
}

static void put_log(struct store_txn *txn, uint32_t room, const struct receipt *receipt)
{
	struct store_key key = room_key(room);
	struct store_stamp_at at = { .key_at = store_key_stamp(&key) };
	mx_str_auto value = { 0 };

	mark_key(&key, receipt);
	at.value_at = put_value(&value, receipt);
	store_txn_put_stamped(txn, &receipt_log_table, store_key_slice(&key), mx_str_slice(&value),
			      &at);
}

void receipts_db_put(struct store_txn *txn, uint32_t room, const struct receipt *receipt,
		     uint64_t old_position)
{
	struct store_key key = room_key(room);
	struct store_stamp_at at = { .key_at = STORE_NO_STAMP };
	mx_str_auto value = { 0 };

	if (old_position)
		drop_log(txn, room, receipt, old_position);
	mark_key(&key, receipt);
	at.value_at = put_value(&value, receipt);
	store_txn_put_stamped(txn, &receipt_table, store_key_slice(&key), mx_str_slice(&value),
			      &at);
	put_log(txn, room, receipt);
}

/* ---- lists */

static int read_row(const struct store_row *row, bool logged, struct mx_arena *mem,
		    struct receipt *receipt)
{
	struct mx_slice rest = row->key;
	uint64_t room, stamp;

	if (!store_key_read_u64(&rest, &room) || (logged && !store_key_read_stamp(&rest, &stamp)) ||
	    !read_mark_key(&rest, mem, receipt))
		return -MX_STORE;
	return read_value(row->value, receipt);
}

static int list(const struct hs_call *call, const struct store_key *from,
		const struct store_key *to, bool logged, struct receipt_list *ret_list)
{
	const struct store_range range = { store_key_slice(from), store_key_slice(to),
					   RECEIPTS_LIST_MAX, false };
	const struct store_table *table = logged ? &receipt_log_table : &receipt_table;
	struct store_rows rows;
	int rc = call_scan(call, table, &range, &rows);

	if (rc)
		return rc;
	ret_list->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_list->items));
	ret_list->len = rows.len;
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = read_row(&rows.items[i], logged, call->mem, &ret_list->items[i]);
	return rc;
}

int receipts_db_list(const struct hs_call *call, uint32_t room, struct receipt_list *ret_list)
{
	struct store_key from = room_key(room), to;

	store_key_range_end(&from, &to);
	return list(call, &from, &to, false, ret_list);
}

int receipts_db_log(const struct hs_call *call, uint32_t room, uint64_t after,
		    struct receipt_list *ret_list)
{
	struct store_key from = room_key(room), to;

	store_key_range_end(&from, &to);
	store_key_known_stamp(&from, after + 1);
	return list(call, &from, &to, true, ret_list);
}

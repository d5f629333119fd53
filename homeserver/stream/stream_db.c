#include "homeserver/stream/stream_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/vec.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1
#define TRIM_ONCE      500 /* positions: nobody waits long for the commit */
#define REST_ROWS      100

enum { FLAG_PRIVATE = 1 };

const struct store_table stream_log_table = { .name = "log" };
const struct store_table *const stream_tables[] = { &stream_log_table, NULL };

/* ---- a row: position and number within the transaction → the entry */

static void entry_format(struct mx_str *out, const struct stream_entry *entry)
{
	record_begin(out, RECORD_VERSION);
	record_put_u64(out, entry->kind);
	record_put_u64(out, entry->room);
	record_put_i64(out, entry->rseq);
	record_put_bytes(out, entry->user);
	record_put_u64(out, entry->membership);
	record_put_u64(out, entry->is_private ? FLAG_PRIVATE : 0);
}

void stream_note(struct store_txn *txn, const struct stream_entry *entry)
{
	struct store_key key = { 0 };
	mx_str_auto value = { 0 };
	struct store_stamp_at at = { .value_at = STORE_NO_STAMP };

	at.key_at = store_key_stamp(&key);
	store_key_u64(&key, store_txn_serial(txn));
	entry_format(&value, entry);
	store_txn_put_stamped(txn, &stream_log_table, store_key_slice(&key), mx_str_slice(&value),
			      &at);
}

bool stream_db_read(struct mx_slice key, struct mx_slice value, struct stream_row *ret_row)
{
	struct record_reader reader = record_open(value);
	struct stream_entry *entry = &ret_row->entry;

	*ret_row = (struct stream_row){ 0 };
	entry->kind = (enum stream_kind)record_u64(&reader);
	entry->room = (uint32_t)record_u64(&reader);
	entry->rseq = record_i64(&reader);
	entry->user = record_bytes(&reader);
	entry->membership = (enum membership)record_u64(&reader);
	entry->is_private = record_u64(&reader) & FLAG_PRIVATE;
	return record_ok(&reader) && store_key_read_stamp(&key, &ret_row->position);
}

/* ---- following */

struct row_vec mx_vec(struct stream_row);

/* The log's keys from one position to another. */
struct bounds {
	struct store_key from, to;
};

static struct bounds bounds_of(uint64_t from, uint64_t to)
{
	struct bounds bounds = { 0 };

	store_key_known_stamp(&bounds.from, from);
	store_key_known_stamp(&bounds.to, to);
	return bounds;
}

/* Empty values: transactions that have a position and noted nothing. */
static int rows_add(struct row_vec *vec, const struct store_rows *rows)
{
	for (size_t i = 0; i < rows->len; i++) {
		struct stream_row row;

		if (rows->items[i].value.len == 0)
			continue;
		if (!stream_db_read(rows->items[i].key, rows->items[i].value, &row))
			return -MX_STORE;
		mx_vec_push(vec, row);
	}
	return 0;
}

struct scan {
	const struct hs_call *call;
	struct row_vec vec;
	uint64_t position, serial; /* of the last row */
	bool complete; /* there was no more */
};

static int scan_range(struct scan *scan, const struct store_range *range)
{
	struct store_rows rows = { 0 };
	int rc = call_scan(scan->call, &stream_log_table, range, &rows);
	struct mx_slice key;

	if (rc)
		return rc;
	scan->complete = rows.len < range->limit;
	if (rows.len == 0)
		return 0;
	key = rows.items[rows.len - 1].key;
	if (!store_key_read_stamp(&key, &scan->position))
		return -MX_STORE;
	if (!store_key_read_u64(&key, &scan->serial))
		scan->serial = 0;
	return rows_add(&scan->vec, &rows);
}

/* What is left of the position that the limit cut through. */
static int scan_rest(struct scan *scan)
{
	int rc = 0;

	while (rc == 0 && !scan->complete) {
		struct bounds bounds = bounds_of(scan->position, scan->position + 1);

		store_key_u64(&bounds.from, scan->serial + 1);
		rc = scan_range(scan, &(struct store_range){
					      .from = store_key_slice(&bounds.from),
					      .to = store_key_slice(&bounds.to),
					      .limit = REST_ROWS,
				      });
	}
	return rc;
}

int stream_db_scan(const struct hs_call *call, uint64_t after, size_t limit,
		   struct stream_rows *ret_rows)
{
	const struct bounds bounds = bounds_of(after + 1, UINT64_MAX);
	struct scan scan = { .call = call, .position = after };
	int rc = scan_range(&scan, &(struct store_range){
					   .from = store_key_slice(&bounds.from),
					   .limit = limit,
				   });

	if (rc == 0)
		rc = scan_rest(&scan);
	if (rc == 0) {
		ret_rows->items = mx_arena_calloc(call->mem, scan.vec.len,
						  sizeof(*ret_rows->items));
		for (size_t i = 0; i < scan.vec.len; i++)
			ret_rows->items[i] = scan.vec.items[i];
		ret_rows->len = scan.vec.len;
		ret_rows->position = scan.position;
	}
	mx_vec_done(&scan.vec);
	return rc;
}

/* ---- trimming */

static int position_at(struct store_view *view, bool reverse, uint64_t *ret_position)
{
	const struct store_range range = { .limit = 1, .reverse = reverse };
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_rows rows = { 0 };
	int rc = store_scan(view, &stream_log_table, &range, mem, &rows);

	if (rc == 0 && rows.len == 0)
		rc = -MX_NOT_FOUND;
	if (rc == 0 && !store_key_read_stamp(&rows.items[0].key, ret_position))
		rc = -MX_STORE;
	return rc;
}

static bool log_span(struct store *store, uint64_t *ret_first, uint64_t *ret_last)
{
	struct store_view *view = store_view_begin(store);
	int rc = position_at(view, false, ret_first);

	if (rc == 0)
		rc = position_at(view, true, ret_last);
	store_view_end(view);
	return rc == 0;
}

static int trim_once(struct store *store, uint64_t from, uint64_t to)
{
	const struct bounds bounds = bounds_of(from, to);
	struct store_txn *txn = store_txn_begin(store);

	store_txn_delete_range(txn, &stream_log_table, store_key_slice(&bounds.from),
			       store_key_slice(&bounds.to));
	return store_txn_commit(txn, NULL);
}

size_t stream_db_trim(struct store *store, uint64_t kept)
{
	uint64_t first, last, begin;
	int rc = 0;

	kept = kept ? kept : 1; /* the last one stays */
	if (!log_span(store, &begin, &last) || last < kept)
		return 0;
	for (first = begin; rc == 0 && first <= last - kept;) {
		uint64_t to = last - kept + 1;

		to = to - first > TRIM_ONCE ? first + TRIM_ONCE : to;
		rc = trim_once(store, first, to);
		if (rc == 0)
			first = to;
	}
	return first - begin;
}

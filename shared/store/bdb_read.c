#include "shared/store/bdb.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"

/* A reader that was chosen to break a deadlock starts over: the writing thread never loses. */
#define DEADLOCK_TRIES_MAX 1000
#define SMALL_VALUE        2048
#define BULK_ROWS_MIN      8
#define BULK_BYTES_MIN     (64u * 1024)
#define BULK_BYTES_MAX     (256u * 1024)
#define BULK_ROW_GUESS     512

void store_bdb_buffer_done(struct bdb_buffer *buffer)
{
	mx_free(buffer->ptr);
	*buffer = (struct bdb_buffer){ 0 };
}

/* Room for what did not fit. */
static void buffer_grow(struct bdb_buffer *buffer, uint32_t need)
{
	uint32_t cap = buffer->cap ? buffer->cap : 4096;

	while (cap < need)
		cap *= 2;
	mx_free(buffer->ptr);
	buffer->ptr = mx_alloc(cap);
	buffer->cap = cap;
}

/* The library takes lengths of 32 bits; keys and values are far below. It does not write through
 * these pointers. */
DBT store_bdb_in(struct mx_slice bytes)
{
	DBT dbt = {
		.data = (void *)(uintptr_t)bytes.ptr,
		.size = (uint32_t)bytes.len,
		.ulen = (uint32_t)bytes.len,
		.flags = DB_DBT_USERMEM,
	};

	return dbt;
}

static DBT out_of(const struct bdb_buffer *buffer)
{
	return (DBT){ .data = buffer->ptr, .ulen = buffer->cap, .flags = DB_DBT_USERMEM };
}

/* Outside a transaction rows are read as they are, not yet committed ones included: whoever reads
 * them asks store_versions for what they were. So no reader waits for the writer's locks. */
static uint32_t read_flags(const DB_TXN *txn)
{
	return txn ? 0 : DB_READ_UNCOMMITTED;
}

int store_bdb_row(DB *handle, DB_TXN *txn, struct mx_slice key, struct bdb_buffer *buffer,
		  struct mx_slice *ret_value)
{
	DBT in = store_bdb_in(key), out = out_of(buffer);
	int rc = handle->get(handle, txn, &in, &out, read_flags(txn));

	while (rc == DB_BUFFER_SMALL) {
		buffer_grow(buffer, out.size);
		out = out_of(buffer);
		rc = handle->get(handle, txn, &in, &out, read_flags(txn));
	}
	if (rc == 0)
		*ret_value = mx_slice_of(out.data, out.size);
	return rc;
}

/* ---- scans */

struct walk {
	const struct bdb_span *span;
	struct mx_arena *mem;
	struct store_row_list *rows;
	size_t limit; /* of rows->len */
	DBC *cursor;
	struct bdb_buffer buffer;
	bool ended;
	char key[STORE_KEY_MAX + 8]; /* a bound may be a key and one byte */
};

static bool walk_is_beyond(const struct walk *walk, struct mx_slice key)
{
	const struct store_range *range = walk->span->range;

	if (range->reverse)
		return mx_slice_cmp(key, range->from) < 0;
	return range->to.len && mx_slice_cmp(key, range->to) >= 0;
}

static void walk_add(struct walk *walk, struct mx_slice key, struct mx_slice value)
{
	if (walk->rows->len >= walk->limit || walk_is_beyond(walk, key)) {
		walk->ended = true;
		return;
	}
	mx_vec_push(walk->rows, (struct store_row){ mx_arena_slice(walk->mem, key),
						    mx_arena_slice(walk->mem, value) });
	walk->ended = walk->rows->len >= walk->limit;
}

/* The bound where the walk starts. */
static DBT walk_key(struct walk *walk)
{
	const struct store_range *range = walk->span->range;
	struct mx_slice start = range->reverse ? range->to : range->from;
	size_t len = start.len < sizeof(walk->key) ? start.len : sizeof(walk->key);

	if (len)
		memcpy(walk->key, start.ptr, len);
	return (DBT){
		.data = walk->key,
		.size = (uint32_t)len,
		.ulen = sizeof(walk->key),
		.flags = DB_DBT_USERMEM,
	};
}

/* One move of the cursor; a value that does not fit is asked for again, from the same start as
 * the library may have written the key already. */
static int walk_move(struct walk *walk, DBT *key, DBT *value, uint32_t how)
{
	int rc;

	for (;;) {
		*value = out_of(&walk->buffer);
		rc = walk->cursor->get(walk->cursor, key, value, how);
		if (rc != DB_BUFFER_SMALL)
			return rc;
		buffer_grow(&walk->buffer, value->size);
		*key = walk_key(walk);
	}
}

static int walk_steps(struct walk *walk, DBT *key, DBT *value, uint32_t how, int rc)
{
	while (rc == 0 && !walk->ended) {
		walk_add(walk, mx_slice_of(key->data, key->size),
			 mx_slice_of(value->data, value->size));
		if (!walk->ended)
			rc = walk_move(walk, key, value, how);
	}
	return rc;
}

static int walk_forward(struct walk *walk)
{
	DBT key = walk_key(walk), value;
	int rc = walk_move(walk, &key, &value, key.size ? DB_SET_RANGE : DB_FIRST);

	return walk_steps(walk, &key, &value, DB_NEXT, rc);
}

static int walk_backward(struct walk *walk)
{
	struct mx_slice to = walk->span->range->to;
	DBT key = walk_key(walk), value;
	int rc = to.len ? walk_move(walk, &key, &value, DB_SET_RANGE) : DB_NOTFOUND;

	if (rc == DB_NOTFOUND)
		rc = walk_move(walk, &key, &value, DB_LAST);
	else if (rc == 0)
		rc = walk_move(walk, &key, &value, DB_PREV);
	/* A row that came in between the two moves is not below `to`. */
	while (rc == 0 && to.len && mx_slice_cmp(mx_slice_of(key.data, key.size), to) >= 0)
		rc = walk_move(walk, &key, &value, DB_PREV);
	return walk_steps(walk, &key, &value, DB_PREV, rc);
}

static void walk_add_bulk(struct walk *walk, DBT *bulk)
{
	void *key, *value, *next;
	size_t key_len, value_len;

	DB_MULTIPLE_INIT(next, bulk);
	while (!walk->ended) {
		DB_MULTIPLE_KEY_NEXT(next, bulk, key, key_len, value, value_len);
		if (!next)
			return;
		walk_add(walk, mx_slice_of(key, key_len), mx_slice_of(value, value_len));
	}
}

/* Whole pages at a time: three times as fast as row by row. */
static int walk_bulk(struct walk *walk)
{
	DBT key = walk_key(walk), bulk;
	uint32_t how = key.size ? DB_SET_RANGE : DB_FIRST;
	size_t guess = (walk->limit - walk->rows->len) * BULK_ROW_GUESS;
	int rc;

	if (walk->buffer.cap < BULK_BYTES_MIN)
		buffer_grow(&walk->buffer, guess < BULK_BYTES_MIN   ? BULK_BYTES_MIN
					   : guess > BULK_BYTES_MAX ? BULK_BYTES_MAX
								    : (uint32_t)guess);
	for (;;) {
		rc = walk_move(walk, &key, &bulk, how | DB_MULTIPLE_KEY);
		if (rc)
			return rc;
		walk_add_bulk(walk, &bulk);
		if (walk->ended)
			return 0;
		how = DB_NEXT;
	}
}

static int walk_run(struct walk *walk)
{
	DB *handle = walk->span->handle;
	int rc = handle->cursor(handle, walk->span->txn, &walk->cursor,
				read_flags(walk->span->txn));
	int closed;

	if (rc)
		return rc;
	if (walk->span->range->reverse)
		rc = walk_backward(walk);
	else if (walk->limit - walk->rows->len < BULK_ROWS_MIN)
		rc = walk_forward(walk);
	else
		rc = walk_bulk(walk);
	closed = walk->cursor->close(walk->cursor);
	return rc && rc != DB_NOTFOUND ? rc : closed;
}

int store_bdb_rows(const struct bdb_span *span, struct mx_arena *mem, struct store_row_list *rows)
{
	struct walk walk = { .span = span, .mem = mem, .rows = rows };
	int rc;

	walk.limit = rows->len + span->range->limit;
	rc = walk_run(&walk);
	store_bdb_buffer_done(&walk.buffer);
	return rc;
}

/* ---- views */

static struct bdb *bdb_of(const struct store_engine_view *view)
{
	return (struct bdb *)view->engine;
}

static const struct store_snapshot *snapshot_of(const struct store_engine_view *view)
{
	return &((const struct bdb_view *)view)->snapshot;
}

struct store_engine_view *store_bdb_view_begin(struct store_engine *engine)
{
	struct bdb_view *view = mx_calloc(1, sizeof(*view));

	view->base.engine = engine;
	store_versions_view_begin(&((struct bdb *)engine)->versions, &view->snapshot);
	view->base.stamp = view->snapshot.stamp;
	return &view->base;
}

void store_bdb_view_end(struct store_engine_view *view)
{
	store_versions_view_end(&bdb_of(view)->versions, &((struct bdb_view *)view)->snapshot);
	mx_free(view);
}

static int read_failed(const struct bdb *bdb, const char *what, int rc)
{
	if (rc == DB_LOCK_DEADLOCK)
		return -MX_CONFLICT;
	store_bdb_fatal(bdb, what, rc);
}

static int row_into(DB *handle, struct mx_slice key, struct mx_arena *mem,
		    struct mx_slice *ret_value)
{
	char small[SMALL_VALUE];
	DBT in = store_bdb_in(key);
	DBT out = { .data = small, .ulen = sizeof(small), .flags = DB_DBT_USERMEM };
	int rc = handle->get(handle, NULL, &in, &out, DB_READ_UNCOMMITTED);

	if (rc == 0) {
		*ret_value = mx_arena_slice(mem, mx_slice_of(out.data, out.size));
		return 0;
	}
	while (rc == DB_BUFFER_SMALL) {
		out.ulen = out.size;
		out.data = mx_arena_alloc(mem, out.ulen + 1);
		rc = handle->get(handle, NULL, &in, &out, DB_READ_UNCOMMITTED);
	}
	if (rc == 0)
		*ret_value = mx_slice_of(out.data, out.size);
	return rc;
}

int store_bdb_get(struct store_engine_view *view, unsigned table, struct mx_slice key,
		  struct mx_arena *mem, struct mx_slice *ret_value)
{
	const struct store_place place = { .table = table, .key = key };
	struct bdb *bdb = bdb_of(view);
	struct mx_slice value;
	int rc = DB_LOCK_DEADLOCK;

	for (int i = 0; rc == DB_LOCK_DEADLOCK && i < DEADLOCK_TRIES_MAX; i++)
		rc = row_into(bdb->handles[table], key, mem, &value);
	if (rc && rc != DB_NOTFOUND)
		return read_failed(bdb, "reading a row", rc);
	switch (store_versions_get(&bdb->versions, snapshot_of(view), &place, mem, &value)) {
	case STORE_VERSION_CURRENT: break;
	case STORE_VERSION_PRESENT: rc = 0; break;
	case STORE_VERSION_ABSENT: rc = DB_NOTFOUND; break;
	case STORE_VERSION_EXPIRED: return -MX_CONFLICT;
	}
	if (rc == DB_NOTFOUND)
		return -MX_NOT_FOUND;
	*ret_value = value;
	return 0;
}

struct view_scan {
	struct store_engine_view *view;
	unsigned table;
	struct mx_arena *mem;
	struct store_row_list rows;
};

static int scan_read(void *ctx, const struct store_range *range, struct store_rows_part *ret_part)
{
	struct view_scan *scan = ctx;
	struct bdb *bdb = bdb_of(scan->view);
	const struct bdb_span span = { .handle = bdb->handles[scan->table], .range = range };
	int rc = DB_LOCK_DEADLOCK;

	for (int i = 0; rc == DB_LOCK_DEADLOCK && i < DEADLOCK_TRIES_MAX; i++) {
		scan->rows.len = 0;
		rc = store_bdb_rows(&span, scan->mem, &scan->rows);
	}
	if (rc)
		return read_failed(bdb, "scanning", rc);
	*ret_part = (struct store_rows_part){
		.rows = scan->rows.items,
		.len = scan->rows.len,
		.complete = scan->rows.len < range->limit,
	};
	if (!ret_part->complete)
		ret_part->last = scan->rows.items[scan->rows.len - 1].key;
	return 0;
}

static int scan_patch(void *ctx, struct mx_slice from, struct mx_slice to,
		      struct store_patches *patches)
{
	struct view_scan *scan = ctx;
	const struct store_versions_span span = { .table = scan->table, .from = from, .to = to };

	if (!store_versions_patch(&bdb_of(scan->view)->versions, snapshot_of(scan->view), &span,
				  scan->mem, patches))
		return -MX_CONFLICT;
	return 0;
}

int store_bdb_scan(struct store_engine_view *view, unsigned table, const struct store_range *range,
		   struct mx_arena *mem, struct store_rows *ret_rows)
{
	struct view_scan scan = { .view = view, .table = table, .mem = mem };
	const struct store_layer layer = { .ctx = &scan, .read = scan_read, .patch = scan_patch };
	int rc = store_rows_scan(&layer, range, mem, ret_rows);

	mx_vec_done(&scan.rows);
	return rc;
}

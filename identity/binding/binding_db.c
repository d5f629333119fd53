#include "identity/binding/binding_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/store/each.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#include <stdint.h>

const struct store_table binding_table = { .name = "binding" };
const struct store_table binding_user_table = { .name = "binding_user" };
const struct store_table binding_log_table = { .name = "binding_log" };

#define LOG_COUNTER 0 /* the row before all of the log: the last number */

/* ---- keys */

struct store_key binding_db_key(const struct threepid *threepid)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(threepid->medium));
	store_key_text(&key, mx_slice(threepid->address));
	return key;
}

static struct store_key user_key(const char *user_id, const struct threepid *threepid)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(user_id));
	if (threepid) {
		store_key_text(&key, mx_slice(threepid->medium));
		store_key_text(&key, mx_slice(threepid->address));
	}
	return key;
}

static struct store_key log_key(uint64_t number)
{
	struct store_key key = { 0 };

	store_key_u64(&key, number);
	return key;
}

bool binding_db_read_key(struct mx_slice key, struct mx_arena *mem, struct threepid *ret_threepid)
{
	struct mx_slice medium, address;

	if (!store_key_load_text(&key, mem, &medium) || !store_key_load_text(&key, mem, &address))
		return false;
	*ret_threepid = (struct threepid){ medium.ptr, address.ptr };
	return true;
}

/* ---- the record */

static const char *keep_text(struct mx_arena *mem, struct mx_slice text)
{
	return mx_arena_strndup(mem, text.ptr ? text.ptr : "", text.len);
}

static void write_record(const struct binding *binding, struct mx_str *out)
{
	record_begin(out, 1);
	record_put_bytes(out, mx_slice(binding->user_id ? binding->user_id : ""));
	record_put_i64(out, binding->ts_ms);
	record_put_i64(out, binding->not_before_ms);
	record_put_i64(out, binding->not_after_ms);
	record_put_bytes(out, mx_slice(binding->origin));
	record_put_u64(out, binding->ours);
	record_put_u64(out, binding->number);
	record_put_bytes(out, binding->signed_json);
}

static int read_record(struct mx_slice value, struct mx_arena *mem, struct binding *binding)
{
	struct record_reader reader = record_open(value);
	struct mx_slice user = record_bytes(&reader);

	binding->user_id = user.len ? keep_text(mem, user) : NULL;
	binding->ts_ms = record_i64(&reader);
	binding->not_before_ms = record_i64(&reader);
	binding->not_after_ms = record_i64(&reader);
	binding->origin = keep_text(mem, record_bytes(&reader));
	binding->ours = record_u64(&reader) != 0;
	binding->number = record_u64(&reader);
	binding->signed_json = mx_arena_slice(mem, record_bytes(&reader));
	return record_ok(&reader) ? 0 : -MX_STORE;
}

/* ---- one row */

int binding_db_load(const struct store_reader *reader, const struct threepid *threepid,
		    struct binding *ret_binding)
{
	struct store_key key = binding_db_key(threepid);
	struct binding binding = { 0 };
	struct mx_slice value;
	int rc = store_reader_get(reader, &binding_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	binding.threepid = (struct threepid){
		.medium = mx_arena_strdup(reader->mem, threepid->medium),
		.address = mx_arena_strdup(reader->mem, threepid->address),
	};
	rc = read_record(value, reader->mem, &binding);
	if (rc == 0)
		*ret_binding = binding;
	return rc;
}

static void put_empty(struct store_txn *txn, const struct store_table *table,
		      const struct store_key *key)
{
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	store_txn_put(txn, table, store_key_slice(key), mx_str_slice(&value));
}

static void delete_row(struct store_txn *txn, const struct store_table *table,
		       const struct store_key *key)
{
	store_txn_delete(txn, table, store_key_slice(key));
}

static void delete_old(struct store_txn *txn, const struct binding *old)
{
	struct store_key key;

	if (old->user_id) {
		key = user_key(old->user_id, &old->threepid);
		delete_row(txn, &binding_user_table, &key);
	}
	if (old->ours) {
		key = log_key(old->number);
		delete_row(txn, &binding_log_table, &key);
	}
}

void binding_db_put_last_number(struct store_txn *txn, uint64_t number)
{
	struct store_key key = log_key(LOG_COUNTER);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, number);
	store_txn_put(txn, &binding_log_table, store_key_slice(&key), mx_str_slice(&value));
}

void binding_db_delete(struct store_txn *txn, const struct binding *binding)
{
	struct store_key key = binding_db_key(&binding->threepid);

	delete_row(txn, &binding_table, &key);
	delete_old(txn, binding);
}

static void put_log(struct store_txn *txn, const struct binding *binding)
{
	struct store_key key = log_key(binding->number);
	mx_str_auto place = { 0 };

	record_begin(&place, 1);
	record_put_bytes(&place, mx_slice(binding->threepid.medium));
	record_put_bytes(&place, mx_slice(binding->threepid.address));
	store_txn_put(txn, &binding_log_table, store_key_slice(&key), mx_str_slice(&place));
	binding_db_put_last_number(txn, binding->number);
}

void binding_db_put(struct store_txn *txn, const struct binding *old, const struct binding *binding)
{
	struct store_key key = binding_db_key(&binding->threepid);
	mx_str_auto value = { 0 };

	if (old)
		delete_old(txn, old);
	write_record(binding, &value);
	store_txn_put(txn, &binding_table, store_key_slice(&key), mx_str_slice(&value));
	if (binding->user_id) {
		key = user_key(binding->user_id, &binding->threepid);
		put_empty(txn, &binding_user_table, &key);
	}
	if (binding->ours)
		put_log(txn, binding);
}

/* ---- our log */

int binding_db_last_number(struct store_txn *txn, struct mx_arena *mem, uint64_t *ret_number)
{
	struct store_key key = log_key(LOG_COUNTER);
	struct record_reader reader;
	struct mx_slice value;
	int rc = store_txn_get(txn, &binding_log_table, store_key_slice(&key), mem, &value);

	if (rc == -MX_NOT_FOUND) {
		*ret_number = 0;
		return 0;
	}
	if (rc)
		return rc;
	reader = record_open(value);
	*ret_number = record_u64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

static int load_logged(const struct store_reader *reader, struct mx_slice value,
		       struct binding *ret_binding)
{
	struct record_reader record = record_open(value);
	const struct threepid threepid = {
		.medium = keep_text(reader->mem, record_bytes(&record)),
		.address = keep_text(reader->mem, record_bytes(&record)),
	};

	if (!record_ok(&record))
		return -MX_STORE;
	return binding_db_load(reader, &threepid, ret_binding);
}

int binding_db_log(const struct store_reader *reader, uint64_t after, size_t limit,
		   struct binding **ret_items, size_t *ret_len)
{
	struct store_key from = log_key(after + 1);
	const struct store_range range = { .from = store_key_slice(&from), .limit = limit };
	struct binding *items;
	struct store_rows rows;
	int rc = after < UINT64_MAX ? store_reader_scan(reader, &binding_log_table, &range, &rows)
				    : -MX_NOT_FOUND;

	if (rc)
		return rc;
	items = mx_arena_calloc(reader->mem, rows.len + 1, sizeof(*items));
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = load_logged(reader, rows.items[i].value, &items[i]);
	if (rc)
		return rc;
	*ret_items = items;
	*ret_len = rows.len;
	return 0;
}

/* ---- many rows */

static bool read_user_row(struct mx_slice key, struct mx_arena *mem, struct threepid *ret_threepid)
{
	struct mx_slice user_id;

	return store_key_load_text(&key, mem, &user_id) &&
	       binding_db_read_key(key, mem, ret_threepid);
}

int binding_db_of_user(const struct store_reader *reader, const char *user_id,
		       const struct page *page, struct binding_list *ret_list)
{
	struct store_key from = user_key(user_id, NULL), end = { 0 };
	struct store_range range = { .from = store_key_slice(&from) };
	struct store_rows rows;
	int rc;

	store_key_range_end(&from, &end);
	range.to = store_key_slice(&end);
	page_narrow(page, &range, reader->mem);
	rc = store_reader_scan(reader, &binding_user_table, &range, &rows);
	if (rc)
		return rc;
	ret_list->next = page_next(page, &rows);
	ret_list->items = mx_arena_calloc(reader->mem, rows.len + 1, sizeof(*ret_list->items));
	ret_list->len = rows.len;
	for (size_t i = 0; i < rows.len; i++) {
		if (!read_user_row(rows.items[i].key, reader->mem, &ret_list->items[i]))
			return -MX_STORE;
	}
	return 0;
}

static int read_row(const struct store_row *row, struct mx_arena *mem, struct binding *ret_binding)
{
	if (!binding_db_read_key(row->key, mem, &ret_binding->threepid))
		return -MX_STORE;
	return read_record(row->value, mem, ret_binding);
}

/* The arena's copies of keys have a NUL behind them: the smallest key that comes next. */
struct mx_slice binding_db_key_after(struct mx_arena *mem, struct mx_slice key)
{
	struct mx_slice copy = mx_arena_slice(mem, key);

	copy.len++;
	return copy;
}

int binding_db_page(const struct store_reader *reader, struct mx_slice after, size_t limit,
		    struct binding_page *ret_page)
{
	const struct store_range range = { .from = after, .limit = limit };
	struct binding_page page = { 0 };
	struct store_rows rows;
	int rc = store_reader_scan(reader, &binding_table, &range, &rows);

	if (rc)
		return rc;
	page.items = mx_arena_calloc(reader->mem, rows.len + 1, sizeof(*page.items));
	page.len = rows.len;
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = read_row(&rows.items[i], reader->mem, &page.items[i]);
	if (rc)
		return rc;
	if (rows.len == limit)
		page.next = binding_db_key_after(reader->mem, rows.items[rows.len - 1].key);
	*ret_page = page;
	return 0;
}

struct visitor {
	void (*visit)(void *ctx, const struct binding *binding);
	void *ctx;
	struct mx_arena *mem;
};

static void visit_row(void *ctx, const struct store_row *row)
{
	const struct visitor *visitor = ctx;
	struct binding binding = { 0 };

	mx_arena_reset(visitor->mem);
	if (read_row(row, visitor->mem, &binding)) {
		mx_log(MX_LOG_WARN, "a binding cannot be read; it is left out", NULL);
		return;
	}
	visitor->visit(visitor->ctx, &binding);
}

int binding_db_each(struct store *store, void (*visit)(void *ctx, const struct binding *binding),
		    void *ctx, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct visitor visitor = { visit, ctx, mem };

	return store_each(store, &binding_table, visit_row, &visitor, err);
}

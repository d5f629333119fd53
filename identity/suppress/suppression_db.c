#include "identity/suppress/suppression_db.h"

#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"
#include "shared/store/store_reader.h"

const struct store_table suppression_table = { .name = "suppression" };

static struct store_key key_of(const char *medium, const char *what)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(medium));
	store_key_text(&key, mx_slice(what));
	return key;
}

static int read_value(struct mx_slice value, struct mx_arena *mem, struct suppression *suppression)
{
	struct record_reader reader = record_open(value);

	suppression->reason = mx_arena_slice(mem, record_bytes(&reader)).ptr;
	suppression->since_ms = record_i64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int suppression_db_get(const struct identity_call *call, const char *medium, const char *what,
		       struct suppression *ret_suppression)
{
	const struct store_reader reader = reader_of(call);
	struct store_key key = key_of(medium, what);
	struct mx_slice value;
	int rc = store_reader_get(&reader, &suppression_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	ret_suppression->medium = mx_arena_strdup(call->mem, medium);
	ret_suppression->what = mx_arena_strdup(call->mem, what);
	return read_value(value, call->mem, ret_suppression);
}

void suppression_db_put(const struct identity_call *call, const struct suppression *suppression)
{
	struct store_key key = key_of(suppression->medium, suppression->what);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice(suppression->reason));
	record_put_i64(&value, suppression->since_ms);
	store_txn_put(call->txn, &suppression_table, store_key_slice(&key), mx_str_slice(&value));
}

void suppression_db_delete(const struct identity_call *call, const struct suppression *suppression)
{
	struct store_key key = key_of(suppression->medium, suppression->what);

	store_txn_delete(call->txn, &suppression_table, store_key_slice(&key));
}

static int read_row(const struct store_row *row, struct mx_arena *mem,
		    struct suppression *suppression)
{
	struct mx_slice rest = row->key, medium, what;

	if (!store_key_load_text(&rest, mem, &medium) || !store_key_load_text(&rest, mem, &what))
		return -MX_STORE;
	suppression->medium = medium.ptr;
	suppression->what = what.ptr;
	return read_value(row->value, mem, suppression);
}

int suppression_db_list(const struct identity_call *call, const struct page *page,
			struct suppression_list *ret_list)
{
	const struct store_reader reader = reader_of(call);
	struct store_range range = { 0 };
	struct store_rows rows;
	int rc;

	page_narrow(page, &range, call->mem);
	rc = store_reader_scan(&reader, &suppression_table, &range, &rows);
	if (rc)
		return rc;
	ret_list->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_list->items));
	ret_list->len = rows.len;
	ret_list->next = page_next(page, &rows);
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = read_row(&rows.items[i], call->mem, &ret_list->items[i]);
	return rc;
}

#include "homeserver/profile/people_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

static const struct store_table person_table = { .name = "person" };

const struct store_table *const people_tables[] = {
	&person_table,
	NULL,
};

static struct store_key user_key(struct mx_slice user_id)
{
	struct store_key key = { 0 };

	store_key_text(&key, user_id);
	return key;
}

void people_db_put(struct store_txn *txn, const struct person_row *row)
{
	struct store_key key = user_key(row->user_id);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, row->folded);
	record_put_bytes(&value, row->displayname);
	record_put_bytes(&value, row->avatar_url);
	store_txn_put(txn, &person_table, store_key_slice(&key), mx_str_slice(&value));
}

void people_db_delete(struct store_txn *txn, const char *user_id)
{
	struct store_key key = user_key(mx_slice(user_id));

	store_txn_delete(txn, &person_table, store_key_slice(&key));
}

static int read_row(const struct store_row *row, struct mx_arena *mem, struct person_row *person)
{
	struct record_reader reader = record_open(row->value);
	struct mx_slice rest = row->key;

	if (!store_key_load_text(&rest, mem, &person->user_id))
		return -MX_STORE;
	person->folded = record_bytes(&reader);
	person->displayname = record_bytes(&reader);
	person->avatar_url = record_bytes(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int people_db_scan(const struct hs_call *call, struct mx_slice after, size_t limit,
		   struct person_rows *ret_rows)
{
	struct store_key from = user_key(after), behind;
	struct store_range range = { .limit = limit };
	struct store_rows rows;
	int rc;

	store_key_range_end(&from, &behind);
	if (after.len)
		range.from = store_key_slice(&behind);
	rc = call_scan(call, &person_table, &range, &rows);
	if (rc)
		return rc;
	ret_rows->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_rows->items));
	ret_rows->len = rows.len;
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = read_row(&rows.items[i], call->mem, &ret_rows->items[i]);
	return rc;
}

#include "homeserver/profile/profile_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

static const struct store_table profile_table = { .name = "profile" };
const struct store_table profile_change_table = { .name = "profile_change" };

const struct store_table *const profile_tables[] = {
	&profile_table,
	&profile_change_table,
	NULL,
};

static struct store_key user_key(const char *user_id)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(user_id));
	return key;
}

static struct store_key field_key(const char *user_id, const char *field)
{
	struct store_key key = user_key(user_id);

	store_key_text(&key, mx_slice(field));
	return key;
}

static int read_value(struct mx_slice value, struct mx_slice *ret_json)
{
	struct record_reader reader = record_open(value);

	*ret_json = record_bytes(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int profile_db_load(const struct hs_call *call, const char *user_id, const char *key,
		    struct mx_slice *ret_value)
{
	struct store_key name = field_key(user_id, key);
	struct mx_slice value;
	int rc = call_get(call, &profile_table, store_key_slice(&name), &value);

	return rc ? rc : read_value(value, ret_value);
}

static int read_field(const struct store_row *row, size_t prefix, struct mx_arena *mem,
		      struct profile_field *field)
{
	struct mx_slice rest = { row->key.ptr + prefix, row->key.len - prefix };

	if (!store_key_load_text(&rest, mem, &field->key))
		return -MX_STORE;
	return read_value(row->value, &field->value);
}

int profile_db_list(const struct hs_call *call, const char *user_id,
		    struct profile_fields *ret_fields)
{
	struct store_key from = user_key(user_id), to;
	struct store_range range = { .limit = PROFILE_FIELDS_MAX };
	struct store_rows rows;
	int rc;

	store_key_range_end(&from, &to);
	range.from = store_key_slice(&from);
	range.to = store_key_slice(&to);
	rc = call_scan(call, &profile_table, &range, &rows);
	if (rc)
		return rc;
	ret_fields->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_fields->items));
	ret_fields->len = rows.len;
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = read_field(&rows.items[i], from.len, call->mem, &ret_fields->items[i]);
	return rc;
}

void profile_db_put(struct store_txn *txn, const char *user_id, const char *key,
		    struct mx_slice value)
{
	struct store_key name = field_key(user_id, key);
	mx_str_auto record = { 0 };

	record_begin(&record, 1);
	record_put_bytes(&record, value);
	store_txn_put(txn, &profile_table, store_key_slice(&name), mx_str_slice(&record));
}

void profile_db_delete(struct store_txn *txn, const char *user_id, const char *key)
{
	struct store_key name = field_key(user_id, key);

	store_txn_delete(txn, &profile_table, store_key_slice(&name));
}

/* ---- what is to be done */

static int read_version(struct mx_slice value, uint64_t *ret_version)
{
	struct record_reader reader = record_open(value);

	*ret_version = record_u64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

/* Also in what was done already: versions grow with the clock, so that the same one does not come
 * back when a row was removed meanwhile. */
int profile_change_db_put(const struct hs_call *call, const char *user_id)
{
	struct store_key name = user_key(user_id);
	uint64_t version = (uint64_t)call->now_ms, old;
	mx_str_auto record = { 0 };
	struct mx_slice value;
	int rc = call_get(call, &profile_change_table, store_key_slice(&name), &value);

	if (rc == 0)
		rc = read_version(value, &old);
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc == 0 && version <= old)
		version = old + 1;
	record_begin(&record, 1);
	record_put_u64(&record, version);
	store_txn_put(call->txn, &profile_change_table, store_key_slice(&name),
		      mx_str_slice(&record));
	return 0;
}

int profile_change_db_list(const struct hs_call *call, size_t limit,
			   struct profile_change_list *ret_list)
{
	const struct store_range range = { .limit = limit };
	struct store_rows rows;
	int rc = call_scan(call, &profile_change_table, &range, &rows);

	if (rc)
		return rc;
	ret_list->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_list->items));
	ret_list->len = rows.len;
	for (size_t i = 0; rc == 0 && i < rows.len; i++) {
		struct mx_slice rest = rows.items[i].key, user_id;

		if (!store_key_load_text(&rest, call->mem, &user_id))
			return -MX_STORE;
		ret_list->items[i].user_id = user_id.ptr;
		rc = read_version(rows.items[i].value, &ret_list->items[i].version);
	}
	return rc;
}

int profile_change_db_done(const struct hs_call *call, const struct profile_change *change)
{
	struct store_key name = user_key(change->user_id);
	struct mx_slice value;
	uint64_t version;
	int rc = call_get(call, &profile_change_table, store_key_slice(&name), &value);

	if (rc == 0)
		rc = read_version(value, &version);
	if (rc == 0 && version == change->version)
		store_txn_delete(call->txn, &profile_change_table, store_key_slice(&name));
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

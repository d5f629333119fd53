#include "homeserver/ending/ending_db.h"

#include "homeserver/call.h"
#include "homeserver/ending/ending.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

static const struct store_table ending_table = { "ending", false };

const struct store_table *const ending_tables[] = { &ending_table, NULL };

static struct store_key user_key(const char *user)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(user));
	return key;
}

void ending_db_put(const struct hs_call *call, const char *user, const struct ending_row *row)
{
	const struct store_key key = user_key(user);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_i64(&value, row->begun_ms);
	record_put_u64(&value, row->bindings.len);
	for (size_t i = 0; i < row->bindings.len; i++) {
		const struct threepid_binding *binding = &row->bindings.items[i];

		record_put_bytes(&value, mx_slice(binding->threepid.medium));
		record_put_bytes(&value, mx_slice(binding->threepid.address));
		record_put_bytes(&value, mx_slice(binding->id_server));
	}
	store_txn_put(call->txn, &ending_table, store_key_slice(&key), mx_str_slice(&value));
}

int ending_db_get(const struct hs_call *call, const char *user, struct ending_row *ret_row)
{
	const struct store_key key = user_key(user);
	struct ending_row row = { 0 };
	struct record_reader reader;
	struct mx_slice value;
	size_t len;
	int rc = call_get(call, &ending_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	reader = record_open(value);
	row.begun_ms = record_i64(&reader);
	len = (size_t)record_u64(&reader);
	if (len > value.len)
		return -MX_STORE;
	row.bindings.items = mx_arena_calloc(call->mem, len + 1, sizeof(*row.bindings.items));
	for (; row.bindings.len < len; row.bindings.len++) {
		struct threepid_binding *binding = &row.bindings.items[row.bindings.len];

		binding->threepid.medium = record_text(&reader, call->mem);
		binding->threepid.address = record_text(&reader, call->mem);
		binding->id_server = record_text(&reader, call->mem);
	}
	if (!record_ok(&reader))
		return -MX_STORE;
	*ret_row = row;
	return 0;
}

void ending_db_delete(const struct hs_call *call, const char *user)
{
	const struct store_key key = user_key(user);

	store_txn_delete(call->txn, &ending_table, store_key_slice(&key));
}

int ending_db_list(const struct hs_call *call, size_t limit, struct ending_users *ret_users)
{
	const struct store_range all = { .limit = limit };
	struct ending_users users = { 0 };
	struct store_rows rows;
	int rc = call_scan(call, &ending_table, &all, &rows);

	if (rc)
		return rc;
	users.items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*users.items));
	for (; users.len < rows.len; users.len++) {
		struct mx_slice key = rows.items[users.len].key, user;

		if (!store_key_load_text(&key, call->mem, &user))
			return -MX_STORE;
		users.items[users.len] = user.ptr;
	}
	*ret_users = users;
	return 0;
}

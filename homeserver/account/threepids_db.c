#include "homeserver/account/threepids_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

static const struct store_table threepid_table = { "threepid", false };
static const struct store_table user_threepid_table = { "user_threepid", false };
static const struct store_table threepid_bound_table = { "threepid_bound", false };

const struct store_table *const threepids_tables[] = {
	&threepid_table,
	&user_threepid_table,
	&threepid_bound_table,
	NULL,
};

/* ---- keys */

static struct store_key threepid_key(const struct threepid *threepid)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(threepid->medium));
	store_key_text(&key, mx_slice(threepid->address));
	return key;
}

static struct store_key user_key(const char *user, const struct threepid *threepid)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(user));
	if (threepid) {
		store_key_text(&key, mx_slice(threepid->medium));
		store_key_text(&key, mx_slice(threepid->address));
	}
	return key;
}

static struct store_key bound_key(const char *user, const struct threepid_binding *binding)
{
	struct store_key key = user_key(user, &binding->threepid);

	store_key_text(&key, mx_slice(binding->id_server));
	return key;
}

/* ---- whose an address is */

int threepids_db_get(const struct hs_call *call, const struct threepid *threepid,
		     struct threepid_row *ret_row)
{
	const struct store_key key = threepid_key(threepid);
	struct record_reader reader;
	struct threepid_row row;
	struct mx_slice value;
	int rc = call_get(call, &threepid_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	reader = record_open(value);
	row.user = mx_arena_slice(call->mem, record_bytes(&reader)).ptr;
	row.validated_ms = record_i64(&reader);
	row.added_ms = record_i64(&reader);
	if (!record_ok(&reader))
		return -MX_STORE;
	*ret_row = row;
	return 0;
}

void threepids_db_put(const struct hs_call *call, const struct threepid *threepid,
		      const struct threepid_row *row)
{
	const struct store_key key = threepid_key(threepid);
	const struct store_key user = user_key(row->user, threepid);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_bytes(&value, mx_slice(row->user));
	record_put_i64(&value, row->validated_ms);
	record_put_i64(&value, row->added_ms);
	store_txn_put(call->txn, &threepid_table, store_key_slice(&key), mx_str_slice(&value));
	store_txn_put(call->txn, &user_threepid_table, store_key_slice(&user), MX_SLICE(""));
}

void threepids_db_delete(const struct hs_call *call, const char *user,
			 const struct threepid *threepid)
{
	const struct store_key key = threepid_key(threepid);
	const struct store_key of_user = user_key(user, threepid);

	store_txn_delete(call->txn, &threepid_table, store_key_slice(&key));
	store_txn_delete(call->txn, &user_threepid_table, store_key_slice(&of_user));
}

/* ---- what a user has */

static int scan_user(const struct hs_call *call, const struct store_table *table, const char *user,
		     size_t limit, struct store_rows *ret_rows)
{
	const struct store_key from = user_key(user, NULL);
	struct store_range range = { .from = store_key_slice(&from), .limit = limit };
	struct store_key to = { 0 };

	store_key_range_end(&from, &to);
	range.to = store_key_slice(&to);
	return call_scan(call, table, &range, ret_rows);
}

/* The next text of a key; NULL if it is none that we wrote. */
static const char *read_part(const struct hs_call *call, struct mx_slice *key)
{
	struct mx_slice text;

	return store_key_load_text(key, call->mem, &text) ? text.ptr : NULL;
}

static bool read_threepid(const struct hs_call *call, struct mx_slice *key,
			  struct threepid *ret_threepid)
{
	if (!read_part(call, key)) /* the user */
		return false;
	ret_threepid->medium = read_part(call, key);
	ret_threepid->address = read_part(call, key);
	return ret_threepid->medium && ret_threepid->address;
}

int threepids_db_list(const struct hs_call *call, const char *user, size_t limit,
		      struct account_threepids *ret_threepids)
{
	struct account_threepids all = { 0 };
	struct store_rows rows;
	int rc = scan_user(call, &user_threepid_table, user, limit, &rows);

	if (rc)
		return rc;
	all.items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*all.items));
	for (; all.len < rows.len; all.len++) {
		struct mx_slice key = rows.items[all.len].key;

		if (!read_threepid(call, &key, &all.items[all.len].threepid))
			return -MX_STORE;
	}
	*ret_threepids = all;
	return 0;
}

/* ---- where it is bound */

void threepids_db_bind(const struct hs_call *call, const char *user,
		       const struct threepid_binding *binding)
{
	const struct store_key key = bound_key(user, binding);

	store_txn_put(call->txn, &threepid_bound_table, store_key_slice(&key), MX_SLICE(""));
}

void threepids_db_unbind(const struct hs_call *call, const char *user,
			 const struct threepid_binding *binding)
{
	const struct store_key key = bound_key(user, binding);

	store_txn_delete(call->txn, &threepid_bound_table, store_key_slice(&key));
}

int threepids_db_bindings(const struct hs_call *call, const char *user, size_t limit,
			  struct threepid_bindings *ret_bindings)
{
	struct threepid_bindings all = { 0 };
	struct store_rows rows;
	int rc = scan_user(call, &threepid_bound_table, user, limit, &rows);

	if (rc)
		return rc;
	all.items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*all.items));
	for (; all.len < rows.len; all.len++) {
		struct threepid_binding *binding = &all.items[all.len];
		struct mx_slice key = rows.items[all.len].key;

		if (!read_threepid(call, &key, &binding->threepid))
			return -MX_STORE;
		binding->id_server = read_part(call, &key);
		if (!binding->id_server)
			return -MX_STORE;
	}
	*ret_bindings = all;
	return 0;
}

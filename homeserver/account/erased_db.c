#include "homeserver/account/erased_db.h"

#include "homeserver/call.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/key.h"
#include "shared/store/page.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

const struct store_table erased_table = { .name = "erased" };

static struct store_key user_key(const char *user)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(user));
	return key;
}

static bool read_value(struct mx_slice value, int64_t *ret_since_ms)
{
	struct record_reader reader = record_open(value);

	*ret_since_ms = record_i64(&reader);
	return record_ok(&reader);
}

int erased_db_load(const struct hs_call *call, const char *user, int64_t *ret_since_ms)
{
	const struct store_key key = user_key(user);
	struct mx_slice value;
	int rc = call_get(call, &erased_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	return read_value(value, ret_since_ms) ? 0 : -MX_STORE;
}

void erased_db_put(const struct hs_call *call, const char *user, int64_t since_ms)
{
	const struct store_key key = user_key(user);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_i64(&value, since_ms);
	store_txn_put(call->txn, &erased_table, store_key_slice(&key), mx_str_slice(&value));
}

int erased_db_list(const struct hs_call *call, const struct page *page, struct store_rows *ret_rows)
{
	struct store_range range = { 0 };

	page_narrow(page, &range, call->mem);
	return call_scan(call, &erased_table, &range, ret_rows);
}

bool erased_db_read(struct mx_slice key, struct mx_slice value, struct mx_str *ret_user,
		    int64_t *ret_since_ms)
{
	mx_str_clear(ret_user);
	return store_key_read_text(&key, ret_user) && read_value(value, ret_since_ms);
}

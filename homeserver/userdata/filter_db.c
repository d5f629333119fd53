#include "homeserver/userdata/filter_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

static const struct store_table filter_table = { .name = "filter", .large_values = true };
static const struct store_table filter_count_table = { .name = "filter_count" };

const struct store_table *const filter_tables[] = { &filter_table, &filter_count_table, NULL };

static struct store_key user_key(const char *user_id)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(user_id));
	return key;
}

static struct store_key filter_key(const char *user_id, const char *filter_id)
{
	struct store_key key = user_key(user_id);

	store_key_text(&key, mx_slice(filter_id));
	return key;
}

int filter_db_load(const struct hs_call *call, const char *user_id, const char *filter_id,
		   struct mx_slice *ret_json)
{
	struct store_key key = filter_key(user_id, filter_id);
	struct record_reader reader;
	struct mx_slice value, json;
	int rc = call_find(call, &filter_table, &key, &value);

	if (rc)
		return rc;
	reader = record_open(value);
	json = record_bytes(&reader);
	if (!record_ok(&reader))
		return -MX_STORE;
	*ret_json = json;
	return 0;
}

static int count_load(const struct hs_call *call, const char *user_id, uint64_t *ret_count)
{
	struct store_key key = user_key(user_id);
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_get(call, &filter_count_table, store_key_slice(&key), &value);

	*ret_count = 0;
	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	reader = record_open(value);
	*ret_count = record_u64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

static void count_put(struct store_txn *txn, const char *user_id, uint64_t count)
{
	struct store_key key = user_key(user_id);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_u64(&value, count);
	store_txn_put(txn, &filter_count_table, store_key_slice(&key), mx_str_slice(&value));
}

int filter_db_add(const struct hs_call *call, const char *user_id, const char *filter_id,
		  struct mx_slice json, struct mx_error *err)
{
	struct store_key key = filter_key(user_id, filter_id);
	mx_str_auto value = { 0 };
	struct mx_slice before;
	uint64_t count;
	int rc = filter_db_load(call, user_id, filter_id, &before);

	if (rc != -MX_NOT_FOUND)
		return rc;
	rc = count_load(call, user_id, &count);
	if (rc)
		return rc;
	if (count >= FILTERS_MAX)
		return mx_fail(err, MX_RESOURCE_LIMIT, "You have stored too many filters");
	record_begin(&value, RECORD_VERSION);
	record_put_bytes(&value, json);
	store_txn_put(call->txn, &filter_table, store_key_slice(&key), mx_str_slice(&value));
	count_put(call->txn, user_id, count + 1);
	return 0;
}

int filter_db_erase(const struct hs_call *call, const char *user_id)
{
	struct store_key key = user_key(user_id), end;
	struct store_range range = { .from = store_key_slice(&key), .limit = FILTERS_MAX };
	struct store_rows rows;
	int rc;

	store_key_range_end(&key, &end);
	range.to = store_key_slice(&end);
	rc = call_scan(call, &filter_table, &range, &rows);
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		store_txn_delete(call->txn, &filter_table, rows.items[i].key);
	store_txn_delete(call->txn, &filter_count_table, store_key_slice(&key));
	return rc;
}

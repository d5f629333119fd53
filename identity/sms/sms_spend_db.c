#include "identity/sms/sms_spend_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

/* There are less than 300 regions, and as many calling codes. */
#define COUNTRIES_MAX 1000

const struct store_table sms_spend_table = { .name = "sms_spend" };

static bool read_amount(struct mx_slice value, int64_t *ret_micros, uint64_t *ret_count)
{
	struct record_reader reader = record_open(value);

	*ret_micros = record_i64(&reader);
	*ret_count = record_u64(&reader);
	return record_ok(&reader);
}

/* By its length first: days and months are ranges of their own. */
static void key_period(struct store_key *key, const char *period)
{
	store_key_u64(key, strlen(period));
	store_key_text(key, mx_slice(period));
}

void sms_spend_db_add(struct store_txn *txn, const char *period, const char *country,
		      int64_t micros)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_key key = { 0 };
	mx_str_auto record = { 0 };
	struct mx_slice value;
	int64_t before = 0;
	uint64_t count = 0;

	key_period(&key, period);
	store_key_text(&key, mx_slice(country));
	if (store_txn_get(txn, &sms_spend_table, store_key_slice(&key), mem, &value) == 0 &&
	    !read_amount(value, &before, &count))
		before = 0, count = 0;
	record_begin(&record, 1);
	record_put_i64(&record, before + micros);
	record_put_u64(&record, count + 1);
	store_txn_put(txn, &sms_spend_table, store_key_slice(&key), mx_str_slice(&record));
}

void sms_spend_db_forget(struct store_txn *txn, const char *before)
{
	struct store_key first = { 0 }, end = { 0 };

	store_key_u64(&first, strlen(before));
	key_period(&end, before);
	store_txn_delete_range(txn, &sms_spend_table, store_key_slice(&first),
			       store_key_slice(&end));
}

int sms_spend_db_sum(struct store *store, const char *period, int64_t *ret_micros,
		     struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_view *view = store_view_begin(store);
	struct store_key from = { 0 }, to = { 0 };
	struct store_range range = { .limit = COUNTRIES_MAX };
	struct store_rows rows;
	int64_t sum = 0, micros;
	uint64_t count;
	int rc;

	key_period(&from, period);
	store_key_range_end(&from, &to);
	range.from = store_key_slice(&from);
	range.to = store_key_slice(&to);
	rc = store_scan(view, &sms_spend_table, &range, mem, &rows);
	store_view_end(view);
	if (rc)
		return mx_fail(err, MX_STORE, "What text messages cost cannot be read");
	for (size_t i = 0; i < rows.len; i++)
		if (read_amount(rows.items[i].value, &micros, &count))
			sum += micros;
	*ret_micros = sum;
	return 0;
}

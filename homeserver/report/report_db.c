#include "homeserver/report/report_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

/* id: time and something random, so that ids are in the order of their coming → report */
static const struct store_table report_table = { .name = "report" };

const struct store_table *const report_tables[] = { &report_table, NULL };

#define RANDOM_LEN 8

static struct store_key key_of(const char *id)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(id));
	return key;
}

void report_db_add(const struct hs_call *call, const struct report *report)
{
	char random[RANDOM_LEN + 1];
	mx_str_auto id = { 0 }, value = { 0 };
	struct store_key key;

	mx_random_token(random, RANDOM_LEN);
	mx_str_addf(&id, "%013lld-%s", (long long)call->now_ms, random);
	key = key_of(id.ptr);
	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice(report->reporter));
	record_put_bytes(&value, mx_slice(report->room_id));
	record_put_bytes(&value, mx_slice(report->event_id));
	record_put_bytes(&value, mx_slice(report->user_id));
	record_put_bytes(&value, mx_slice(report->reason));
	record_put_u64(&value, report->has_score);
	record_put_i64(&value, report->score);
	record_put_i64(&value, call->now_ms);
	store_txn_put(call->txn, &report_table, store_key_slice(&key), mx_str_slice(&value));
}

static const char *text_of(struct record_reader *in, struct mx_arena *mem)
{
	return mx_arena_slice(mem, record_bytes(in)).ptr;
}

static int decode(struct mx_slice value, struct mx_arena *mem, struct report *ret_report)
{
	struct record_reader in = record_open(value);

	ret_report->reporter = text_of(&in, mem);
	ret_report->room_id = text_of(&in, mem);
	ret_report->event_id = text_of(&in, mem);
	ret_report->user_id = text_of(&in, mem);
	ret_report->reason = text_of(&in, mem);
	ret_report->has_score = record_u64(&in) != 0;
	ret_report->score = record_i64(&in);
	ret_report->received_ms = record_i64(&in);
	return record_ok(&in) ? 0 : -MX_STORE;
}

static int decode_row(const struct hs_call *call, const struct store_row *row,
		      struct report *ret_report)
{
	struct mx_slice rest = row->key, id;

	if (!store_key_load_text(&rest, call->mem, &id))
		return -MX_STORE;
	ret_report->id = id.ptr;
	return decode(row->value, call->mem, ret_report);
}

int report_db_list(const struct hs_call *call, const struct page *page,
		   struct report_page *ret_page)
{
	struct store_range range = { .reverse = true };
	struct store_rows rows;
	int rc;

	page_narrow(page, &range, call->mem);
	rc = call_scan(call, &report_table, &range, &rows);
	if (rc)
		return rc;
	ret_page->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_page->items));
	ret_page->len = rows.len;
	ret_page->next = page_next(page, &rows);
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = decode_row(call, &rows.items[i], &ret_page->items[i]);
	return rc;
}

int report_db_load(const struct hs_call *call, const char *id, struct report *ret_report)
{
	const struct store_key key = key_of(id);
	struct mx_slice value;
	int rc = call_find(call, &report_table, &key, &value);

	if (rc)
		return rc;
	ret_report->id = mx_arena_strdup(call->mem, id);
	return decode(value, call->mem, ret_report);
}

void report_db_delete(const struct hs_call *call, const char *id)
{
	const struct store_key key = key_of(id);

	store_txn_delete(call->txn, &report_table, store_key_slice(&key));
}

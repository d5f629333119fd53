#include "homeserver/account/registration_token_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

const struct store_table registration_token_table = { .name = "registration_token" };

static struct store_key text_key(const char *text)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(text));
	return key;
}

static int read_value(struct mx_slice value, struct registration_token *token)
{
	struct record_reader reader = record_open(value);

	token->created_ms = record_i64(&reader);
	token->until_ms = record_i64(&reader);
	token->uses_max = record_u64(&reader);
	token->uses = record_u64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int registration_token_db_load(const struct hs_call *call, const char *text,
			       struct registration_token *ret_token)
{
	struct store_key key = text_key(text);
	struct registration_token token = { .text = mx_arena_strdup(call->mem, text) };
	struct mx_slice value;
	int rc = call_get(call, &registration_token_table, store_key_slice(&key), &value);

	if (rc == 0)
		rc = read_value(value, &token);
	if (rc == 0)
		*ret_token = token;
	return rc;
}

void registration_token_db_put(const struct hs_call *call, const struct registration_token *token)
{
	struct store_key key = text_key(token->text);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_i64(&value, token->created_ms);
	record_put_i64(&value, token->until_ms);
	record_put_u64(&value, token->uses_max);
	record_put_u64(&value, token->uses);
	store_txn_put(call->txn, &registration_token_table, store_key_slice(&key),
		      mx_str_slice(&value));
}

void registration_token_db_delete(const struct hs_call *call, const char *text)
{
	struct store_key key = text_key(text);

	store_txn_delete(call->txn, &registration_token_table, store_key_slice(&key));
}

static int read_row(const struct hs_call *call, const struct store_row *row,
		    struct registration_token *token)
{
	struct mx_slice key = row->key, text;

	if (!store_key_load_text(&key, call->mem, &text))
		return -MX_STORE;
	token->text = text.ptr;
	return read_value(row->value, token);
}

int registration_token_db_list(const struct hs_call *call, size_t limit,
			       struct registration_token_list *ret_list)
{
	const struct store_range range = { .limit = limit };
	struct registration_token_list list = { 0 };
	struct store_rows rows;
	int rc = call_scan(call, &registration_token_table, &range, &rows);

	if (rc)
		return rc;
	list.items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*list.items));
	for (; rc == 0 && list.len < rows.len; list.len++)
		rc = read_row(call, &rows.items[list.len], &list.items[list.len]);
	if (rc == 0)
		*ret_list = list;
	return rc;
}

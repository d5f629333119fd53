#include "homeserver/account/account_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/page.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

const struct store_table account_table = { .name = "account" };

static struct store_key user_key(struct mx_slice user)
{
	struct store_key key = { 0 };

	store_key_text(&key, user);
	return key;
}

static const char *text_or_null(struct mx_arena *mem, struct mx_slice text)
{
	return text.len ? mx_arena_strndup(mem, text.ptr, text.len) : NULL;
}

static int read_row(const struct hs_call *call, struct mx_slice user, struct mx_slice value,
		    struct account *ret_account)
{
	struct record_reader reader = record_open(value);
	struct account account = { .user = mx_arena_strndup(call->mem, user.ptr, user.len) };

	account.flags = (unsigned)record_u64(&reader);
	account.created_ms = record_i64(&reader);
	account.password = text_or_null(call->mem, record_bytes(&reader));
	account.appservice = text_or_null(call->mem, record_bytes(&reader));
	if (!record_ok(&reader))
		return -MX_STORE;
	*ret_account = account;
	return 0;
}

int account_db_load(const struct hs_call *call, struct mx_slice user, struct account *ret_account)
{
	struct store_key key = user_key(user);
	struct mx_slice value;
	int rc = call_find(call, &account_table, &key, &value);

	return rc ? rc : read_row(call, user, value, ret_account);
}

void account_db_put(const struct hs_call *call, const struct account *account)
{
	struct store_key key = user_key(mx_slice(account->user));
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_u64(&value, account->flags);
	record_put_i64(&value, account->created_ms);
	record_put_bytes(&value, mx_slice(account->password));
	record_put_bytes(&value, mx_slice(account->appservice));
	store_txn_put(call->txn, &account_table, store_key_slice(&key), mx_str_slice(&value));
}

bool account_db_read_key(struct mx_slice key, struct mx_str *ret_user)
{
	mx_str_clear(ret_user);
	return store_key_read_text(&key, ret_user);
}

static int read_each(const struct hs_call *call, const struct store_rows *rows,
		     struct account_list *list)
{
	mx_str_auto user = { 0 };
	int rc = 0;

	for (; rc == 0 && list->len < rows->len; list->len++) {
		const struct store_row *row = &rows->items[list->len];

		if (!account_db_read_key(row->key, &user))
			return -MX_STORE;
		rc = read_row(call, mx_str_slice(&user), row->value, &list->items[list->len]);
	}
	return rc;
}

int account_db_list(const struct hs_call *call, const struct page *page,
		    struct account_list *ret_list)
{
	struct account_list list = { 0 };
	struct store_range range = { 0 };
	struct store_rows rows;
	int rc;

	page_narrow(page, &range, call->mem);
	rc = call_scan(call, &account_table, &range, &rows);
	if (rc)
		return rc;
	list.items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*list.items));
	list.next = page_next(page, &rows);
	rc = read_each(call, &rows, &list);
	if (rc == 0)
		*ret_list = list;
	return rc;
}

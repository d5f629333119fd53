#include "identity/account/account_db.h"

#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"
#include "shared/store/store_reader.h"

#define RECORD_VERSION 1
#define PAGE           1000

const struct store_table account_table = { .name = "account" };
const struct store_table account_token_table = { .name = "account_token" };
const struct store_table account_user_token_table = { .name = "account_user_token" };

static struct store_key user_key(const char *user_id)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(user_id));
	return key;
}

static struct store_key hash_key(const uint8_t *hash)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice_of(hash, MX_SHA256_LEN));
	return key;
}

static struct store_key user_hash_key(const char *user_id, const uint8_t *hash)
{
	struct store_key key = user_key(user_id);

	store_key_text(&key, mx_slice_of(hash, MX_SHA256_LEN));
	return key;
}

int account_db_add(struct store_txn *txn, const char *user_id, int64_t now_ms, bool *ret_added)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_key key = user_key(user_id);
	mx_str_auto value = { 0 };
	struct mx_slice before;
	int rc = store_txn_get(txn, &account_table, store_key_slice(&key), mem, &before);

	*ret_added = rc == -MX_NOT_FOUND;
	if (rc != -MX_NOT_FOUND)
		return rc;
	record_begin(&value, RECORD_VERSION);
	record_put_i64(&value, now_ms);
	store_txn_put(txn, &account_table, store_key_slice(&key), mx_str_slice(&value));
	return 0;
}

void account_db_put_token(struct store_txn *txn, const uint8_t hash[MX_SHA256_LEN],
			  const struct account_token *token)
{
	struct store_key key = hash_key(hash);
	struct store_key of_user = user_hash_key(token->user_id, hash);
	mx_str_auto value = { 0 }, nothing = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_bytes(&value, mx_slice(token->user_id));
	record_put_i64(&value, token->created_ms);
	record_put_i64(&value, token->seen_ms);
	store_txn_put(txn, &account_token_table, store_key_slice(&key), mx_str_slice(&value));
	record_begin(&nothing, RECORD_VERSION);
	store_txn_put(txn, &account_user_token_table, store_key_slice(&of_user),
		      mx_str_slice(&nothing));
}

void account_db_delete_token(struct store_txn *txn, const uint8_t hash[MX_SHA256_LEN],
			     const char *user_id)
{
	struct store_key key = hash_key(hash);
	struct store_key of_user = user_hash_key(user_id, hash);

	store_txn_delete(txn, &account_token_table, store_key_slice(&key));
	store_txn_delete(txn, &account_user_token_table, store_key_slice(&of_user));
}

/* Borrows user_id from mem. */
static int read_token(struct mx_slice value, struct mx_arena *mem, struct account_token *ret_token)
{
	struct record_reader reader = record_open(value);
	struct mx_slice user_id = record_bytes(&reader);
	const struct account_token token = {
		.user_id = mx_arena_strndup(mem, user_id.ptr, user_id.len),
		.created_ms = record_i64(&reader),
		.seen_ms = record_i64(&reader),
	};

	if (!record_ok(&reader))
		return -MX_STORE;
	*ret_token = token;
	return 0;
}

int account_db_load_token(const struct store_reader *reader, const uint8_t hash[MX_SHA256_LEN],
			  struct account_token *ret_token)
{
	struct store_key key = hash_key(hash);
	struct mx_slice value;
	int rc = store_reader_get(reader, &account_token_table, store_key_slice(&key), &value);

	return rc ? rc : read_token(value, reader->mem, ret_token);
}

static bool read_hash(struct mx_slice key, struct mx_str *user_id, struct mx_str *hash)
{
	mx_str_clear(user_id);
	mx_str_clear(hash);
	return store_key_read_text(&key, user_id) && store_key_read_text(&key, hash) &&
	       hash->len == MX_SHA256_LEN;
}

static void delete_rows(struct store_txn *txn, const struct store_rows *rows)
{
	mx_str_auto user_id = { 0 }, hash = { 0 };

	for (size_t i = 0; i < rows->len; i++)
		if (read_hash(rows->items[i].key, &user_id, &hash))
			account_db_delete_token(txn, (const uint8_t *)hash.ptr, user_id.ptr);
}

size_t account_db_delete_tokens(struct store_txn *txn, const char *user_id)
{
	struct store_key from = user_key(user_id), to;
	struct store_range range = { .limit = PAGE };
	struct store_rows rows = { 0 };
	size_t count = 0;

	store_key_range_end(&from, &to);
	range.from = store_key_slice(&from);
	range.to = store_key_slice(&to);
	do {
		mx_arena_auto *mem = mx_arena_new(0);

		/* What is deleted is not found again. */
		if (store_txn_scan(txn, &account_user_token_table, &range, mem, &rows))
			return count;
		delete_rows(txn, &rows);
		count += rows.len;
	} while (rows.len == PAGE);
	return count;
}

/* ---- accounts, for administration */

static int read_account(struct mx_slice value, int64_t *ret_created_ms)
{
	struct record_reader reader = record_open(value);

	*ret_created_ms = record_i64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int account_db_load(const struct identity_call *call, const char *user_id, int64_t *ret_created_ms)
{
	const struct store_reader reader = reader_of(call);
	const struct store_key key = user_key(user_id);
	struct mx_slice value;
	int rc = store_reader_get(&reader, &account_table, store_key_slice(&key), &value);

	return rc ? rc : read_account(value, ret_created_ms);
}

void account_db_delete(struct store_txn *txn, const char *user_id)
{
	const struct store_key key = user_key(user_id);

	store_txn_delete(txn, &account_table, store_key_slice(&key));
}

static int read_account_row(const struct store_row *row, struct mx_arena *mem,
			    struct account_summary *summary)
{
	struct mx_slice rest = row->key;
	mx_str_auto user_id = { 0 };

	if (!store_key_read_text(&rest, &user_id))
		return -MX_STORE;
	summary->user_id = mx_arena_slice(mem, mx_str_slice(&user_id)).ptr;
	return read_account(row->value, &summary->created_ms);
}

int account_db_list(const struct identity_call *call, const struct page *page,
		    struct account_list *ret_list)
{
	const struct store_reader reader = reader_of(call);
	struct store_range range = { 0 };
	struct store_rows rows;
	int rc;

	page_narrow(page, &range, call->mem);
	rc = store_reader_scan(&reader, &account_table, &range, &rows);
	if (rc)
		return rc;
	ret_list->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_list->items));
	ret_list->len = rows.len;
	ret_list->next = page_next(page, &rows);
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = read_account_row(&rows.items[i], call->mem, &ret_list->items[i]);
	return rc;
}

static int count_token(const struct store_reader *reader, struct mx_slice key,
		       struct account_summary *summary)
{
	mx_str_auto user_id = { 0 }, hash = { 0 };
	struct account_token token;
	int rc;

	if (!read_hash(key, &user_id, &hash))
		return -MX_STORE;
	rc = account_db_load_token(reader, (const uint8_t *)hash.ptr, &token);
	if (rc)
		return -MX_STORE;
	summary->tokens++;
	if (token.seen_ms > summary->seen_ms)
		summary->seen_ms = token.seen_ms;
	return 0;
}

int account_db_count_tokens(const struct identity_call *call, struct account_summary *summary)
{
	const struct store_reader reader = reader_of(call);
	const struct store_key from = user_key(summary->user_id);
	struct page page = { .limit = PAGE };
	struct store_range range;
	struct store_rows rows;
	struct store_key to;
	int rc;

	store_key_range_end(&from, &to);
	do {
		range = (struct store_range){ store_key_slice(&from), store_key_slice(&to) };
		page_narrow(&page, &range, call->mem);
		rc = store_reader_scan(&reader, &account_user_token_table, &range, &rows);
		for (size_t i = 0; rc == 0 && i < rows.len; i++)
			rc = count_token(&reader, rows.items[i].key, summary);
		if (rc)
			return rc;
		page.after = page_next(&page, &rows);
	} while (page.after.len > 0);
	return 0;
}

/* ---- idle ones */

/* Read again in the transaction: one that is used meanwhile makes the commit fail, and waits for
 * the next time. */
static bool delete_if_idle(struct store_txn *txn, struct mx_slice key, int64_t seen_before_ms,
			   struct mx_arena *mem)
{
	const struct store_reader reader = { .txn = txn, .mem = mem };
	mx_str_auto hash = { 0 };
	struct account_token token;

	if (!store_key_read_text(&key, &hash) || hash.len != MX_SHA256_LEN ||
	    account_db_load_token(&reader, (const uint8_t *)hash.ptr, &token) ||
	    token.seen_ms >= seen_before_ms)
		return false;
	account_db_delete_token(txn, (const uint8_t *)hash.ptr, token.user_id);
	return true;
}

static size_t delete_idle_rows(struct store *store, const struct store_rows *rows,
			       int64_t seen_before_ms, struct mx_arena *mem)
{
	struct store_txn *txn = NULL;
	size_t count = 0;

	for (size_t i = 0; i < rows->len; i++) {
		struct account_token token;

		if (read_token(rows->items[i].value, mem, &token) ||
		    token.seen_ms >= seen_before_ms)
			continue;
		if (!txn)
			txn = store_txn_begin(store);
		count += delete_if_idle(txn, rows->items[i].key, seen_before_ms, mem);
	}
	return txn && store_txn_commit(txn, NULL) == 0 ? count : 0;
}

static int scan_page(struct store *store, struct mx_slice from, struct mx_arena *mem,
		     struct store_rows *ret_rows)
{
	const struct store_range range = { .from = from, .limit = PAGE };
	struct store_view *view = store_view_begin(store);
	int rc = store_scan(view, &account_token_table, &range, mem, ret_rows);

	store_view_end(view);
	return rc;
}

size_t account_db_delete_idle(struct store *store, int64_t seen_before_ms)
{
	mx_str_auto from = { 0 };
	struct store_rows rows;
	size_t count = 0;

	do {
		mx_arena_auto *mem = mx_arena_new(0);

		if (scan_page(store, mx_str_slice(&from), mem, &rows))
			return count;
		count += delete_idle_rows(store, &rows, seen_before_ms, mem);
		if (rows.len == 0)
			break;
		mx_str_clear(&from);
		mx_str_add_slice(&from, rows.items[rows.len - 1].key);
		mx_str_add_char(&from, '\0'); /* the first key behind it */
	} while (rows.len == PAGE);
	return count;
}

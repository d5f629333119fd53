#include "homeserver/account/short_token_db.h"

#include "homeserver/account/reap.h"
#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

static const struct store_table login_token_table = { .name = "login_token" };
static const struct store_table openid_token_table = { .name = "openid_token" };

const struct store_table *const short_token_tables[] = {
	[SHORT_TOKEN_LOGIN] = &login_token_table,
	[SHORT_TOKEN_OPENID] = &openid_token_table,
	[SHORT_TOKEN_KINDS] = NULL,
};

static struct store_key hash_key(const uint8_t hash[MX_SHA256_LEN])
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice_of(hash, MX_SHA256_LEN));
	return key;
}

int short_token_db_load(const struct hs_call *call, enum short_token_kind kind,
			const uint8_t hash[MX_SHA256_LEN], struct short_token_row *ret_row)
{
	struct store_key key = hash_key(hash);
	struct record_reader reader;
	struct short_token_row row;
	struct mx_slice value, user;
	int rc = call_get(call, short_token_tables[kind], store_key_slice(&key), &value);

	if (rc)
		return rc;
	reader = record_open(value);
	user = record_bytes(&reader);
	row.user = mx_arena_strndup(call->mem, user.ptr, user.len);
	row.until_ms = record_i64(&reader);
	if (!record_ok(&reader))
		return -MX_STORE;
	*ret_row = row;
	return 0;
}

void short_token_db_put(const struct hs_call *call, enum short_token_kind kind,
			const uint8_t hash[MX_SHA256_LEN], const struct short_token_row *row)
{
	struct store_key key = hash_key(hash);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_bytes(&value, mx_slice(row->user));
	record_put_i64(&value, row->until_ms);
	store_txn_put(call->txn, short_token_tables[kind], store_key_slice(&key),
		      mx_str_slice(&value));
}

void short_token_db_delete(const struct hs_call *call, enum short_token_kind kind,
			   const uint8_t hash[MX_SHA256_LEN])
{
	struct store_key key = hash_key(hash);

	store_txn_delete(call->txn, short_token_tables[kind], store_key_slice(&key));
}

static bool is_over(struct mx_slice value, int64_t now_ms)
{
	struct record_reader reader = record_open(value);

	record_bytes(&reader);
	return record_i64(&reader) <= now_ms;
}

size_t short_token_db_reap(struct store *store, enum short_token_kind kind, int64_t now_ms)
{
	return reap_table(store, short_token_tables[kind], is_over, now_ms);
}

#include "identity/account/account.h"

#include "identity/account/account_db.h"
#include "identity/account/terms.h"
#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"
#include "shared/store/store.h"
#include "shared/store/store_reader.h"

#include <sodium.h>

#define TOKEN_BYTES 32

static void make_token(char ret_token[ACCOUNT_TOKEN_LEN + 1])
{
	uint8_t bytes[TOKEN_BYTES];

	mx_random_bytes(bytes, sizeof(bytes));
	sodium_bin2base64(ret_token, ACCOUNT_TOKEN_LEN + 1, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
}

int account_open(struct store_txn *txn, const char *user_id, int64_t now_ms,
		 char ret_token[ACCOUNT_TOKEN_LEN + 1], struct mx_error *err)
{
	const struct account_token token = { user_id, now_ms, now_ms };
	uint8_t hash[MX_SHA256_LEN];
	bool added;
	int rc = account_db_add(txn, user_id, now_ms, &added);

	if (rc)
		return mx_fail(err, (enum mx_code) - rc, "The account cannot be read");
	make_token(ret_token);
	mx_sha256(mx_slice_of(ret_token, ACCOUNT_TOKEN_LEN), hash);
	account_db_put_token(txn, hash, &token);
	return 0;
}

int account_by_token(struct store_view *view, const char *token, int64_t now_ms,
		     struct mx_arena *mem, struct account *ret_account, struct mx_error *err)
{
	const struct store_reader reader = { .view = view, .mem = mem };
	struct account_token found;
	uint8_t hash[MX_SHA256_LEN];
	int rc;

	mx_sha256(mx_slice(token), hash);
	rc = account_db_load_token(&reader, hash, &found);
	if (rc == -MX_NOT_FOUND || (rc == 0 && now_ms - found.seen_ms > ACCOUNT_IDLE_MS))
		return mx_fail(err, MX_UNAUTHORIZED, "Unrecognised access token");
	if (rc)
		return rc;
	*ret_account = (struct account){ found.user_id, found.created_ms, found.seen_ms };
	return 0;
}

void account_seen(struct store *store, const char *token, int64_t now_ms)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_txn *txn = store_txn_begin(store);
	const struct store_reader reader = { .txn = txn, .mem = mem };
	struct account_token found;
	uint8_t hash[MX_SHA256_LEN];

	mx_sha256(mx_slice(token), hash);
	if (account_db_load_token(&reader, hash, &found)) {
		store_txn_abort(txn);
		return;
	}
	found.seen_ms = now_ms;
	account_db_put_token(txn, hash, &found);
	store_txn_commit(txn, NULL);
}

int account_close(struct store_txn *txn, const char *token, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct store_reader reader = { .txn = txn, .mem = mem };
	struct account_token found;
	uint8_t hash[MX_SHA256_LEN];
	int rc;

	mx_sha256(mx_slice(token), hash);
	rc = account_db_load_token(&reader, hash, &found);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_UNKNOWN_TOKEN, "Unrecognised access token");
	if (rc)
		return rc;
	account_db_delete_token(txn, hash, found.user_id);
	return 0;
}

size_t account_reap(struct store *store, int64_t now_ms)
{
	return account_db_delete_idle(store, now_ms - ACCOUNT_IDLE_MS);
}

size_t account_close_all(struct store_txn *txn, const char *user_id)
{
	return account_db_delete_tokens(txn, user_id);
}

/* ---- administration */

static int find(const struct identity_call *call, const char *user_id, int64_t *ret_created_ms,
		struct mx_error *err)
{
	int rc = account_db_load(call, user_id, ret_created_ms);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "This user has no account");
	return rc;
}

int account_show(const struct identity_call *call, const char *user_id,
		 struct account_summary *ret_summary, struct mx_error *err)
{
	struct account_summary summary = { .user_id = mx_arena_strdup(call->mem, user_id) };
	int rc = find(call, user_id, &summary.created_ms, err);

	if (rc == 0)
		rc = account_db_count_tokens(call, &summary);
	if (rc == 0)
		*ret_summary = summary;
	return rc;
}

int account_list(const struct identity_call *call, const struct page *page,
		 struct account_list *ret_list)
{
	int rc = account_db_list(call, page, ret_list);

	for (size_t i = 0; rc == 0 && i < ret_list->len; i++)
		rc = account_db_count_tokens(call, &ret_list->items[i]);
	return rc;
}

int account_erase(const struct identity_call *call, const char *user_id, struct mx_error *err)
{
	int64_t created_ms;
	int rc = find(call, user_id, &created_ms, err);

	if (rc)
		return rc;
	account_db_delete_tokens(call->txn, user_id);
	account_db_delete(call->txn, user_id);
	return terms_forget(call, user_id);
}

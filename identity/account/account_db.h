/* Records of accounts and their tokens, which are known by their SHA-256 only. */
#pragma once

#include "identity/account/account.h"
#include "shared/crypto/sha256.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_arena;
struct store;
struct store_reader;
struct store_table;
struct store_txn;

extern const struct store_table account_table, account_token_table, account_user_token_table;

struct account_token {
	const char *user_id;
	int64_t created_ms, seen_ms;
};

/* Adds the account unless it is there. */
int account_db_add(struct store_txn *txn, const char *user_id, int64_t now_ms, bool *ret_added);

void account_db_put_token(struct store_txn *txn, const uint8_t hash[MX_SHA256_LEN],
			  const struct account_token *token);
void account_db_delete_token(struct store_txn *txn, const uint8_t hash[MX_SHA256_LEN],
			     const char *user_id);

/* -MX_NOT_FOUND. In the reader's memory. */
int account_db_load_token(const struct store_reader *reader, const uint8_t hash[MX_SHA256_LEN],
			  struct account_token *ret_token);

/* All tokens that were seen last before this, in transactions of its own; how many. */
size_t account_db_delete_idle(struct store *store, int64_t seen_before_ms);

/* -MX_NOT_FOUND. By call->txn, or call->view without one. */
int account_db_load(const struct identity_call *call, const char *user_id, int64_t *ret_created_ms);
void account_db_delete(struct store_txn *txn, const char *user_id);

/* Names and times of a page of accounts; tokens are not counted. */
int account_db_list(const struct identity_call *call, const struct page *page,
		    struct account_list *ret_list);
/* Counts the tokens of summary->user_id, and when one was seen last. */
int account_db_count_tokens(const struct identity_call *call, struct account_summary *summary);

/* All tokens of a user; how many there were. */
size_t account_db_delete_tokens(struct store_txn *txn, const char *user_id);

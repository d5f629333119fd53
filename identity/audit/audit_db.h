/* Records of the audit log, in the order of time, and the key of its hashes. */
#pragma once

#include "identity/audit/audit.h"

#define AUDIT_KEY_LEN 32

struct mx_arena;
struct store_txn;

void audit_db_add(struct store_txn *txn, const struct audit_entry *entry);

/* The page of all since then, the newest first. */
int audit_db_list(const struct identity_call *call, int64_t since_ms, const struct page *page,
		  struct audit_list *ret_list);

/* How many it deleted, at most limit. Errors stick to the transaction. */
size_t audit_db_delete(struct store_txn *txn, int64_t before_ms, size_t limit,
		       struct mx_arena *mem);

/* -MX_NOT_FOUND. */
int audit_db_load_key(struct store_txn *txn, struct mx_arena *mem, uint8_t ret_key[AUDIT_KEY_LEN]);
void audit_db_put_key(struct store_txn *txn, const uint8_t key[AUDIT_KEY_LEN]);

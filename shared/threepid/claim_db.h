/* The stored sessions: id → record; (medium, address, hash of the secret) → id of the session that
 * lives there; (medium, address, "", id) → empty, beside those; (when it may be forgotten, id) →
 * empty. */
#pragma once

#include "shared/crypto/sha256.h"
#include "shared/threepid/claim.h"

struct claim_row {
	struct claim session; /* without client_secret: only its hash is stored */
	uint8_t secret_hash[MX_SHA256_LEN];
};

void claim_secret_hash(const char *client_secret, uint8_t ret_hash[MX_SHA256_LEN]);

/* By call->txn, or call->view without one; strings in call->mem. -MX_NOT_FOUND, -MX_STORE. */
int claim_db_get(const struct claim_call *call, const char *id, struct claim_row *ret_row);
/* Of this address and secret, whatever its state. */
int claim_db_find(const struct claim_call *call, const struct threepid *threepid,
		  const char *client_secret, struct claim_row *ret_row);

/* A new one; the address and secret now lead to it. */
void claim_db_add(struct store_txn *txn, const struct claim_row *row);
void claim_db_put(struct store_txn *txn, const struct claim_row *row);

/* All of an address. */
int claim_db_list(const struct claim_call *call, const struct threepid *threepid,
		  const struct page *page, struct claim_list *ret_list);
/* With all rows that lead to it. */
void claim_db_delete(const struct claim_call *call, const char *id);

/* Deletes at most limit sessions whose end is before now_ms. How many there were; errors stick to
 * the transaction. */
size_t claim_db_reap(struct store_txn *txn, int64_t now_ms, size_t limit, struct mx_arena *mem);

/* The stored sessions: id → record; (medium, address, hash of the secret) → id of the session that
 * lives there; (medium, address, "", id) → empty, beside those; (when it may be forgotten, id) →
 * empty. */
#pragma once

#include "identity/validate/session.h"
#include "shared/crypto/sha256.h"

struct session_row {
	struct session session; /* without client_secret: only its hash is stored */
	uint8_t secret_hash[MX_SHA256_LEN];
};

void session_secret_hash(const char *client_secret, uint8_t ret_hash[MX_SHA256_LEN]);

/* By call->txn, or call->view without one; strings in call->mem. -MX_NOT_FOUND, -MX_STORE. */
int session_db_get(const struct identity_call *call, const char *id, struct session_row *ret_row);
/* Of this address and secret, whatever its state. */
int session_db_find(const struct identity_call *call, const struct threepid *threepid,
		    const char *client_secret, struct session_row *ret_row);

/* A new one; the address and secret now lead to it. */
void session_db_add(struct store_txn *txn, const struct session_row *row);
void session_db_put(struct store_txn *txn, const struct session_row *row);

/* All of an address. */
int session_db_list(const struct identity_call *call, const struct threepid *threepid,
		    const struct page *page, struct session_list *ret_list);
/* With all rows that lead to it. */
void session_db_delete(const struct identity_call *call, const char *id);

/* Deletes at most limit sessions whose end is before now_ms. How many there were; errors stick to
 * the transaction. */
size_t session_db_reap(struct store_txn *txn, int64_t now_ms, size_t limit, struct mx_arena *mem);

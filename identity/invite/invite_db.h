/* The records of invites and of the keys that were given out for them. Only invite/ uses them. */
#pragma once

#include "identity/invite/invite.h"

/* By call->txn, or by call->view if there is no transaction. Strings in call->mem. -MX_NOT_FOUND,
 * -MX_STORE. */
int invite_db_get(const struct identity_call *call, const char *token, struct invite *ret_invite);
/* At most INVITES_PER_ADDRESS tokens. */
int invite_db_tokens(const struct identity_call *call, const struct threepid *threepid,
		     const char ***ret_tokens, size_t *ret_len);
/* The tokens of a page. */
struct invite_tokens {
	const char **items;
	size_t len;
	struct mx_slice next;
};

int invite_db_find(const struct identity_call *call, const struct invite_filter *filter,
		   const struct page *page, struct invite_tokens *ret_tokens);
/* The same of those that were stored before then, by any. */
int invite_db_born_before(const struct identity_call *call, int64_t born_ms,
			  const struct page *page, struct invite_tokens *ret_tokens);

/* Its key, too. */
void invite_db_delete(struct store_txn *txn, const struct invite *invite);
void invite_db_put(struct store_txn *txn, const struct invite *invite);
void invite_db_expect_absent(struct store_txn *txn, const char *token);

/* token "" for a key that is good without an invite. */
void ephemeral_db_put(struct store_txn *txn, const uint8_t public_key[32], const char *token);
int ephemeral_db_get(const struct identity_call *call, const uint8_t public_key[32],
		     const char **ret_token);

/* login_token, openid_token: SHA-256 → user, until when. */
#pragma once

#include "homeserver/account/short_token.h"
#include "shared/crypto/sha256.h"

struct store_table;

extern const struct store_table *const short_token_tables[];

struct short_token_row {
	const char *user;
	int64_t until_ms;
};

int short_token_db_load(const struct hs_call *call, enum short_token_kind kind,
			const uint8_t hash[MX_SHA256_LEN], struct short_token_row *ret_row);
void short_token_db_put(const struct hs_call *call, enum short_token_kind kind,
			const uint8_t hash[MX_SHA256_LEN], const struct short_token_row *row);
void short_token_db_delete(const struct hs_call *call, enum short_token_kind kind,
			   const uint8_t hash[MX_SHA256_LEN]);
size_t short_token_db_reap(struct store *store, enum short_token_kind kind, int64_t now_ms);

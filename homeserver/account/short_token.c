#include "homeserver/account/short_token.h"

#include "homeserver/account/short_token_db.h"
#include "homeserver/call.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"

void short_token_make(const struct hs_call *call, enum short_token_kind kind, const char *user,
		      int64_t life_ms, char ret_token[SHORT_TOKEN_LEN + 1])
{
	const struct short_token_row row = { user, call->now_ms + life_ms };
	uint8_t hash[MX_SHA256_LEN];

	mx_random_token(ret_token, SHORT_TOKEN_LEN);
	mx_sha256(mx_slice_of(ret_token, SHORT_TOKEN_LEN), hash);
	short_token_db_put(call, kind, hash, &row);
}

int short_token_user(const struct hs_call *call, enum short_token_kind kind, struct mx_slice token,
		     const char **ret_user)
{
	struct short_token_row row;
	uint8_t hash[MX_SHA256_LEN];
	int rc;

	mx_sha256(token, hash);
	rc = short_token_db_load(call, kind, hash, &row);
	if (rc == 0 && call->now_ms >= row.until_ms)
		rc = -MX_NOT_FOUND;
	if (rc == 0)
		*ret_user = row.user;
	return rc;
}

void short_token_spend(const struct hs_call *call, enum short_token_kind kind,
		       struct mx_slice token)
{
	uint8_t hash[MX_SHA256_LEN];

	mx_sha256(token, hash);
	short_token_db_delete(call, kind, hash);
}

size_t short_token_reap(struct store *store, int64_t now_ms)
{
	size_t reaped = 0;

	for (int kind = 0; kind < SHORT_TOKEN_KINDS; kind++)
		reaped += short_token_db_reap(store, (enum short_token_kind)kind, now_ms);
	return reaped;
}

/* Tokens for one purpose that are good for minutes: `m.login.token`, and OpenID tokens. Only their
 * SHA-256 is stored. */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;
struct store;

#define SHORT_TOKEN_LEN 43

enum short_token_kind { SHORT_TOKEN_LOGIN, SHORT_TOKEN_OPENID, SHORT_TOKEN_KINDS };

void short_token_make(const struct hs_call *call, enum short_token_kind kind, const char *user,
		      int64_t life_ms, char ret_token[SHORT_TOKEN_LEN + 1]);
/* Whose it is, in call->mem. -MX_NOT_FOUND also for one that is over. */
int short_token_user(const struct hs_call *call, enum short_token_kind kind, struct mx_slice token,
		     const char **ret_user);
void short_token_spend(const struct hs_call *call, enum short_token_kind kind,
		       struct mx_slice token);

/* Removes those that are over; how many. */
size_t short_token_reap(struct store *store, int64_t now_ms);

/* Tokens that the operator gives out so that their holders can register. Spec: client-server API,
 * "Token-authenticated registration". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;

#define REGISTRATION_TOKEN_MAX  64 /* characters */
#define REGISTRATION_TOKENS_MAX 10000

struct registration_token {
	const char *text;
	int64_t created_ms;
	int64_t until_ms; /* 0: for ever */
	uint64_t uses_max; /* 0: as many as there are */
	uint64_t uses;
};

struct registration_token_list {
	struct registration_token *items;
	size_t len;
};

/* text NULL: a new one, which is in *ret_text then. -MX_INVALID_PARAM for a text that none has,
 * or that is there already; -MX_RESOURCE_LIMIT. */
int registration_token_add(const struct hs_call *call, const struct registration_token *token,
			   const char **ret_text, struct mx_error *err);
/* -MX_NOT_FOUND. */
int registration_token_remove(const struct hs_call *call, const char *text, struct mx_error *err);
/* In the order of their texts. */
int registration_token_list(const struct hs_call *call, struct registration_token_list *ret_list);

bool registration_token_is_good(const struct hs_call *call, const char *text);
/* Counts one use: -MX_FORBIDDEN if there is none left. */
int registration_token_use(const struct hs_call *call, const char *text, struct mx_error *err);

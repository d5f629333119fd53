/* registration_token: text → when made, until when, uses. */
#pragma once

#include "homeserver/account/registration_token.h"

struct store_table;

extern const struct store_table registration_token_table;

/* -MX_NOT_FOUND. */
int registration_token_db_load(const struct hs_call *call, const char *text,
			       struct registration_token *ret_token);
void registration_token_db_put(const struct hs_call *call, const struct registration_token *token);
void registration_token_db_delete(const struct hs_call *call, const char *text);
int registration_token_db_list(const struct hs_call *call, size_t limit,
			       struct registration_token_list *ret_list);

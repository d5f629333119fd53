/* account: user → flags, when made, password, application service. */
#pragma once

#include "homeserver/account/account.h"

struct store_table;

extern const struct store_table account_table;

int account_db_load(const struct hs_call *call, struct mx_slice user, struct account *ret_account);
void account_db_put(const struct hs_call *call, const struct account *account);

int account_db_list(const struct hs_call *call, const struct page *page,
		    struct account_list *ret_list);

/* The user of a row, for store_watch(); false for a broken key. */
struct mx_str;
bool account_db_read_key(struct mx_slice key, struct mx_str *ret_user);

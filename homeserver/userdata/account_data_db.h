/* Records of account data, and in which order they changed. */
#pragma once

#include "homeserver/userdata/account_data.h"

#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct store_txn;

extern const struct store_table account_data_table, account_data_log_table;

/* In call->mem. -MX_NOT_FOUND. */
int account_data_db_load(const struct hs_call *call, const struct account_data_key *key,
			 struct account_data *ret_data);
/* One row once in a transaction. old_position: of the row that is replaced, 0 if there is none. */
void account_data_db_put(struct store_txn *txn, const struct account_data_key *key,
			 struct mx_slice content, uint64_t old_position);
void account_data_db_delete(struct store_txn *txn, const struct account_data_key *key,
			    uint64_t position);

/* By type; at most `limit`. */
int account_data_db_list(const struct hs_call *call, const char *user_id, uint32_t room,
			 size_t limit, struct account_data_list *ret_list);
/* All of the user's, by room and type. */
int account_data_db_list_all(const struct hs_call *call, const char *user_id,
			     struct account_data_list *ret_list);
/* Keys only (content is empty), in the order of positions > after. */
int account_data_db_log(const struct hs_call *call, const char *user_id, uint64_t after,
			struct account_data_list *ret_list);

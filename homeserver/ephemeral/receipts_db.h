/* Records of receipts, and in which order they changed. */
#pragma once

#include "homeserver/ephemeral/receipts.h"

#include <stdint.h>

struct hs_call;
struct store_txn;

/* The mark of a type, user and thread (as in `which`), in call->mem. -MX_NOT_FOUND. */
int receipts_db_load(const struct hs_call *call, uint32_t room, const struct receipt *which,
		     struct receipt *ret_receipt);
/* One mark once in a transaction. old_position: of the mark that is replaced, 0 if there is none.
 */
void receipts_db_put(struct store_txn *txn, uint32_t room, const struct receipt *receipt,
		     uint64_t old_position);

/* Of a room, by user; at most RECEIPTS_LIST_MAX. */
#define RECEIPTS_LIST_MAX 20000
int receipts_db_list(const struct hs_call *call, uint32_t room, struct receipt_list *ret_list);
/* In the order of positions > after; the same limit. */
int receipts_db_log(const struct hs_call *call, uint32_t room, uint64_t after,
		    struct receipt_list *ret_list);

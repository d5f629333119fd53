/*
 * Whose an address is by the word of another directory. It counts where we have no binding of our
 * own, and stands here so that hashes find it, too.
 */
#pragma once

#include "shared/core/slice.h"
#include "shared/threepid/threepid.h"

#include <stddef.h>

struct identity_call;
struct mx_arena;
struct store;
struct store_table;
struct store_txn;

extern const struct store_table listed_table;

struct listed {
	struct threepid threepid; /* canonical */
	const char *user_id;
	const char *source; /* which directory says so */
};

/* By call->txn or call->view, in mem; -MX_NOT_FOUND. Whether we have a binding does not matter. */
int listed_find(const struct identity_call *call, const struct threepid *threepid,
		struct listed *ret_listed);

/* Who is found by an identifier: the user of our binding in force, else the one that is listed.
 * In mem; -MX_NOT_FOUND. */
int listed_or_bound(const struct identity_call *call, const struct threepid *threepid,
		    const char **ret_user_id);

/* One row an identifier, with its hashes unless we have a binding. mem holds what is read. */
void listed_put(struct store_txn *txn, const struct listed *listed, struct mx_arena *mem);
void listed_delete(struct store_txn *txn, const struct threepid *threepid, struct mx_arena *mem);
/* Of the transaction: -MX_NOT_FOUND. */
int listed_load(struct store_txn *txn, const struct threepid *threepid, struct mx_arena *mem,
		struct listed *ret_listed);

/* A page of all behind the key `after` (empty: from the start); next.ptr is NULL at the end. */
struct listed_page {
	struct listed *items;
	size_t len;
	struct mx_slice next;
};

int listed_page(struct store_txn *txn, struct mx_slice after, size_t limit, struct mx_arena *mem,
		struct listed_page *ret_page);

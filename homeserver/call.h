/* What one piece of work reads and writes with: mostly a request's. */
#pragma once

#include "shared/core/slice.h"

#include <stdint.h>

struct hs;
struct mx_arena;
struct mx_error;
struct req;
struct store_key;
struct store_range;
struct store_rows;
struct store_table;
struct store_txn;
struct store_view;

struct hs_call {
	struct hs *hs;
	struct store_txn *txn; /* where the function's comment wants one… */
	struct store_view *view; /* …or only reads */
	struct mx_arena *mem;
	int64_t now_ms;
};

/* Of a handler: r->txn or r->view, whichever its route has. */
struct hs_call call_of(struct req *r);

/* A transaction of its own, which make() fills; again when somebody else was faster. The call needs
 * neither txn nor view. -MX_BUSY, or what make() fails with. */
typedef int call_change_fn(const struct hs_call *call, void *ctx, struct mx_error *err);
int call_change(const struct hs_call *call, call_change_fn *make, void *ctx, struct mx_error *err);

/* store_txn_get() or store_get(), by what the call has; into call->mem. For _db.c files. */
int call_get(const struct hs_call *call, const struct store_table *table, struct mx_slice key,
	     struct mx_slice *ret_value);
/* The same by a key of what somebody asks for: what no key can hold is -MX_NOT_FOUND. */
int call_find(const struct hs_call *call, const struct store_table *table,
	      const struct store_key *key, struct mx_slice *ret_value);
int call_scan(const struct hs_call *call, const struct store_table *table,
	      const struct store_range *range, struct store_rows *ret_rows);

#include "homeserver/call.h"

#include "homeserver/hs.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#define CONFLICTS_MAX 16

struct hs_call call_of(struct req *r)
{
	return (struct hs_call){
		.hs = r->app,
		.txn = r->txn,
		.view = r->view,
		.mem = r->mem,
		.now_ms = mx_now_ms(),
	};
}

int call_change(const struct hs_call *call, call_change_fn *make, void *ctx, struct mx_error *err)
{
	struct hs_call changing = *call;
	int rc = -MX_CONFLICT;

	changing.view = NULL;
	for (int i = 0; i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++) {
		changing.txn = store_txn_begin(call->hs->store);
		rc = make(&changing, ctx, err);
		if (rc)
			store_txn_abort(changing.txn);
		else
			rc = store_txn_commit(changing.txn, err);
	}
	return rc == -MX_CONFLICT ? mx_fail(err, MX_BUSY, "Too many requests at once") : rc;
}

int call_get(const struct hs_call *call, const struct store_table *table, struct mx_slice key,
	     struct mx_slice *ret_value)
{
	if (call->txn)
		return store_txn_get(call->txn, table, key, call->mem, ret_value);
	return store_get(call->view, table, key, call->mem, ret_value);
}

int call_scan(const struct hs_call *call, const struct store_table *table,
	      const struct store_range *range, struct store_rows *ret_rows)
{
	if (call->txn)
		return store_txn_scan(call->txn, table, range, call->mem, ret_rows);
	return store_scan(call->view, table, range, call->mem, ret_rows);
}

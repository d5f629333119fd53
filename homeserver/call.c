#include "homeserver/call.h"

#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

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

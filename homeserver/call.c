#include "homeserver/call.h"

#include "homeserver/hs.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/store/store.h"
#include "shared/store/store_reader.h"

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

static struct store_reader reader_of(const struct hs_call *call)
{
	return (struct store_reader){ .txn = call->txn, .view = call->view, .mem = call->mem };
}

int call_get(const struct hs_call *call, const struct store_table *table, struct mx_slice key,
	     struct mx_slice *ret_value)
{
	const struct store_reader reader = reader_of(call);

	return store_reader_get(&reader, table, key, ret_value);
}

int call_find(const struct hs_call *call, const struct store_table *table,
	      const struct store_key *key, struct mx_slice *ret_value)
{
	const struct store_reader reader = reader_of(call);

	return store_reader_find(&reader, table, key, ret_value);
}

int call_scan(const struct hs_call *call, const struct store_table *table,
	      const struct store_range *range, struct store_rows *ret_rows)
{
	const struct store_reader reader = reader_of(call);

	return store_reader_scan(&reader, table, range, ret_rows);
}

/* The admin listener: what waits to be sent. */
#include "identity/admin/admin.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/outbox/outbox.h"

static int read_from(struct req *r, uint64_t *ret_from)
{
	const char *text = req_query(r, "after");
	int64_t number = 0;

	if (text && (!mx_parse_i64(mx_slice(text), &number) || number < 0))
		return mx_fail(&r->err, MX_INVALID_PARAM, "after is not what a page ended with");
	*ret_from = (uint64_t)number;
	return 0;
}

/* Its pages end with numbers of items. */
static int get_outbox(struct req *r)
{
	const struct identity *identity = r->app;
	uint64_t from;
	int64_t limit;
	int rc = req_query_i64(r, "limit", 100, &limit);

	if (rc || limit < 1 || limit > PAGE_MAX)
		return mx_fail(&r->err, MX_INVALID_PARAM, "limit is 1 to %d", PAGE_MAX);
	rc = read_from(r, &from);
	if (rc)
		return rc;
	reply_json(r, outbox_list(identity->outbox, req_query(r, "kind"), from, (size_t)limit));
	return 0;
}

static int post_drop(struct req *r)
{
	const struct identity_call call = call_of(r);
	uint64_t id;
	int rc = admin_number(r, "id", &id);

	if (rc == 0)
		rc = outbox_cancel_in(call.identity->outbox, call.txn, id, &r->err);
	if (rc)
		return rc;
	admin_note(r, &call,
		   &(struct audit_note){ .what = "outbox.drop", .thing = req_param(r, "id") });
	return 0;
}

static int post_hasten(struct req *r)
{
	const struct identity_call call = call_of(r);
	uint64_t id;
	int rc = admin_number(r, "id", &id);

	if (rc)
		return rc;
	rc = outbox_hasten_in(call.txn, id);
	if (rc)
		return mx_fail(&r->err, (enum mx_code) - rc, "There is no such item");
	admin_note(r, &call,
		   &(struct audit_note){ .what = "outbox.try", .thing = req_param(r, "id") });
	return 0;
}

#define ITEM "/admin/v1/outbox/{id}"

const struct route outbox_admin_routes[] = {
	{ GET, "/admin/v1/outbox", get_outbox },
	{ POST, ITEM "/drop", post_drop, .txn = TXN_WRITE, .body = "identity/admin_reason" },
	{ POST, ITEM "/try", post_hasten, .txn = TXN_WRITE, .body = "identity/admin_note" },
	{ 0 },
};

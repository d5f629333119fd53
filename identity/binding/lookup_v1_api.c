/* Look-up of version 1 of the API: homeservers and old clients still use it. */
#include "identity/binding/lookup.h"
#include "identity/binding/lookup_v1.h"
#include "identity/budgets.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

#define BULK_BODY_MAX  (1024 * 1024)
#define BULK_NODES_MAX (5 * LOOKUP_ADDRESSES_MAX)

static int get_lookup(struct req *r)
{
	const struct identity_call call = call_of(r);
	const struct threepid as_sent = { req_query(r, "medium"), req_query(r, "address") };
	struct mx_slice json;
	char network[64];
	int rc;

	if (!as_sent.medium || !as_sent.address)
		return mx_fail(&r->err, MX_MISSING_PARAM, "%s is missing",
			       as_sent.medium ? "address" : "medium");
	budgets_prefix(r->client, network);
	rc = lookup_v1_one(&call, &as_sent, network, &json, &r->err);
	if (rc == 0 && json.ptr)
		reply_bytes(r, "application/json", json);
	return rc;
}

static int post_bulk_lookup(struct req *r)
{
	const struct identity_call call = call_of(r);
	char network[64];
	json_t *found;
	int rc;

	budgets_prefix(r->client, network);
	rc = lookup_v1_bulk(&call, json_object_get(r->body, "threepids"), network, &found, &r->err);
	if (rc == 0)
		reply_json(r, json_pack("{so}", "threepids", found));
	return rc;
}

const struct route lookup_v1_routes[] = {
	{ GET, IDENTITY_V1 "/lookup", get_lookup, .limit = LIMIT_QUERY, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "identity/lookup_v1.reply" },
	{ POST, IDENTITY_V1 "/bulk_lookup", post_bulk_lookup, .limit = LIMIT_QUERY, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .body = "identity/bulk_lookup",
	  .reply = "identity/bulk_lookup.reply", .body_max = BULK_BODY_MAX,
	  .nodes_max = BULK_NODES_MAX },
	{ 0 },
};

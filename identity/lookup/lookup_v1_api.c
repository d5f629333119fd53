/* Look-up of version 1 of the API: homeservers and old clients still use it. */
#include "identity/binding/lookup.h"
#include "identity/binding/lookup_cost.h"
#include "identity/binding/lookup_v1.h"
#include "identity/budget_kinds.h"
#include "identity/identity.h"
#include "identity/lookup/lookup_asked.h"
#include "identity/routes.h"
#include "identity/source/source.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define BULK_BODY_MAX  (1024 * 1024)
#define BULK_NODES_MAX (5 * LOOKUP_ADDRESSES_MAX)

/* The network was waited for without a view; the answer needs one again. */
static int associate(struct req *r, const struct threepid *threepid, const char *user_id)
{
	struct identity_call call = call_of(r);
	struct mx_slice json;
	int rc;

	call.view = store_view_begin(call.identity->store);
	rc = lookup_v1_associate(&call, threepid, user_id, &json, &r->err);
	store_view_end(call.view);
	if (rc == 0)
		reply_bytes(r, "application/json", json);
	return rc;
}

static int ask_for(struct req *r, const struct threepid *as_sent, const char *asker)
{
	const struct identity_call call = call_of(r);
	struct threepid threepid;
	const char *user_id = NULL;

	if (threepid_parse(as_sent->medium, as_sent->address, r->mem, &threepid, NULL))
		return 0;
	sources_ask(call.identity->sources, &threepid, 1, r->mem, &user_id);
	if (!user_id)
		return 0;
	lookup_cost_settle(&call, asker, 1);
	return associate(r, &threepid, user_id);
}

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
	if (r->lane == LANE_NET)
		return ask_for(r, &as_sent, network);
	rc = lookup_v1_one(&call, &as_sent, network, &json, &r->err);
	if (rc)
		return rc;
	if (json.ptr)
		reply_bytes(r, "application/json", json);
	else if (sources_are_asked(call.identity->sources))
		return -MX_MOVE_NET;
	return 0;
}

static int ask_for_the_rest(struct req *r, const json_t *threepids, const char *asker)
{
	const struct identity_call call = call_of(r);

	lookup_ask_pairs(&call, threepids, asker, lookup_found(r));
	reply_json(r, json_pack("{sO}", "threepids", lookup_found(r)));
	return 0;
}

static int post_bulk_lookup(struct req *r)
{
	const struct identity_call call = call_of(r);
	const json_t *threepids = json_object_get(r->body, "threepids");
	char network[64];
	json_t *found;
	int rc;

	budgets_prefix(r->client, network);
	if (r->lane == LANE_NET)
		return ask_for_the_rest(r, threepids, network);
	rc = lookup_v1_bulk(&call, threepids, network, &found, &r->err);
	if (rc)
		return rc;
	if (json_array_size(found) < json_array_size(threepids) && lookup_ask(r, found))
		return -MX_MOVE_NET;
	reply_json(r, json_pack("{so}", "threepids", found));
	return 0;
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

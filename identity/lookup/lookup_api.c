/* Spec: identity service API, "Association lookup". */
#include "identity/binding/lookup.h"
#include "identity/identity.h"
#include "identity/lookup/lookup_asked.h"
#include "identity/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

#define LOOKUP_BODY_MAX  (1024 * 1024)
#define LOOKUP_NODES_MAX (3 * LOOKUP_ADDRESSES_MAX)

/* Clients try again with the pepper that the refusal names. */
static void name_pepper(struct req *r, const char *algorithm)
{
	const struct identity *identity = r->app;
	char pepper[PEPPER_MAX + 1];

	pepper_current(identity->pepper, pepper);
	json_decref(r->err_fields);
	r->err_fields = json_pack("{ss ss}", "algorithm", algorithm, "lookup_pepper", pepper);
}

static json_t *algorithms(const struct identity *identity)
{
	if (pepper_allows_none(identity->pepper))
		return json_pack("[ss]", "sha256", "none");
	return json_pack("[s]", "sha256");
}

static int get_hash_details(struct req *r)
{
	const struct identity *identity = r->app;
	char pepper[PEPPER_MAX + 1];

	pepper_current(identity->pepper, pepper);
	reply_json(r, json_pack("{ss so}", "lookup_pepper", pepper, "algorithms",
				algorithms(identity)));
	return 0;
}

static struct lookup_request request_of(const struct req *r)
{
	return (struct lookup_request){
		.addresses = json_object_get(r->body, "addresses"),
		.algorithm = jstr(r->body, "algorithm"),
		.pepper = jstr(r->body, "pepper"),
		.asker = r->user,
	};
}

static int ask_for_the_rest(struct req *r)
{
	const struct identity_call call = call_of(r);
	const struct lookup_request request = request_of(r);

	lookup_ask_words(&call, &request, lookup_found(r));
	reply_json(r, json_pack("{sO}", "mappings", lookup_found(r)));
	return 0;
}

static int post_lookup(struct req *r)
{
	const struct identity_call call = call_of(r);
	const struct lookup_request request = request_of(r);
	json_t *mappings;
	int rc;

	if (r->lane == LANE_NET)
		return ask_for_the_rest(r);
	rc = lookup_addresses(&call, &request, &mappings, &r->err);
	if (rc == -MX_INVALID_PEPPER)
		name_pepper(r, request.algorithm);
	if (rc)
		return rc;
	if (streq(request.algorithm, "none") &&
	    json_object_size(mappings) < json_array_size(request.addresses) &&
	    lookup_ask(r, mappings))
		return -MX_MOVE_NET;
	reply_json(r, json_pack("{so}", "mappings", mappings));
	return 0;
}

const struct route lookup_routes[] = {
	{ GET, IDENTITY_V2 "/hash_details", get_hash_details, .auth = AUTH_USER,
	  .limit = LIMIT_READ, .flags = ROUTE_CORS, .reply = "identity/hash_details.reply" },
	{ POST, IDENTITY_V2 "/lookup", post_lookup, .auth = AUTH_USER, .limit = LIMIT_QUERY,
	  .txn = TXN_READ, .flags = ROUTE_CORS, .body = "identity/lookup",
	  .reply = "identity/lookup.reply", .body_max = LOOKUP_BODY_MAX,
	  .nodes_max = LOOKUP_NODES_MAX },
	{ 0 },
};

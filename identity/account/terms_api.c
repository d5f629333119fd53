/* Spec: identity service API, "Terms of service". */
#include "identity/account/terms.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static int get_terms(struct req *r)
{
	const struct identity *identity = r->app;

	reply_json(r, terms_json(identity->terms));
	return 0;
}

static int post_terms(struct req *r)
{
	const struct identity_call call = call_of(r);
	const struct terms_acceptance acceptance = {
		.user_id = r->user,
		.urls = jarr(r->body, "user_accepts"),
		.client = r->client,
	};

	return terms_accept(&call, &acceptance, &r->err);
}

#define TERMS IDENTITY_V2 "/terms"

const struct route terms_routes[] = {
	{ GET, TERMS, get_terms, .limit = LIMIT_READ, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .reply = "identity/terms.reply" },
	{ POST, TERMS, post_terms, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_BEFORE_TERMS, .body = "identity/terms",
	  .reply = "identity/empty" },
	{ 0 },
};

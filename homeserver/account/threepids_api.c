/* Spec: client-server API, "Adding Account Administrative Contact Information". */
#include "homeserver/account/address_claim.h"
#include "homeserver/account/threepid_server.h"
#include "homeserver/account/threepids.h"
#include "homeserver/account/uia.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static int get_all(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct account_threepids all;
	json_t *list = json_array();
	int rc = threepids_list(&call, r->user, &all);

	for (size_t i = 0; rc == 0 && i < all.len; i++) {
		const struct account_threepid *item = &all.items[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I}", "medium",
						      item->threepid.medium, "address",
						      item->threepid.address, "validated_at",
						      (json_int_t)item->validated_ms, "added_at",
						      (json_int_t)item->added_ms));
	}
	reply_json(r, json_pack("{s:o}", "threepids", list));
	return rc;
}

/* ---- adding */

static int check_changes(struct req *r)
{
	if (*conf_of(r->app)->threepids.changes)
		return 0;
	return mx_fail(&r->err, MX_FORBIDDEN,
		       "People do not change their addresses here themselves");
}

static int add(struct req *r, const json_t *creds)
{
	const struct hs_call call = call_of(r);
	struct account_threepid added = { .added_ms = call.now_ms };
	struct claim claim;
	int rc = address_proof(&call, jstr(creds, "sid"), jstr(creds, "client_secret"), &claim,
			       &r->err);

	if (rc)
		return rc;
	added.threepid = claim.threepid;
	added.validated_ms = claim.validated_ms;
	rc = threepids_add(&call, r->user, &added, &r->err);
	if (rc == 0)
		uia_spend(&call, r);
	return rc;
}

static int post_add(struct req *r)
{
	int rc = check_changes(r);

	return rc ? rc : add(r, r->body);
}

/* Before /add and /bind there were, this was how. Spec: "equivalent to /3pid/add", with sessions of
 * this homeserver. */
static int post_old_add(struct req *r)
{
	const json_t *creds = jobj(r->body, "three_pid_creds");
	int rc = check_changes(r);

	if (rc == 0 && !creds)
		creds = jobj(r->body, "threePidCreds");
	if (rc == 0 && (!jstr(creds, "sid") || !jstr(creds, "client_secret")))
		rc = mx_fail(&r->err, MX_MISSING_PARAM, "Missing: sid or client_secret");
	return rc ? rc : add(r, creds);
}

/* ---- identity servers; these wait for the network */

static int post_bind(struct req *r)
{
	const struct hs_call call = call_of(r);

	return threepid_server_bind(&call, r->user, r->body, &r->err);
}

static void reply_result(struct req *r, bool unbound)
{
	reply_json(r, json_pack("{s:s}", "id_server_unbind_result",
				unbound ? "success" : "no-support"));
}

static int read_threepid(struct req *r, struct threepid *ret_threepid)
{
	int rc = threepid_parse(jstr(r->body, "medium"), jstr(r->body, "address"), r->mem,
				ret_threepid, &r->err);

	return rc == -MX_INVALID_EMAIL || rc == -MX_INVALID_ADDRESS
		       ? mx_fail(&r->err, MX_INVALID_PARAM, "The address is not valid")
		       : rc;
}

static int post_unbind(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct threepid threepid;
	bool unbound;
	int rc = read_threepid(r, &threepid);

	if (rc)
		return rc;
	unbound = threepid_server_unbind(&call, r->user, &threepid, jstr(r->body, "id_server"));
	reply_result(r, unbound);
	return 0;
}

/* Gone from the account in any case, and known no more by it when that is answered. */
static int post_delete(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct threepid threepid;
	bool unbound;
	int rc = check_changes(r);

	if (rc == 0)
		rc = read_threepid(r, &threepid);
	if (rc == 0)
		rc = threepid_server_forget(&call, r->user, &threepid, &r->err);
	if (rc)
		return rc;
	unbound = threepid_server_unbind(&call, r->user, &threepid, jstr(r->body, "id_server"));
	reply_result(r, unbound);
	return 0;
}

#define THREEPID CLIENT_V3 "/account/3pid"

const struct route threepids_routes[] = {
	{ GET, THREEPID, get_all, .auth = AUTH_USER, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "client/threepids.reply" },
	{ POST, THREEPID, post_old_add, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_UIA, .body = "client/threepid_old_add",
	  .reply = "client/empty.reply" },
	{ POST, THREEPID "/add", post_add, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_UIA, .body = "client/threepid_add",
	  .reply = "client/empty.reply" },
	{ POST, THREEPID "/bind", post_bind, .auth = AUTH_USER, .limit = LIMIT_EDIT,
	  .lane = LANE_NET, .flags = ROUTE_CORS, .body = "client/threepid_bind",
	  .reply = "client/empty.reply" },
	{ POST, THREEPID "/unbind", post_unbind, .auth = AUTH_USER, .limit = LIMIT_EDIT,
	  .lane = LANE_NET, .flags = ROUTE_CORS | ROUTE_SUSPENDED, .body = "client/threepid",
	  .reply = "client/unbound.reply" },
	{ POST, THREEPID "/delete", post_delete, .auth = AUTH_USER, .limit = LIMIT_EDIT,
	  .lane = LANE_NET, .flags = ROUTE_CORS | ROUTE_SUSPENDED, .body = "client/threepid",
	  .reply = "client/unbound.reply" },
	{ 0 },
};

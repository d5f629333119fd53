/* Spec: client-server API, "Account deactivation"; and the same for the operator. */
#include "homeserver/account/ending.h"
#include "homeserver/account/uia.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/daemon/admin_page.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define CONFLICTS_MAX 5

static int begin(struct req *r, const struct ending *ending)
{
	int rc = -MX_CONFLICT;

	for (int i = 0; i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++) {
		struct hs_call call = call_of(r);

		call.txn = store_txn_begin(call.hs->store);
		rc = ending_begin(&call, ending, &r->err);
		if (rc) {
			store_txn_abort(call.txn);
			return rc;
		}
		uia_spend(&call, r);
		rc = store_txn_commit(call.txn, &r->err);
	}
	return rc == -MX_CONFLICT ? mx_fail(&r->err, MX_BUSY, "Too many requests at once") : rc;
}

static int end(struct req *r, const char *user)
{
	const struct hs_call call = call_of(r);
	const struct ending ending = {
		.user = user,
		.erase = jbool(r->body, "erase", false),
		.id_server = jstr(r->body, "id_server"),
	};
	bool unbound = false;
	int rc = begin(r, &ending);

	if (rc == 0)
		rc = ending_finish(&call, user, &unbound, &r->err);
	if (rc == 0)
		reply_json(r, json_pack("{s:s}", "id_server_unbind_result",
					unbound ? "success" : "no-support"));
	return rc;
}

static int post_deactivate(struct req *r)
{
	return end(r, r->user);
}

/* Somebody may wish to be forgotten after their account has ended. */
static int post_deactivate_user(struct req *r)
{
	return end(r, req_param(r, "userId"));
}

const struct route ending_admin_routes[] = {
	{ POST, ADMIN_V1 "/users/{userId:user_id}/deactivate", post_deactivate_user,
	  .lane = LANE_NET, .body = "homeserver_admin/deactivate" },
	{ 0 },
};

const struct route ending_routes[] = {
	{ POST, CLIENT_V3 "/account/deactivate", post_deactivate, .auth = AUTH_USER,
	  .limit = LIMIT_LOGIN, .lane = LANE_NET, .flags = ROUTE_CORS | ROUTE_UIA | ROUTE_SUSPENDED,
	  .body = "client/deactivate", .reply = "client/unbound.reply" },
	{ 0 },
};

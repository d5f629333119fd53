/* Spec: client-server API, "Account deactivation"; and the same for the operator. */
#include "homeserver/account/uia.h"
#include "homeserver/call.h"
#include "homeserver/ending/ending.h"
#include "homeserver/hs.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/daemon/admin_page.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

struct wish {
	struct req *r;
	struct ending ending;
};

static int begin(const struct hs_call *call, void *ctx, struct mx_error *err)
{
	const struct wish *wish = ctx;

	uia_spend(call, wish->r);
	return ending_begin(call, &wish->ending, err);
}

static int end(struct req *r, const char *user)
{
	const struct hs_call call = call_of(r);
	struct wish wish = { r,
			     { .user = user,
			       .erase = jbool(r->body, "erase", false),
			       .id_server = jstr(r->body, "id_server") } };
	bool unbound = false;
	int rc = call_change(&call, begin, &wish, &r->err);

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
	  .limit = LIMIT_LOGIN, .lane = LANE_NET,
	  .flags = ROUTE_CORS | ROUTE_UIA | ROUTE_SUSPENDED | ROUTE_OPTIONAL_BODY,
	  .body = "client/deactivate", .reply = "client/unbound.reply" },
	{ 0 },
};

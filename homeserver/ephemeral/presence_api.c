/* Spec: client-server API, "Presence". */
#include "homeserver/call.h"
#include "homeserver/ephemeral/presence.h"
#include "homeserver/routes.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

#include <string.h>

static int put_status(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *status = jstr(r->body, "status_msg");
	enum presence_state state;

	if (!presence_state_parse(jstr(r->body, "presence"), &state))
		return mx_fail(&r->err, MX_INVALID_PARAM, "There is no such state of presence");
	if (status && strlen(status) > PRESENCE_STATUS_MAX)
		return mx_fail(&r->err, MX_INVALID_PARAM, "A status message has at most %d bytes",
			       PRESENCE_STATUS_MAX);
	presence_set(&call, r->user, state, status);
	return 0;
}

static json_t *status_json(const struct presence_status *status)
{
	json_t *json = json_pack("{s:s}", "presence", presence_state_name(status->state));

	if (status->state == PRESENCE_ONLINE)
		json_object_set_new(json, "currently_active",
				    json_boolean(status->currently_active));
	if (status->last_active_ago >= 0)
		json_object_set_new(json, "last_active_ago", json_integer(status->last_active_ago));
	if (status->status)
		json_object_set_new(json, "status_msg", json_string(status->status));
	return json;
}

static int get_status(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct presence_status status;
	int rc = presence_load(&call, r->user, req_param(r, "userId"), &status);

	if (rc == -MX_FORBIDDEN)
		return mx_fail(&r->err, MX_FORBIDDEN, "You share no room with that user");
	if (rc == 0)
		reply_json(r, status_json(&status));
	return rc;
}

const struct route presence_routes[] = {
	{ PUT, CLIENT_V3 "/presence/{userId:me}/status", put_status, .auth = AUTH_USER,
	  .limit = LIMIT_EDIT, .txn = TXN_READ, .flags = ROUTE_CORS, .body = "client/presence",
	  .reply = "client/empty.reply" },
	{ GET, CLIENT_V3 "/presence/{userId:user_id}/status", get_status, .auth = AUTH_USER,
	  .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS,
	  .reply = "client/presence.reply" },
	{ 0 },
};

/* Spec: client-server API, "Room Summaries". */
#include "homeserver/call.h"
#include "homeserver/directory/alias.h"
#include "homeserver/directory/room_summary.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/id/mxid.h"

static int get_summary(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *room = req_param(r, "roomIdOrAlias");
	struct mx_id id;
	json_t *summary;
	int rc = 0;

	if (*room == '#')
		rc = alias_resolve(&call, room, &room, &r->err);
	else if (!mx_room_id_parse(mx_slice(room), &id))
		rc = mx_fail(&r->err, MX_INVALID_PARAM, "That is neither a room nor an alias");
	if (rc == 0)
		rc = room_summary_load(&call, room, r->user, &summary, &r->err);
	if (rc == 0)
		reply_json(r, summary);
	return rc;
}

const struct route room_summary_routes[] = {
	{ GET, CLIENT_V1 "/room_summary/{roomIdOrAlias}", get_summary, .auth = AUTH_OPTIONAL,
	  .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS | ROUTE_GUESTS,
	  .reply = "client/room_summary.reply" },
	{ 0 },
};

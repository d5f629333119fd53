/* Spec: client-server API, "Reporting Content". Reports are for the administrator, who finds them
 * at the admin listener. */
#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/directory/remote.h"
#include "homeserver/directory/room_access.h"
#include "homeserver/report/report_db.h"
#include "homeserver/room/event_db.h"
#include "homeserver/room/room_db.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static struct report report_of(struct req *r)
{
	const json_t *score = json_object_get(r->body, "score");

	return (struct report){
		.reporter = r->user,
		.room_id = "",
		.event_id = "",
		.user_id = "",
		.reason = jstr_or(r->body, "reason", ""),
		.has_score = score != NULL,
		.score = json_integer_value(score),
	};
}

static int report_room(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct report report = report_of(r);
	uint32_t room;
	int rc;

	report.room_id = req_param(r, "roomId");
	rc = room_db_find(&call, mx_slice(report.room_id), &room);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND, "The room was not found");
	if (rc == 0)
		report_db_add(&call, &report);
	return rc;
}

static int find_event(const struct hs_call *call, struct report *report)
{
	struct stored_event event;
	uint32_t room;
	int rc = room_db_find(call, mx_slice(report->room_id), &room);

	if (rc == 0 && !room_access_is_joined(call, room, report->reporter))
		return -MX_NOT_FOUND;
	if (rc == 0)
		rc = event_db_load_id(call, room, mx_slice(report->event_id), &event);
	if (rc == 0 && (event.header.flags & EVENT_HIDDEN))
		return -MX_NOT_FOUND;
	return rc;
}

static int report_event(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct report report = report_of(r);
	int rc;

	report.room_id = req_param(r, "roomId");
	report.event_id = req_param(r, "eventId");
	rc = find_event(&call, &report);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND,
			       "The event was not found, or you are not in the room");
	if (rc == 0)
		report_db_add(&call, &report);
	return rc;
}

/* Nobody learns from it which accounts there are: what is about nobody of ours is not kept. */
static int report_user(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct report report = report_of(r);

	report.user_id = req_param(r, "userId");
	if (!id_is_local(call.hs, report.user_id) ||
	    account_exists(&call, mx_slice(report.user_id)))
		report_db_add(&call, &report);
	return 0;
}

#define REPORT                                                    \
	.auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE, \
	.flags = ROUTE_CORS | ROUTE_SUSPENDED, .reply = "client/empty.reply"

const struct route report_routes[] = {
	{ POST, CLIENT_V3 "/rooms/{roomId:room_id}/report", report_room, REPORT,
	  .body = "client/report_reason" },
	{ POST, CLIENT_V3 "/rooms/{roomId:room_id}/report/{eventId:event_id}", report_event, REPORT,
	  .body = "client/report_event" },
	{ POST, CLIENT_V3 "/users/{userId:user_id}/report", report_user, REPORT,
	  .body = "client/report_reason" },
	{ 0 },
};

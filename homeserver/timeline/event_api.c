/* Spec: client-server API, "Getting events for a room": a single event. Whoever may not see it is
 * told that it is not there. */
#include "homeserver/routes.h"
#include "homeserver/timeline/reading.h"
#include "shared/core/error.h"
#include "shared/http/request.h"

static int not_found(struct req *r, int rc)
{
	if (rc != -MX_FORBIDDEN && rc != -MX_NOT_FOUND)
		return rc;
	return mx_fail(&r->err, MX_NOT_FOUND, "There is no such event");
}

static int write_event(struct req *r, struct mx_slice room_id)
{
	struct stored_event event;
	struct reading reading;
	int rc = reading_begin(&reading, r, room_id);

	if (rc)
		return not_found(r, rc);
	rc = reading_find(&reading, mx_slice(req_param(r, "eventId")), &event);
	if (rc == 0)
		event_view(&reading.call, &reading.viewer, &event, &reading.out);
	return reading_end(&reading, rc);
}

static int get_event(struct req *r)
{
	return write_event(r, mx_slice(req_param(r, "roomId")));
}

/* Of any room: deprecated, but specified. */
static int get_event_of_any(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct room_head head;
	uint32_t room, number;
	int rc = event_db_find(&call, mx_slice(req_param(r, "eventId")), &room, &number);

	if (rc == 0)
		rc = room_db_head(&call, room, &head);
	return rc ? not_found(r, rc) : write_event(r, head.id);
}

const struct route event_routes[] = {
	{ GET, CLIENT_V3 "/rooms/{roomId:room_id}/event/{eventId:event_id}", get_event,
	  .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS,
	  .reply = "client/event.reply" },
	{ GET, CLIENT_V3 "/events/{eventId:event_id}", get_event_of_any, .auth = AUTH_USER,
	  .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS,
	  .reply = "client/event.reply" },
	{ 0 },
};

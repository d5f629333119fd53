/* Spec: client-server API, "Getting events for a room": the state of a room, as it is or, for who
 * left, as it was then. */
#include "homeserver/routes.h"
#include "homeserver/timeline/reading.h"
#include "shared/core/error.h"
#include "shared/http/request.h"

static int get_whole_state(struct req *r)
{
	struct reading reading;
	int rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));

	if (rc == 0) {
		mx_str_add_char(&reading.out, '[');
		rc = reading_state(&reading, &reading.state, STATE_ALL, NULL);
		mx_str_add_char(&reading.out, ']');
	}
	return reading_end(&reading, rc);
}

static int query_format(struct req *r, bool *ret_event)
{
	const char *format = req_query(r, "format");

	*ret_event = streq(format, "event");
	if (format && !*ret_event && !streq(format, "content"))
		return mx_fail(&r->err, MX_INVALID_PARAM, "format must be content or event");
	return 0;
}

static int write_state(struct reading *reading, const char *type, const char *key)
{
	const struct event_viewer viewer = { .user_id = reading->viewer.user_id,
					     .device = reading->viewer.device,
					     .visibility = &reading->visibility };
	struct stored_event event;
	bool whole;
	int rc = query_format(reading->r, &whole);

	if (rc == 0)
		rc = state_reader_load(&reading->reader, &reading->state, type, mx_slice(key),
				       &event);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&reading->r->err, MX_NOT_FOUND, "The room has no such state");
	if (rc)
		return rc;
	if (whole)
		event_view(&reading->call, &viewer, &event, &reading->out);
	else
		event_view_content(&reading->call, &viewer, &event, &reading->out);
	return 0;
}

static int get_one(struct req *r, const char *state_key)
{
	struct reading reading;
	int rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));

	if (rc == 0)
		rc = write_state(&reading, req_param(r, "eventType"), state_key);
	return reading_end(&reading, rc);
}

static int get_state(struct req *r)
{
	return get_one(r, req_param(r, "stateKey"));
}

/* Of the empty key, which may be left out together with the slash before it. */
static int get_state_of_type(struct req *r)
{
	return get_one(r, "");
}

#define STATE CLIENT_V3 "/rooms/{roomId:room_id}/state"
#define READ  .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_READ, .txn = TXN_READ

const struct route state_read_routes[] = {
	{ GET, STATE, get_whole_state, READ, .flags = ROUTE_CORS,
	  .reply = "client/room_state.reply" },
	{ GET, STATE "/{eventType}", get_state_of_type, READ, .flags = ROUTE_CORS | ROUTE_SLASH,
	  .reply = "client/state.reply" },
	{ GET, STATE "/{eventType}/{stateKey}", get_state, READ, .flags = ROUTE_CORS,
	  .reply = "client/state.reply" },
	{ 0 },
};

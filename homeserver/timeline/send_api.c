/* Spec: client-server API, "Sending events to a room" and "Redactions". */
#include "homeserver/call.h"
#include "homeserver/ephemeral/presence.h"
#include "homeserver/event/event_types.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/routes.h"
#include "homeserver/timeline/send.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"

static struct client_txn request_of(struct req *r, const char *endpoint, const char *what)
{
	return (struct client_txn){
		.user = r->user,
		.device = r->device,
		.endpoint = endpoint,
		.room_id = req_param(r, "roomId"),
		.what = what,
		.id = req_param(r, "txnId"),
	};
}

static int answer(struct req *r, const struct message *message)
{
	const struct hs_call call = call_of(r);
	struct room_turn *turn = NULL;
	const char *event_id;
	int rc = send_message(&call, message, &turn, &event_id, &r->err);

	if (rc == 0) {
		presence_active(&call, r->user);
		reply_json(r, json_pack("{s:s}", "event_id", event_id));
	}
	return turn_answer(turn, r, rc);
}

static int check_redacts(struct req *r, const char *redacts)
{
	struct mx_id id;

	if (!redacts || !mx_event_id_parse(mx_slice(redacts), &id))
		return mx_fail(&r->err, MX_BAD_JSON, "redacts must be the id of an event");
	return 0;
}

static int send_event(struct req *r)
{
	struct message message = {
		.request = request_of(r, "send", req_param(r, "eventType")),
		.type = req_param(r, "eventType"),
		.content = r->body,
	};
	int rc = 0;

	if (streq(message.type, TYPE_REDACTION)) {
		message.redacts = jstr(r->body, "redacts");
		rc = check_redacts(r, message.redacts);
	}
	return rc ? rc : answer(r, &message);
}

static int redact_event(struct req *r)
{
	const char *event_id = req_param(r, "eventId");
	const struct message message = {
		.request = request_of(r, "redact", event_id),
		.type = TYPE_REDACTION,
		.content = r->body,
		.redacts = event_id,
	};
	const json_t *said = json_object_get(r->body, "redacts");

	if (said && !streq(json_string_value(said), event_id))
		return mx_fail(&r->err, MX_INVALID_PARAM,
			       "redacts is another event than that of the path");
	return answer(r, &message);
}

#define ROOM CLIENT_V3 "/rooms/{roomId:room_id}"

const struct route send_routes[] = {
	{ PUT, ROOM "/send/{eventType}/{txnId}", send_event, .auth = AUTH_USER,
	  .limit = LIMIT_MESSAGE, .flags = ROUTE_CORS | ROUTE_GUESTS, .body = "client/content",
	  .reply = "client/event_id.reply" },
	{ PUT, ROOM "/redact/{eventId:event_id}/{txnId}", redact_event, .auth = AUTH_USER,
	  .limit = LIMIT_MESSAGE, .flags = ROUTE_CORS | ROUTE_SUSPENDED, .body = "client/redact",
	  .reply = "client/event_id.reply" },
	{ 0 },
};

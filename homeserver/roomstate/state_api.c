/* Saying state. Spec: client-server API, PUT …/rooms/{roomId}/state/…. Reading it is in
 * timeline/. */
#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/ingest/state_same.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/guests.h"
#include "homeserver/member/member.h"
#include "homeserver/roomstate/state_check.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"

static int answer(struct req *r, struct room_turn *turn, const struct event *event, int rc)
{
	if (rc == 0)
		reply_json(r, json_pack("{s:s%}", "event_id", event->id.ptr, event->id.len));
	return turn_answer(turn, r, rc);
}

/* Also a way to join, invite, kick and so on, with all that belongs to it. */
static int put_member(struct req *r, const char *user_id)
{
	const struct hs_call call = call_of(r);
	const struct member_change change = {
		.room_id = req_param(r, "roomId"),
		.sender = r->user,
		.target = user_id,
		.membership = membership_of(jslice(r->body, "membership")),
		.content = r->body,
		.device = r->device,
	};
	const struct event *event = NULL;
	struct room_turn *turn = NULL;
	struct mx_id id;
	int rc = member_content_check(r->body, &r->err);

	if (rc == 0 && !mx_user_id_parse(mx_slice(user_id), false, &id))
		rc = mx_fail(&r->err, MX_INVALID_PARAM, "The state key of a membership is a user");
	if (rc == 0)
		rc = member_change(&call, &change, &turn, &event, &r->err);
	return answer(r, turn, event, rc);
}

static int send_state(struct req *r, struct room_turn *turn, const struct event_wish *wish,
		      const struct event **ret_event)
{
	int rc;

	/* Who is not in the room learns nothing of it by what is checked before the rules are. */
	if (turn_membership(turn, wish->sender) != MEMBERSHIP_JOIN)
		return mx_fail(&r->err, MX_FORBIDDEN, "You are not in this room");
	*ret_event = state_same(turn, wish);
	if (*ret_event)
		return 0;
	rc = state_check(turn, wish->type, wish->content, &r->err);
	if (rc == 0)
		rc = turn_send(turn, wish, ret_event, &r->err);
	if (rc == 0 && streq(wish->type, TYPE_GUEST_ACCESS))
		rc = guests_put_out(turn, &r->err);
	return rc;
}

static int put(struct req *r, const char *state_key)
{
	const struct hs_call call = call_of(r);
	const struct event_wish wish = {
		.type = req_param(r, "eventType"),
		.sender = r->user,
		.state_key = state_key,
		.content = r->body,
		.device = r->device,
	};
	const struct event *event = NULL;
	struct room_turn *turn = NULL;
	int rc;

	if (streq(wish.type, TYPE_MEMBER))
		return put_member(r, state_key);
	rc = turn_begin_inside(&call, req_param(r, "roomId"), &turn, &r->err);
	if (rc == 0)
		rc = send_state(r, turn, &wish, &event);
	return answer(r, turn, event, rc);
}

static int put_state(struct req *r)
{
	return put(r, "");
}

static int put_keyed_state(struct req *r)
{
	return put(r, req_param(r, "stateKey"));
}

#define STATE CLIENT_V3 "/rooms/{roomId:room_id}/state/{eventType}"

const struct route state_routes[] = {
	{ PUT, STATE, put_state, .auth = AUTH_USER, .limit = LIMIT_MESSAGE,
	  .flags = ROUTE_CORS | ROUTE_SLASH | ROUTE_GUESTS, .body = "client/content",
	  .reply = "client/event_id.reply" },
	{ PUT, STATE "/{stateKey}", put_keyed_state, .auth = AUTH_USER, .limit = LIMIT_MESSAGE,
	  .flags = ROUTE_CORS | ROUTE_GUESTS, .body = "client/content",
	  .reply = "client/event_id.reply" },
	{ 0 },
};

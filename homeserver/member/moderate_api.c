/* Changing others' memberships: inviting, kicking, banning, unbanning.
 * Spec: client-server API, "Joining rooms", "Leaving rooms". */
#include "homeserver/call.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/member.h"
#include "homeserver/member/threepid_invite.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static struct member_change change_of(struct req *r, enum membership membership)
{
	return (struct member_change){
		.room_id = req_param(r, "roomId"),
		.sender = r->user,
		.target = jstr(r->body, "user_id"),
		.membership = membership,
		.reason = jstr(r->body, "reason"),
		.device = r->device,
	};
}

static int change(struct req *r, const struct member_change *wanted)
{
	const struct hs_call call = call_of(r);
	struct room_turn *turn = NULL;
	const struct event *event;
	int rc = member_change(&call, wanted, &turn, &event, &r->err);

	return turn_answer(turn, r, rc);
}

static int check_inside(enum membership now, struct mx_error *err)
{
	if (now == MEMBERSHIP_JOIN || now == MEMBERSHIP_INVITE || now == MEMBERSHIP_KNOCK)
		return 0;
	return mx_fail(err, MX_FORBIDDEN, "The user is not in the room");
}

static int check_banned(enum membership now, struct mx_error *err)
{
	return now == MEMBERSHIP_BAN ? 0 : mx_fail(err, MX_FORBIDDEN, "The user is not banned");
}

/* Both set a user to `leave`; what the user was decides which of the two it is. */
static int put_out(struct req *r, int (*check)(enum membership now, struct mx_error *err))
{
	const struct hs_call call = call_of(r);
	const struct member_change wanted = change_of(r, MEMBERSHIP_LEAVE);
	struct room_turn *turn = NULL;
	const struct event *event;
	int rc = turn_begin_inside(&call, wanted.room_id, &turn, &r->err);

	if (rc == 0)
		rc = check(turn_membership(turn, wanted.target), &r->err);
	if (rc == 0)
		rc = member_change_in(turn, &wanted, &event, &r->err);
	return turn_answer(turn, r, rc);
}

static int kick(struct req *r)
{
	return put_out(r, check_inside);
}

static int unban(struct req *r)
{
	return put_out(r, check_banned);
}

static int ban(struct req *r)
{
	const struct member_change wanted = change_of(r, MEMBERSHIP_BAN);

	return change(r, &wanted);
}

static int invite_address(struct req *r)
{
	const struct hs_call call = call_of(r);
	const struct threepid_asking asking = {
		.room_id = req_param(r, "roomId"),
		.sender = r->user,
		.invite = r->body,
	};

	if (r->lane != LANE_NET)
		return -MX_MOVE_NET;
	return threepid_invite(&call, &asking, &r->err);
}

static int invite(struct req *r)
{
	const struct member_change wanted = change_of(r, MEMBERSHIP_INVITE);

	if (wanted.target)
		return change(r, &wanted);
	if (json_object_get(r->body, "medium"))
		return invite_address(r);
	return mx_fail(&r->err, MX_MISSING_PARAM, "user_id is missing");
}

#define ROOM CLIENT_V3 "/rooms/{roomId:room_id}"
#define EDIT .auth = AUTH_USER, .limit = LIMIT_EDIT, .reply = "client/empty.reply"

const struct route moderate_routes[] = {
	{ POST, ROOM "/invite", invite, EDIT, .flags = ROUTE_CORS, .body = "client/invite" },
	{ POST, ROOM "/kick", kick, EDIT, .flags = ROUTE_CORS, .body = "client/user_reason" },
	{ POST, ROOM "/ban", ban, EDIT, .flags = ROUTE_CORS, .body = "client/user_reason" },
	{ POST, ROOM "/unban", unban, EDIT, .flags = ROUTE_CORS, .body = "client/user_reason" },
	{ 0 },
};

/* Coming in: joining and knocking. Spec: client-server API, "Joining rooms". */
#include "homeserver/call.h"
#include "homeserver/directory/alias.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/member.h"
#include "homeserver/member/threepid_invite.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"

static int find_room(struct req *r, const char *room, const char **ret_room_id)
{
	const struct hs_call call = call_of(r);
	struct mx_id id;

	if (*room == '#')
		return alias_resolve(&call, room, ret_room_id, &r->err);
	if (!mx_room_id_parse(mx_slice(room), &id))
		return mx_fail(&r->err, MX_INVALID_PARAM, "That is neither a room nor an alias");
	*ret_room_id = room;
	return 0;
}

static int come_in(struct req *r, const char *room, enum membership membership)
{
	const struct hs_call call = call_of(r);
	struct member_change change = {
		.sender = r->user,
		.target = r->user,
		.membership = membership,
		.reason = jstr(r->body, "reason"),
		.via = req_query(r, "via"),
		.device = r->device,
	};
	struct room_turn *turn = NULL;
	const struct event *event;
	int rc = find_room(r, room, &change.room_id);

	if (rc == 0)
		rc = member_change(&call, &change, &turn, &event, &r->err);
	if (rc == 0)
		reply_json(r, json_pack("{s:s}", "room_id", change.room_id));
	return turn_answer(turn, r, rc);
}

/* With an invite by e-mail that the client got signed itself, instead of by binding the address.
 * The room invites the user first, which takes asking the identity server whether it still knows
 * its key. */
static int accept_threepid(struct req *r, const char *room)
{
	static const char done[] = "invited";
	const struct hs_call call = call_of(r);
	const json_t *proof = jobj(r->body, "third_party_signed");
	struct threepid_proof signed_invite = { .user_id = r->user, .signed_token = proof };
	int rc;

	if (!proof || r->kept)
		return 0;
	if (r->lane != LANE_NET)
		return -MX_MOVE_NET;
	if (!streq(jstr(proof, "mxid"), r->user))
		return mx_fail(&r->err, MX_FORBIDDEN, "third_party_signed is of another user");
	signed_invite.sender = jstr(proof, "sender");
	rc = find_room(r, room, &signed_invite.room_id);
	if (rc == 0)
		rc = threepid_invite_exchange(&call, &signed_invite, &r->err);
	if (rc)
		return rc;
	r->kept = (void *)done;
	return -MX_MOVE_WORK;
}

static int join(struct req *r, const char *room)
{
	int rc = accept_threepid(r, room);

	return rc ? rc : come_in(r, room, MEMBERSHIP_JOIN);
}

static int join_room(struct req *r)
{
	return join(r, req_param(r, "roomId"));
}

static int join_by_any(struct req *r)
{
	return join(r, req_param(r, "roomIdOrAlias"));
}

static int knock(struct req *r)
{
	return come_in(r, req_param(r, "roomIdOrAlias"), MEMBERSHIP_KNOCK);
}

#define ENTRY(schema) \
	.auth = AUTH_USER, .limit = LIMIT_EDIT, .body = schema, .reply = "client/room_id.reply"

const struct route join_routes[] = {
	{ POST, CLIENT_V3 "/rooms/{roomId:room_id}/join", join_room, ENTRY("client/join"),
	  .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_OPTIONAL_BODY },
	{ POST, CLIENT_V3 "/join/{roomIdOrAlias}", join_by_any, ENTRY("client/join"),
	  .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_OPTIONAL_BODY },
	{ POST, CLIENT_V3 "/knock/{roomIdOrAlias}", knock, ENTRY("client/reason"),
	  .flags = ROUTE_CORS | ROUTE_OPTIONAL_BODY },
	{ 0 },
};

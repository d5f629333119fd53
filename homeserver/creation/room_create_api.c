/* Spec: client-server API, "Creation". */
#include "homeserver/call.h"
#include "homeserver/creation/room_create.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/threepid_invite.h"
#include "homeserver/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"

#define TRIES_MAX 16 /* each lost one means that somebody else claimed an alias */

static int make(struct req *r, const struct room_plan *plan, struct room_turn **ret_turn,
		const char **ret_room_id)
{
	const struct hs_call call = call_of(r);
	const struct room_creation creation = { plan, r->user, r->device };
	int rc = room_create(&call, &creation, ret_turn, &r->err);

	if (rc == 0)
		*ret_room_id = mx_arena_slice(r->mem, turn_head(*ret_turn)->id).ptr;
	return rc;
}

static void reply_room(struct req *r, const char *room_id)
{
	reply_json(r, json_pack("{s:s}", "room_id", room_id));
}

static int make_and_answer(struct req *r, const struct room_plan *plan)
{
	struct room_turn *turn = NULL;
	const char *room_id;
	int rc = make(r, plan, &turn, &room_id);

	if (rc == 0)
		reply_room(r, room_id);
	return turn_answer(turn, r, rc);
}

/* ---- with invites of addresses, in the lane that may wait for an identity server */

static int check_addresses(struct req *r, const struct room_plan *plan)
{
	const struct hs_call call = call_of(r);
	const json_t *invite;
	size_t i;
	int rc = 0;

	json_array_foreach (plan->addresses, i, invite)
		if (rc == 0)
			rc = threepid_invite_check(&call, invite, &r->err);
	return rc;
}

static int invite_addresses(struct req *r, const struct room_plan *plan, const char *room_id)
{
	const struct hs_call call = call_of(r);
	struct threepid_asking asking = {
		.room_id = room_id,
		.sender = r->user,
		.is_direct = plan->is_direct,
	};
	size_t i;
	int rc = 0;

	json_array_foreach (plan->addresses, i, asking.invite)
		if (rc == 0)
			rc = threepid_invite(&call, &asking, &r->err);
	return rc;
}

/* Until it is durable: others are written to about it. */
static int make_now(struct req *r, const struct room_plan *plan, const char **ret_room_id)
{
	struct room_turn *turn;
	int rc = -MX_CONFLICT;

	for (unsigned i = 0; i < TRIES_MAX && rc == -MX_CONFLICT; i++) {
		rc = make(r, plan, &turn, ret_room_id);
		if (rc == 0)
			rc = turn_commit(turn, &r->err);
		else
			turn_abort(turn);
	}
	return rc;
}

static int make_then_invite(struct req *r, const struct room_plan *plan)
{
	const char *room_id;
	int rc = check_addresses(r, plan);

	if (rc == 0)
		rc = make_now(r, plan, &room_id);
	if (rc == 0)
		rc = invite_addresses(r, plan, room_id);
	if (rc == 0)
		reply_room(r, room_id);
	return rc;
}

static int create_room(struct req *r)
{
	const struct hs *hs = r->app;
	const struct room_wish wish = { r->user, hs->conf->server_name, r->body,
					conf_of(hs)->default_room_version };
	struct room_plan plan;
	int rc = room_plan_make(&wish, &plan, &r->err);

	if (rc)
		return rc;
	if (json_array_size(plan.addresses) == 0)
		rc = make_and_answer(r, &plan);
	else if (r->lane != LANE_NET)
		rc = -MX_MOVE_NET;
	else
		rc = make_then_invite(r, &plan);
	room_plan_done(&plan);
	return rc;
}

#define BODY_MAX (1024 * 1024)

const struct route room_create_routes[] = {
	{ POST, CLIENT_V3 "/createRoom", create_room, .auth = AUTH_USER, .limit = LIMIT_EDIT,
	  .flags = ROUTE_CORS, .body = "client/create_room", .reply = "client/room_id.reply",
	  .body_max = BODY_MAX },
	{ 0 },
};

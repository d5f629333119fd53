#include "homeserver/creation/room_create.h"

#include "homeserver/call.h"
#include "homeserver/directory/alias.h"
#include "homeserver/event/event_types.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/member.h"
#include "homeserver/roomstate/state_check.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

struct making {
	struct room_turn *turn;
	const char *room_id;
	const struct room_creation *creation;
	struct mx_error *err;
};

static int change_member(struct making *making, const char *user_id, enum membership membership)
{
	const struct member_change change = {
		.room_id = making->room_id,
		.sender = making->creation->creator,
		.target = user_id,
		.membership = membership,
		.device = making->creation->device,
		.is_direct = membership == MEMBERSHIP_INVITE && making->creation->plan->is_direct,
	};
	const struct event *event;

	return member_change_in(making->turn, &change, &event, making->err);
}

static int claim_alias(struct making *making)
{
	const struct alias alias = {
		.name = making->creation->plan->alias,
		.room_id = making->room_id,
		.creator = making->creation->creator,
	};
	int rc = alias.name ? alias_claim(turn_call(making->turn), &alias, making->err) : 0;

	if (rc == -MX_ALIAS_TAKEN)
		return mx_fail(making->err, MX_ROOM_IN_USE, "The alias %s is already taken",
			       alias.name);
	return rc;
}

static int say(struct making *making, const struct planned_event *planned)
{
	const struct event_wish wish = {
		.type = planned->type,
		.sender = making->creation->creator,
		.state_key = planned->state_key,
		.content = planned->content,
		.device = making->creation->device,
	};
	const struct event *event;
	int rc = state_check(making->turn, planned->type, planned->content, making->err);

	return rc ? rc : turn_send(making->turn, &wish, &event, making->err);
}

/* Spec: M_INVALID_ROOM_STATE, when what is asked for cannot be said with the levels that are asked
 * for. */
static int say_all(struct making *making)
{
	const struct room_plan *plan = making->creation->plan;
	char why[sizeof(making->err->text)];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < plan->len; i++)
		rc = say(making, &plan->items[i]);
	if (rc != -MX_FORBIDDEN)
		return rc;
	memcpy(why, making->err->text, sizeof(why));
	return mx_fail(making->err, MX_INVALID_ROOM_STATE, "%.200s", why);
}

static int invite_all(struct making *making)
{
	const json_t *user;
	size_t i;
	int rc = 0;

	json_array_foreach (making->creation->plan->invites, i, user)
		if (rc == 0 && !streq(json_string_value(user), making->creation->creator))
			rc = change_member(making, json_string_value(user), MEMBERSHIP_INVITE);
	return rc;
}

static int make(struct making *making)
{
	const struct room_creation *creation = making->creation;
	int rc = change_member(making, creation->creator, MEMBERSHIP_JOIN);

	/* The alias before the event that names it. */
	if (rc == 0)
		rc = claim_alias(making);
	if (rc == 0)
		rc = say_all(making);
	if (rc == 0)
		rc = invite_all(making);
	if (rc == 0 && creation->plan->is_public)
		turn_publish(making->turn, true);
	return rc;
}

int room_create(const struct hs_call *call, const struct room_creation *creation,
		struct room_turn **ret_turn, struct mx_error *err)
{
	const struct room_birth birth = {
		.version = creation->plan->version,
		.create = {
			.type = TYPE_CREATE,
			.sender = creation->creator,
			.state_key = "",
			.content = creation->plan->create,
			.device = creation->device,
		},
	};
	struct making making = { .creation = creation, .err = err };
	int rc;

	*ret_turn = NULL;
	rc = turn_create(call, &birth, ret_turn, err);
	if (rc == -MX_FORBIDDEN)
		return mx_fail(err, MX_INVALID_ROOM_STATE, "creation_content cannot begin a room");
	if (rc)
		return rc;
	making.turn = *ret_turn;
	making.room_id = mx_arena_slice(call->mem, turn_head(*ret_turn)->id).ptr;
	return make(&making);
}

#include "homeserver/member/member.h"

#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/directory/remote.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/ingest/state_same.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/member_content.h"
#include "homeserver/member/restricted.h"
#include "homeserver/member/successor.h"
#include "homeserver/room/block_db.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

/* A change on its way. */
struct step {
	struct room_turn *turn;
	const struct member_change *change;
	enum membership before; /* the target's */
	const char *host; /* who lets the target in, or NULL */
	struct mx_error *err;
};

static bool is_own(const struct step *step)
{
	return streq(step->change->sender, step->change->target);
}

static int check_blocked(struct step *step)
{
	int rc = block_db_load(turn_call(step->turn), step->change->room_id, NULL);

	if (rc == -MX_NOT_FOUND)
		return 0;
	return rc ? rc : mx_fail(step->err, MX_FORBIDDEN, "This room is blocked on this server");
}

/* ---- join */

/* Spec: "Guest Access", server behaviour. */
static int check_guest(struct step *step)
{
	const struct hs_call *call = turn_call(step->turn);
	const struct event *access;

	if (!(account_flags(call, mx_slice(step->change->target)) & ACCOUNT_GUEST))
		return 0;
	access = turn_state(step->turn, TYPE_GUEST_ACCESS, "");
	if (access &&
	    mx_slice_is(event_content_text(access, "guest_access", call->mem), "can_join"))
		return 0;
	return mx_fail(step->err, MX_GUEST_FORBIDDEN, "Guests may not join this room");
}

static int check_join(struct step *step)
{
	int rc;

	if (!is_own(step) || step->before == MEMBERSHIP_JOIN)
		return 0; /* the rules know what to say */
	rc = check_blocked(step);
	if (rc == 0)
		rc = check_guest(step);
	if (rc || step->before == MEMBERSHIP_INVITE || step->before == MEMBERSHIP_BAN)
		return rc;
	if (!restricted_is(step->turn))
		return 0;
	return restricted_find_host(step->turn, step->change->target, &step->host, step->err);
}

/* ---- the others */

static int check_invite(struct step *step)
{
	if (!id_is_local(turn_call(step->turn)->hs, step->change->target))
		return remote_ask(step->change->target, step->err);
	return invite_permission_check(turn_call(step->turn), step->change, step->err);
}

static int check_nothing(struct step *step)
{
	(void)step;
	return 0;
}

static int (*check_of(enum membership membership))(struct step *step)
{
	switch (membership) {
	case MEMBERSHIP_JOIN: return check_join;
	case MEMBERSHIP_INVITE: return check_invite;
	case MEMBERSHIP_KNOCK: return check_blocked;
	case MEMBERSHIP_NONE:
	case MEMBERSHIP_LEAVE:
	case MEMBERSHIP_BAN: break;
	}
	return check_nothing;
}

static int send_change(struct step *step, const struct event **ret_event)
{
	const struct member_change *change = step->change;
	json_auto_t *content = json_object();
	const struct event_wish wish = {
		.type = TYPE_MEMBER,
		.sender = change->sender,
		.state_key = change->target,
		.content = content,
		.device = change->device,
	};
	int rc = member_content_make(turn_call(step->turn), change, step->host, content);

	if (rc)
		return rc;
	*ret_event = state_same(step->turn, &wish);
	return *ret_event ? 0 : turn_send(step->turn, &wish, ret_event, step->err);
}

/* What is so already is not said again; a client that writes the whole membership may have new
 * words for it. */
static const struct event *find_held(struct step *step)
{
	const struct member_change *change = step->change;
	bool settles = change->membership == MEMBERSHIP_JOIN ||
		       change->membership == MEMBERSHIP_LEAVE;

	if (change->content || !settles || !is_own(step) || step->before != change->membership)
		return NULL;
	return turn_state(step->turn, TYPE_MEMBER, change->target);
}

int member_change_in(struct room_turn *turn, const struct member_change *change,
		     const struct event **ret_event, struct mx_error *err)
{
	struct step step = {
		.turn = turn,
		.change = change,
		.before = turn_membership(turn, change->target),
		.err = err,
	};
	const struct event *held = find_held(&step);
	int rc;

	if (held) {
		*ret_event = held;
		return 0;
	}
	rc = check_of(change->membership)(&step);
	if (rc == 0)
		rc = send_change(&step, ret_event);
	if (rc == 0 && change->membership == MEMBERSHIP_JOIN && step.before != MEMBERSHIP_JOIN)
		rc = successor_move_in(turn, change->target);
	return rc;
}

/* ---- with its turn */

static int no_room(const struct hs_call *call, const struct member_change *change,
		   struct mx_error *err)
{
	bool is_own = streq(change->via, call->hs->conf->server_name);

	if (change->membership == MEMBERSHIP_JOIN || change->membership == MEMBERSHIP_KNOCK)
		return remote_enter(change->room_id, is_own ? NULL : change->via, err);
	return mx_fail(err, MX_FORBIDDEN, "You are not in this room");
}

int member_change(const struct hs_call *call, const struct member_change *change,
		  struct room_turn **ret_turn, const struct event **ret_event, struct mx_error *err)
{
	int rc;

	*ret_turn = NULL;
	rc = turn_begin(call, change->room_id, ret_turn, err);
	if (rc == -MX_NOT_FOUND)
		return no_room(call, change, err);
	return rc ? rc : member_change_in(*ret_turn, change, ret_event, err);
}

#define TRIES_MAX 16 /* each lost one means that another turn of the room got through */

int member_change_now(const struct hs_call *call, const struct member_change *change,
		      struct mx_error *err)
{
	const struct event *event;
	struct room_turn *turn;
	int rc = -MX_CONFLICT;

	for (unsigned i = 0; i < TRIES_MAX && rc == -MX_CONFLICT; i++) {
		rc = member_change(call, change, &turn, &event, err);
		if (rc == 0)
			rc = turn_commit(turn, err);
		else
			turn_abort(turn);
	}
	return rc;
}

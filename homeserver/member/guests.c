#include "homeserver/member/guests.h"

#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/directory/remote.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/member.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"
#include "shared/store/store.h"

#define MEMBERS_AT_ONCE 1000

struct guests mx_vec(const char *);

static bool lets_guests_in(struct room_turn *turn)
{
	const struct event *access = turn_state(turn, TYPE_GUEST_ACCESS, "");

	return access &&
	       mx_slice_is(event_content_text(access, "guest_access", turn_call(turn)->mem),
			   "can_join");
}

/* Guests among members from one user on; *after becomes the last one who was looked at. */
static int find_some(const struct hs_call *call, uint32_t room, const char **after,
		     struct guests *guests)
{
	struct member_list members;
	int rc = member_db_list(call, room, MEMBERSHIP_JOIN, mx_slice(*after), MEMBERS_AT_ONCE,
				&members);

	*after = rc == 0 && members.len == MEMBERS_AT_ONCE ? members.items[members.len - 1].user_id
							   : NULL;
	for (size_t i = 0; rc == 0 && i < members.len; i++)
		if (id_is_local(call->hs, members.items[i].user_id) &&
		    (account_flags(call, mx_slice(members.items[i].user_id)) & ACCOUNT_GUEST))
			mx_vec_push(guests, members.items[i].user_id);
	return rc;
}

static int find_guests(struct room_turn *turn, struct guests *guests)
{
	struct hs_call call = *turn_call(turn);
	const char *after = "";
	int rc = 0;

	/* A view: nobody who comes or goes meanwhile makes it all be done again. */
	call.txn = NULL;
	call.view = store_view_begin(call.hs->store);
	while (rc == 0 && after)
		rc = find_some(&call, turn_room(turn), &after, guests);
	store_view_end(call.view);
	return rc;
}

static int put_out(struct room_turn *turn, const char *user_id, struct mx_error *err)
{
	const struct member_change change = {
		.sender = user_id,
		.target = user_id,
		.membership = MEMBERSHIP_LEAVE,
	};
	const struct event *event;

	if (turn_membership(turn, user_id) != MEMBERSHIP_JOIN)
		return 0;
	return member_change_in(turn, &change, &event, err);
}

int guests_put_out(struct room_turn *turn, struct mx_error *err)
{
	struct guests guests = { 0 };
	int rc = 0;

	if (!lets_guests_in(turn))
		rc = find_guests(turn, &guests);
	for (size_t i = 0; rc == 0 && i < guests.len; i++)
		rc = put_out(turn, guests.items[i], err);
	mx_vec_done(&guests);
	return rc;
}

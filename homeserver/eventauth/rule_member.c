/* Spec: room versions, "Authorisation rules", "If type is m.room.member". */
#include "homeserver/eventauth/rule.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"

struct change {
	struct auth_check *check;
	struct mx_slice target;
	struct mx_slice before; /* the target's membership; ptr NULL: none */
	struct mx_slice join_rule; /* "invite" if the room has none */
};

static int reject(const struct change *change, const char *why)
{
	return rule_reject(change->check, why);
}

static bool is_own(const struct change *change)
{
	return mx_slice_eq(change->check->event->sender, change->target);
}

static bool was(const struct change *change, const char *membership)
{
	return mx_slice_is(change->before, membership);
}

static bool sender_is_joined(const struct change *change)
{
	return mx_slice_is(change->check->sender_membership, "join");
}

static bool sender_has(const struct change *change, enum level_name name)
{
	return change->check->sender_level >= level_of(&change->check->levels, name);
}

static bool sender_is_above(const struct change *change)
{
	return change->check->sender_level > level_of_user(&change->check->levels, change->target);
}

/* ---- join */

/* The creator's own, right behind the room's first event. */
static bool is_first_join(const struct change *change)
{
	const struct event *event = change->check->event, *create = change->check->create;
	const struct room_creators *creators = &change->check->levels.creators;

	return event->prev_events_len == 1 && mx_slice_eq(event->prev_events[0], create->id) &&
	       creators->len && mx_slice_eq(creators->users[0], change->target);
}

static bool rule_is_restricted(const struct change *change)
{
	const struct room_version *version = change->check->event->version;

	return (version->restricted_joins && mx_slice_is(change->join_rule, "restricted")) ||
	       (version->knock_restricted && mx_slice_is(change->join_rule, "knock_restricted"));
}

static bool rule_is_by_invite(const struct change *change)
{
	return mx_slice_is(change->join_rule, "invite") ||
	       (change->check->event->version->knocking && mx_slice_is(change->join_rule, "knock"));
}

/* By a member who may invite, whose server signed. */
static int check_let_in(const struct change *change)
{
	struct auth_check *check = change->check;
	struct mx_slice user = event_content_text(check->event, "join_authorised_via_users_server",
						  check->mem);

	if (!user.ptr || !mx_slice_is(rule_membership(check, user), "join"))
		return reject(change, "Nobody of the room let the user in");
	if (level_of_user(&check->levels, user) < level_of(&check->levels, LEVEL_INVITE))
		return reject(change, "Who let the user in may not invite");
	return 0;
}

static int check_join(const struct change *change)
{
	bool is_expected = was(change, "invite") || was(change, "join");

	if (is_first_join(change))
		return 0;
	if (!is_own(change))
		return reject(change, "Nobody can join for somebody else");
	if (was(change, "ban"))
		return reject(change, "The user is banned");
	if (rule_is_by_invite(change))
		return is_expected ? 0 : reject(change, "The user is not invited");
	if (rule_is_restricted(change))
		return is_expected ? 0 : check_let_in(change);
	if (mx_slice_is(change->join_rule, "public"))
		return 0;
	return reject(change, "The room's join rule lets nobody in");
}

/* ---- invite, leave, ban, knock */

static int check_invite(const struct change *change)
{
	const struct event *event = change->check->event;
	uint32_t third_party = mx_json_member(&event->doc, event->content, "third_party_invite");

	if (third_party) {
		if (was(change, "ban"))
			return reject(change, "The user is banned");
		return rule_third_party_invite(change->check, third_party);
	}
	if (!sender_is_joined(change))
		return reject(change, "Only members can invite");
	if (was(change, "join") || was(change, "ban"))
		return reject(change, "The user is in the room, or banned");
	return sender_has(change, LEVEL_INVITE) ? 0 : reject(change, "The sender may not invite");
}

static int check_leave(const struct change *change)
{
	bool knocked = change->check->event->version->knocking && was(change, "knock");

	if (is_own(change)) {
		bool is_here = was(change, "invite") || was(change, "join") || knocked;

		return is_here ? 0 : reject(change, "The user is not in the room");
	}
	if (!sender_is_joined(change))
		return reject(change, "Only members can put others out");
	if (was(change, "ban") && !sender_has(change, LEVEL_BAN))
		return reject(change, "The sender may not lift a ban");
	if (sender_has(change, LEVEL_KICK) && sender_is_above(change))
		return 0;
	return reject(change, "The sender may not put the user out");
}

static int check_ban(const struct change *change)
{
	if (!sender_is_joined(change))
		return reject(change, "Only members can ban");
	if (sender_has(change, LEVEL_BAN) && sender_is_above(change))
		return 0;
	return reject(change, "The sender may not ban the user");
}

static int check_knock(const struct change *change)
{
	const struct room_version *version = change->check->event->version;

	if (!mx_slice_is(change->join_rule, "knock") &&
	    !(version->knock_restricted && mx_slice_is(change->join_rule, "knock_restricted")))
		return reject(change, "Nobody can knock at this room");
	if (!is_own(change))
		return reject(change, "Nobody can knock for somebody else");
	if (was(change, "ban") || was(change, "invite") || was(change, "join"))
		return reject(change, "The user is in the room, invited or banned");
	return 0;
}

/* ---- all */

static const struct {
	const char *membership;
	int (*check)(const struct change *change);
} memberships[] = {
	{ "join", check_join },
	{ "invite", check_invite },
	{ "leave", check_leave },
	{ "ban", check_ban },
};

static struct mx_slice join_rule(const struct auth_check *check)
{
	const struct event *rules = rule_state(check, TYPE_JOIN_RULES, MX_SLICE(""));
	struct mx_slice rule = { 0 };

	if (rules)
		rule = event_content_text(rules, "join_rule", check->mem);
	return rule.ptr ? rule : MX_SLICE("invite");
}

int rule_member(struct auth_check *check)
{
	struct mx_slice membership = event_membership(check->event);
	const struct change change = {
		.check = check,
		.target = check->event->state_key,
		.before = rule_membership(check, check->event->state_key),
		.join_rule = join_rule(check),
	};

	if (!event_is_state(check->event) || !membership.ptr)
		return rule_reject(check, "A membership has a user and a state");
	for (size_t i = 0; i < sizeof(memberships) / sizeof(memberships[0]); i++)
		if (mx_slice_is(membership, memberships[i].membership))
			return memberships[i].check(&change);
	if (check->event->version->knocking && mx_slice_is(membership, "knock"))
		return check_knock(&change);
	return rule_reject(check, "There is no such membership");
}

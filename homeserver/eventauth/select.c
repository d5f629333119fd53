#include "homeserver/eventauth/select.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "shared/core/str.h"

/* content.third_party_invite.signed.token */
static struct mx_slice invite_token(const struct event *event, struct mx_arena *mem)
{
	const struct mx_json_doc *doc = &event->doc;
	uint32_t node = mx_json_member(doc, event->content, "third_party_invite");

	node = node ? mx_json_member(doc, node, "signed") : 0;
	node = node ? mx_json_member(doc, node, "token") : 0;
	if (!node || mx_json_type(doc, node) != MX_JSON_STRING)
		return (struct mx_slice){ 0 };
	return mx_json_string(doc, node, mem);
}

struct auth_subject auth_subject_of(const struct event *event, struct mx_arena *mem)
{
	struct auth_subject subject = {
		.version = event->version,
		.type = event->type,
		.sender = event->sender,
		.state_key = event->state_key,
		.membership = event_membership(event),
	};

	if (!mx_slice_is(event->type, TYPE_MEMBER))
		return subject;
	subject.authorised_via = event_content_text(event, "join_authorised_via_users_server", mem);
	subject.invite_token = invite_token(event, mem);
	return subject;
}

static void add(struct selection *selection, const char *type, struct mx_slice state_key)
{
	for (size_t i = 0; i < selection->len; i++)
		if (streq(selection->keys[i].type, type) &&
		    mx_slice_eq(selection->keys[i].state_key, state_key))
			return;
	selection->keys[selection->len++] = (struct state_key){ type, state_key };
}

static void add_of_member(struct selection *selection, const struct auth_subject *subject)
{
	bool join = mx_slice_is(subject->membership, "join");
	bool invite = mx_slice_is(subject->membership, "invite");

	if (subject->state_key.ptr)
		add(selection, TYPE_MEMBER, subject->state_key);
	if (join || invite || mx_slice_is(subject->membership, "knock"))
		add(selection, TYPE_JOIN_RULES, MX_SLICE(""));
	if (invite && subject->invite_token.ptr)
		add(selection, TYPE_THIRD_PARTY_INVITE, subject->invite_token);
	if (join && subject->authorised_via.ptr && subject->version->restricted_joins)
		add(selection, TYPE_MEMBER, subject->authorised_via);
}

void auth_select(const struct auth_subject *subject, struct selection *ret_selection)
{
	ret_selection->len = 0;
	if (mx_slice_is(subject->type, TYPE_CREATE))
		return;
	if (!subject->version->create_is_room_id)
		add(ret_selection, TYPE_CREATE, MX_SLICE(""));
	add(ret_selection, TYPE_POWER_LEVELS, MX_SLICE(""));
	add(ret_selection, TYPE_MEMBER, subject->sender);
	if (mx_slice_is(subject->type, TYPE_MEMBER))
		add_of_member(ret_selection, subject);
}

bool selection_has(const struct selection *selection, const struct event *event)
{
	for (size_t i = 0; i < selection->len; i++)
		if (event_is(event, selection->keys[i].type, selection->keys[i].state_key))
			return true;
	return false;
}

#include "homeserver/event/event_sign.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_redact.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "shared/id/mxid.h"

static const char *const signatures[] = { "signatures", NULL };

static void add_server(struct event_signers *signers, struct mx_slice server)
{
	for (size_t i = 0; i < signers->len; i++)
		if (mx_slice_eq(signers->servers[i], server))
			return;
	signers->servers[signers->len++] = server;
}

/* The server that sends it for somebody need not be the inviter's, whose word is the signed
 * token. */
static bool is_third_party_invite(const struct event *event)
{
	return mx_slice_is(event_membership(event), "invite") &&
	       mx_json_member(&event->doc, event->content, "third_party_invite") != 0;
}

/* Of who let a user into a restricted room; false if the event names nobody. */
static bool authorising_server(const struct event *event, struct mx_arena *mem,
			       struct mx_slice *ret_server)
{
	struct mx_slice user;
	struct mx_id parts;

	if (!event->version->restricted_joins || !mx_slice_is(event_membership(event), "join"))
		return false;
	user = event_content_text(event, "join_authorised_via_users_server", mem);
	if (!user.ptr || !mx_user_id_parse(user, false, &parts))
		return false;
	*ret_server = parts.server;
	return true;
}

void event_signers_of(const struct event *event, struct mx_arena *mem,
		      struct event_signers *ret_signers)
{
	struct mx_slice server;
	struct mx_id parts;

	ret_signers->len = 0;
	if (!is_third_party_invite(event))
		add_server(ret_signers, event->sender_server);
	if (event->version->event_ids == EVENT_ID_MEMBER && mx_event_id_parse(event->id, &parts))
		add_server(ret_signers, parts.server);
	if (authorising_server(event, mem, &server))
		add_server(ret_signers, server);
}

void event_signed_bytes(const struct event *event, struct mx_str *out)
{
	event_redact(event, signatures, out);
}

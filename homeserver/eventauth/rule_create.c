/* Spec: room versions 1, 11 and 12, "Authorisation rules", 1. */
#include "homeserver/eventauth/rule.h"

#include "homeserver/event/event.h"
#include "homeserver/event/room_version.h"
#include "shared/id/mxid.h"

/* A room's server is part of its id where the id is no hash. */
static bool is_of_senders_server(const struct event *event)
{
	struct mx_id room;

	return mx_room_id_parse(event->room_id, &room) &&
	       mx_slice_eq(room.server, event->sender_server);
}

static bool version_is_known(const struct event *event, struct mx_arena *mem)
{
	uint32_t node = mx_json_member(&event->doc, event->content, "room_version");

	if (!node)
		return true;
	return mx_json_type(&event->doc, node) == MX_JSON_STRING &&
	       room_version_find(mx_json_string(&event->doc, node, mem)) != NULL;
}

static bool additional_creators_are_users(const struct event *event, struct mx_arena *mem)
{
	const struct mx_json_doc *doc = &event->doc;
	uint32_t list = mx_json_member(doc, event->content, "additional_creators");
	struct mx_id parts;

	if (!list)
		return true;
	if (mx_json_type(doc, list) != MX_JSON_ARRAY)
		return false;
	for (uint32_t at = mx_json_first(doc, list); at < mx_json_end(doc, list);
	     at = mx_json_next(doc, at))
		if (mx_json_type(doc, at) != MX_JSON_STRING ||
		    !mx_user_id_parse(mx_json_string(doc, at, mem), false, &parts))
			return false;
	return true;
}

int rule_create(struct auth_check *check)
{
	const struct event *event = check->event;
	const struct room_version *version = event->version;

	if (event->prev_events_len)
		return rule_reject(check, "A room's first event has none before it");
	if (version->create_is_room_id ? mx_json_member(&event->doc, 0, "room_id") != 0
				       : !is_of_senders_server(event))
		return rule_reject(check, "The room's id is not the sender's to give");
	if (!version_is_known(event, check->mem))
		return rule_reject(check, "The room's version is not known");
	if (version->creator_in_content && !mx_json_member(&event->doc, event->content, "creator"))
		return rule_reject(check, "The room has no creator");
	if (version->creators_rule && !additional_creators_are_users(event, check->mem))
		return rule_reject(check, "additional_creators must be a list of user ids");
	return 0;
}

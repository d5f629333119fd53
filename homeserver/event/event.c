#include "homeserver/event/event.h"

#include "homeserver/event/event_types.h"
#include "shared/core/arena.h"

bool event_is(const struct event *event, const char *type, struct mx_slice state_key)
{
	return event_is_state(event) && mx_slice_is(event->type, type) &&
	       mx_slice_eq(event->state_key, state_key);
}

static uint32_t content_string(const struct event *event, const char *key)
{
	uint32_t node = mx_json_member(&event->doc, event->content, key);

	return node && mx_json_type(&event->doc, node) == MX_JSON_STRING ? node : 0;
}

struct mx_slice event_content_text(const struct event *event, const char *key, struct mx_arena *mem)
{
	uint32_t node = content_string(event, key);

	return node ? mx_json_string(&event->doc, node, mem) : (struct mx_slice){ 0 };
}

/* Names of memberships have no escapes: one that has is none. */
struct mx_slice event_membership(const struct event *event)
{
	uint32_t node = content_string(event, "membership");

	if (!node || !mx_slice_is(event->type, TYPE_MEMBER) || event->doc.nodes[node].escaped)
		return (struct mx_slice){ 0 };
	return mx_json_string(&event->doc, node, NULL);
}

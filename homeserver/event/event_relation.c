#include "homeserver/event/event_relation.h"

#include "homeserver/event/event.h"

static struct mx_slice text_of(const struct event *event, uint32_t object, const char *key,
			       struct mx_arena *mem)
{
	uint32_t node = mx_json_member(&event->doc, object, key);

	if (!node || mx_json_type(&event->doc, node) != MX_JSON_STRING)
		return MX_SLICE("");
	return mx_json_string(&event->doc, node, mem);
}

bool event_relation_of(const struct event *event, struct mx_arena *mem,
		       struct event_relation *ret_relation)
{
	uint32_t node = mx_json_member(&event->doc, event->content, "m.relates_to");
	struct event_relation relation;

	if (event_is_state(event) || !node)
		return false;
	relation.parent_id = text_of(event, node, "event_id", mem);
	relation.type = text_of(event, node, "rel_type", mem);
	relation.key = text_of(event, node, "key", mem);
	if (relation.parent_id.len == 0 || relation.parent_id.len > EVENT_TEXT_MAX ||
	    relation.type.len == 0 || relation.type.len > EVENT_TEXT_MAX)
		return false;
	*ret_relation = relation;
	return true;
}

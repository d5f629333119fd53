#include "homeserver/room/topic.h"

#include "homeserver/event/event.h"

json_t *topic_content(const char *topic)
{
	return json_pack("{s:s, s:{s:[{s:s, s:s}]}}", "topic", topic, "m.topic", "m.text",
			 "mimetype", "text/plain", "body", topic);
}

static bool is_text(const struct mx_json_doc *doc, uint32_t node)
{
	return node && mx_json_type(doc, node) == MX_JSON_STRING;
}

/* Spec: "m.text": text/plain is what a representation is that does not say. */
static bool is_plain(const struct mx_json_doc *doc, uint32_t representation, struct mx_arena *mem)
{
	uint32_t mimetype = mx_json_member(doc, representation, "mimetype");

	return !mimetype || (is_text(doc, mimetype) &&
			     mx_slice_is(mx_json_string(doc, mimetype, mem), "text/plain"));
}

struct mx_slice topic_plain(const struct event *event, struct mx_arena *mem)
{
	const struct mx_json_doc *doc = &event->doc;
	uint32_t topic = mx_json_member(doc, event->content, "m.topic"), body;
	uint32_t list = topic ? mx_json_member(doc, topic, "m.text") : 0;

	if (!list || mx_json_type(doc, list) != MX_JSON_ARRAY)
		return event_content_text(event, "topic", mem);
	for (uint32_t at = mx_json_first(doc, list); at < mx_json_end(doc, list);
	     at = mx_json_next(doc, at)) {
		body = mx_json_member(doc, at, "body");
		if (is_text(doc, body) && is_plain(doc, at, mem))
			return mx_json_string(doc, body, mem);
	}
	return event_content_text(event, "topic", mem);
}

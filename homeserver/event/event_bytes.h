/* Copying members of an event's bytes, which are canonical: what is copied in its order stays so.
 */
#pragma once

#include "homeserver/event/event.h"
#include "shared/core/str.h"

/* The text of a key; empty if it has escapes, because no name of the protocol has some. */
static inline struct mx_slice event_key(const struct event *event, uint32_t key)
{
	if (event->doc.nodes[key].escaped)
		return MX_SLICE("");
	return mx_json_string(&event->doc, key, NULL);
}

/* `"key":`, with a comma before it if it is not the first of the object that is written. */
static inline void event_add_key(const struct event *event, uint32_t key, struct mx_str *out)
{
	if (out->ptr[out->len - 1] != '{')
		mx_str_add_char(out, ',');
	mx_str_add_slice(out, mx_json_raw(&event->doc, key));
	mx_str_add_char(out, ':');
}

static inline void event_add_member(const struct event *event, uint32_t key, struct mx_str *out)
{
	event_add_key(event, key, out);
	mx_str_add_slice(out, mx_json_raw(&event->doc, key + 1));
}

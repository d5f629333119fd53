#include "homeserver/event/event_redact.h"

#include "homeserver/event/event_bytes.h"
#include "homeserver/event/room_version.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/json/member.h"

static const struct redaction_keep *keep_of(const struct event *event)
{
	const struct redaction_keep *keep = event->version->redaction->content;

	/* Only the type counts: one that is no state event keeps the same. */
	while (keep->type && !mx_slice_is(event->type, keep->type))
		keep++;
	return keep->type ? keep : NULL;
}

/* Of "third_party_invite" only "signed"; without it, nothing. */
static void add_part(const struct event *event, uint32_t key, const char *part_key,
		     struct mx_str *out)
{
	uint32_t part = mx_json_member(&event->doc, key + 1, part_key);

	if (!part)
		return;
	event_add_key(event, key, out);
	mx_str_add_char(out, '{');
	event_add_member(event, part - 1, out);
	mx_str_add_char(out, '}');
}

static void add_kept(const struct event *event, const struct redaction_keep *keep,
		     struct mx_str *out)
{
	const struct mx_json_doc *doc = &event->doc;

	for (uint32_t key = mx_json_first(doc, event->content);
	     key < mx_json_end(doc, event->content); key = mx_json_next(doc, key + 1)) {
		struct mx_slice name = event_key(event, key);

		if (keep->part && mx_slice_is(name, keep->part))
			add_part(event, key, keep->part_key, out);
		else if (mx_member_is_listed(keep->keys, name))
			event_add_member(event, key, out);
	}
}

static void add_content(const struct event *event, uint32_t key, struct mx_str *out)
{
	const struct redaction_keep *keep = keep_of(event);

	event_add_key(event, key, out);
	if (keep && !keep->keys) {
		mx_str_add_slice(out, mx_json_raw(&event->doc, event->content));
		return;
	}
	mx_str_add_char(out, '{');
	if (keep)
		add_kept(event, keep, out);
	mx_str_add_char(out, '}');
}

void event_redact(const struct event *event, const char *const *without, struct mx_str *out)
{
	const struct mx_json_doc *doc = &event->doc;
	const char *const *members = event->version->redaction->members;

	mx_str_add_char(out, '{');
	for (uint32_t key = mx_json_first(doc, 0); key < mx_json_end(doc, 0);
	     key = mx_json_next(doc, key + 1)) {
		struct mx_slice name = event_key(event, key);

		if (!mx_member_is_listed(members, name) || mx_member_is_listed(without, name))
			continue;
		if (key + 1 == event->content)
			add_content(event, key, out);
		else
			event_add_member(event, key, out);
	}
	mx_str_add_char(out, '}');
}

int event_left(const struct event *event, struct mx_arena *mem, struct event *ret_left)
{
	mx_str_auto left = { 0 };

	event_redact(event, NULL, &left);
	return event_read(event->version, mx_arena_slice(mem, mx_str_slice(&left)), event->id, mem,
			  ret_left);
}

#include "homeserver/timeline/event_view.h"

#include "homeserver/account/erased.h"
#include "homeserver/call.h"
#include "homeserver/event/event_redact.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/json_out.h"
#include "homeserver/room/state_reader.h"
#include "homeserver/timeline/bundle.h"
#include "homeserver/timeline/visibility.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/json/canonical.h"

struct view {
	const struct hs_call *call;
	const struct event_viewer *viewer;
	const struct stored_event *stored;
	const struct event *event; /* the same, or what its redaction left */
	struct mx_str *out;
};

/* ---- members */

static void add_text(const struct view *v, const char *key, struct mx_slice text)
{
	json_key(v->out, key);
	mx_canonical_string(v->out, text);
}

/* As it is stored; nothing if it is not there. */
static void add_stored(const struct view *v, const char *key)
{
	uint32_t node = mx_json_member(&v->event->doc, 0, key);

	if (!node)
		return;
	json_key(v->out, key);
	mx_str_add_slice(v->out, mx_json_raw(&v->event->doc, node));
}

/* Spec: room version 11, "Moving the redacts property": clients find it in both places. */
static bool lacks_redacts(const struct event *event)
{
	return event->redacts.ptr && !event->version->redacts_in_content &&
	       !mx_json_member(&event->doc, event->content, "redacts");
}

static void add_content(const struct view *v)
{
	struct mx_slice content = mx_json_raw(&v->event->doc, v->event->content);

	json_key(v->out, "content");
	if (!lacks_redacts(v->event)) {
		mx_str_add_slice(v->out, content);
		return;
	}
	mx_str_add(v->out, content.ptr, content.len - 1);
	add_text(v, "redacts", v->event->redacts);
	mx_str_add_char(v->out, '}');
}

/* ---- what a redaction left */

static bool is_kept(const struct hs_call *call, const struct event_viewer *viewer,
		    const struct stored_event *event, int64_t since_ms)
{
	struct state_reader reader;
	struct visibility visibility = { .reader = &reader, .user_id = mx_slice(viewer->user_id) };
	bool kept;

	if (viewer->visibility)
		return visibility_keeps(viewer->visibility, event, since_ms);
	state_reader_init(&reader, call, event->room);
	kept = visibility_keeps(&visibility, event, since_ms);
	state_reader_done(&reader);
	return kept;
}

bool event_view_is_cut(const struct hs_call *call, const struct event_viewer *viewer,
		       const struct stored_event *event)
{
	int64_t since_ms;

	if (event->header.redacted_by)
		return true;
	since_ms = erased_since(call->hs, event->event.sender);
	return since_ms && !is_kept(call, viewer, event, since_ms);
}

/* ---- unsigned */

static void add_event(const struct hs_call *call, const struct event_viewer *viewer,
		      const struct stored_event *stored, bool because, struct mx_str *out);

static void add_redaction(const struct view *v)
{
	struct event_viewer viewer = *v->viewer;
	struct stored_event redaction;

	viewer.bundles = false;
	if (event_db_load(v->call, v->stored->room, v->stored->header.redacted_by, &redaction))
		return;
	json_key(v->out, "redacted_because");
	add_event(v->call, &viewer, &redaction, false, v->out);
}

/* Spec: "prev_content … only … if the client has permission to see the previous event", while
 * replaces_state is there "regardless". What they themselves were everybody knows. */
static bool may_see_previous(const struct view *v, const struct stored_event *previous)
{
	return event_is(&previous->event, TYPE_MEMBER, mx_slice(v->viewer->user_id)) ||
	       visibility_allows(v->viewer->visibility, previous);
}

static void add_previous(const struct view *v)
{
	struct state_reader *reader = v->viewer->visibility->reader;
	const struct event_header *header = &v->stored->header;
	uint32_t number = room_state_find(&reader->nodes, &header->before, header->slot);
	struct stored_event previous;

	if (!number || state_reader_event(reader, number, &previous))
		return;
	if (event_view_is_cut(v->call, v->viewer, &previous) &&
	    event_left(&previous.event, v->call->mem, &previous.event))
		return;
	if (may_see_previous(v, &previous)) {
		json_key(v->out, "prev_content");
		mx_str_add_slice(v->out, mx_json_raw(&previous.event.doc, previous.event.content));
		add_text(v, "prev_sender", previous.event.sender);
	}
	add_text(v, "replaces_state", previous.event.id);
}

static void add_membership(const struct view *v)
{
	enum membership membership = visibility_membership(v->viewer->visibility,
							   &v->stored->header.after);

	add_text(v, "membership", mx_slice(membership_name(membership)));
}

static bool is_own(const struct view *v)
{
	const struct event_header *header = &v->stored->header;

	return header->txn_id.len && mx_slice_is(v->event->sender, v->viewer->user_id) &&
	       mx_slice_is(header->device, v->viewer->device);
}

static void add_unsigned(const struct view *v, bool because)
{
	int64_t age = v->call->now_ms - v->stored->header.received_ms;

	json_key(v->out, "unsigned");
	mx_str_addf(v->out, "{\"age\":%lld", (long long)(age > 0 ? age : 0));
	if (v->viewer->bundles) {
		bundle_add(v->call, v->viewer, v->stored, v->out);
		add_membership(v);
		if (event_is_state(v->event))
			add_previous(v);
	}
	if (because && v->stored->header.redacted_by)
		add_redaction(v);
	if (is_own(v))
		add_text(v, "transaction_id", v->stored->header.txn_id);
	mx_str_add_char(v->out, '}');
}

/* ---- forms */

static void add_client_members(const struct view *v)
{
	const struct event *event = v->event;

	add_content(v);
	add_text(v, "event_id", event->id);
	add_stored(v, "origin_server_ts");
	if (event->redacts.ptr)
		add_text(v, "redacts", event->redacts);
	if (v->viewer->form == EVENT_VIEW_FULL)
		add_text(v, "room_id", event->room_id);
	add_stored(v, "sender");
	add_stored(v, "state_key");
	add_stored(v, "type");
}

static void add_stripped_members(const struct view *v)
{
	add_stored(v, "content");
	add_stored(v, "sender");
	add_stored(v, "state_key");
	add_stored(v, "type");
}

static void add_form(const struct view *v, bool because)
{
	struct mx_slice json = v->event->json;

	switch (v->viewer->form) {
	case EVENT_VIEW_STRIPPED:
		mx_str_add_char(v->out, '{');
		add_stripped_members(v);
		break;
	case EVENT_VIEW_FEDERATION:
		mx_str_add(v->out, json.ptr, json.len - 1);
		add_unsigned(v, because);
		break;
	case EVENT_VIEW_FULL:
	case EVENT_VIEW_SYNC:
		mx_str_add_char(v->out, '{');
		add_client_members(v);
		add_unsigned(v, because);
		break;
	}
	mx_str_add_char(v->out, '}');
}

/* because: with the redaction, which has none of its own. */
static void add_event(const struct hs_call *call, const struct event_viewer *viewer,
		      const struct stored_event *stored, bool because, struct mx_str *out)
{
	struct view view = { call, viewer, stored, &stored->event, out };
	struct event left;

	if (event_view_is_cut(call, viewer, stored)) {
		if (event_left(&stored->event, call->mem, &left)) {
			mx_str_add_text(out, "{}");
			return;
		}
		view.event = &left;
	}
	add_form(&view, because);
}

void event_view_content(const struct hs_call *call, const struct event_viewer *viewer,
			const struct stored_event *stored, struct mx_str *out)
{
	struct event left;

	if (!event_view_is_cut(call, viewer, stored))
		mx_str_add_slice(out, mx_json_raw(&stored->event.doc, stored->event.content));
	else if (event_left(&stored->event, call->mem, &left) == 0)
		mx_str_add_slice(out, mx_json_raw(&left.doc, left.content));
	else
		mx_str_add_text(out, "{}");
}

void event_view(const struct hs_call *call, const struct event_viewer *viewer,
		const struct stored_event *event, struct mx_str *out)
{
	struct event_viewer own = *viewer;
	struct visibility visibility;
	struct state_reader reader;
	bool reads = viewer->bundles && !viewer->visibility;

	if (reads) {
		state_reader_init(&reader, call, event->room);
		own.visibility = &visibility;
		own.bundles = visibility_init(&visibility, &reader, mx_slice(own.user_id), NULL) ==
			      0;
	}
	add_event(call, &own, event, true, out);
	if (reads)
		state_reader_done(&reader);
}

#include "homeserver/timeline/bundle.h"

#include "homeserver/call.h"
#include "homeserver/event/event_relation.h"
#include "homeserver/json_out.h"
#include "homeserver/room/room_db.h"
#include "homeserver/timeline/event_view.h"
#include "homeserver/timeline/visibility.h"
#include "homeserver/userdata/ignored.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/json/canonical.h"

#define EDITS_MAX      100 /* that are looked at, newest first */
#define REFERENCES_MAX 100
#define THREAD_MAX     100000 /* events that are counted */
#define PAGE_ROWS      1000

struct bundle {
	const struct hs_call *call;
	const struct event_viewer *viewer;
	const struct stored_event *parent;
	struct ignored ignored;
	struct mx_str *out;
};

/* ---- children */

static int children(const struct bundle *b, const char *type, const struct timeline_range *range,
		    struct relation_list *ret_list)
{
	return relation_db_list(b->call, b->parent->room, b->parent->event.id, mx_slice(type),
				range, ret_list);
}

static struct timeline_range newest(size_t limit)
{
	return (struct timeline_range){
		.after = INT64_MIN, .before = INT64_MAX, .limit = limit, .reverse = true
	};
}

/* One that the user may see. */
static bool load_child(const struct bundle *b, const struct relation_row *row,
		       struct stored_event *ret_child)
{
	if (ignored_has(&b->ignored, row->sender) ||
	    event_db_load(b->call, b->parent->room, row->event, ret_child))
		return false;
	return !ret_child->header.redacted_by &&
	       visibility_allows(b->viewer->visibility, ret_child);
}

/* ---- m.replace. Spec: "Validity of replacement events" */

static bool replaces(const struct bundle *b, const struct stored_event *child)
{
	const struct event *event = &child->event, *parent = &b->parent->event;

	if (!mx_slice_eq(event->sender, parent->sender) ||
	    !mx_slice_eq(event->type, parent->type) || event_is_state(event))
		return false;
	return mx_slice_is(event->type, "m.room.encrypted") ||
	       mx_json_member(&event->doc, event->content, "m.new_content");
}

static bool is_newer(const struct event *a, const struct event *b)
{
	if (a->origin_server_ts != b->origin_server_ts)
		return a->origin_server_ts > b->origin_server_ts;
	return mx_slice_cmp(a->id, b->id) > 0;
}

static void add_edit(const struct bundle *b)
{
	const struct timeline_range range = newest(EDITS_MAX);
	struct event_viewer viewer = *b->viewer;
	struct stored_event child, edit;
	struct relation_list list;
	bool found = false;

	if (b->parent->header.redacted_by || children(b, REL_REPLACE, &range, &list))
		return;
	for (size_t i = 0; i < list.len; i++) {
		if (!mx_slice_eq(list.items[i].sender, b->parent->event.sender) ||
		    !load_child(b, &list.items[i], &child) || !replaces(b, &child) ||
		    event_view_is_cut(b->call, b->viewer, &child) ||
		    (found && !is_newer(&child.event, &edit.event)))
			continue;
		edit = child;
		found = true;
	}
	if (!found)
		return;
	viewer.bundles = false;
	json_key(b->out, REL_REPLACE);
	event_view(b->call, &viewer, &edit, b->out);
}

/* ---- m.reference */

static void add_references(const struct bundle *b)
{
	const struct timeline_range range = { .after = INT64_MIN,
					      .before = INT64_MAX,
					      .limit = REFERENCES_MAX };
	struct stored_event child;
	struct relation_list list;
	bool any = false;

	if (children(b, REL_REFERENCE, &range, &list))
		return;
	for (size_t i = 0; i < list.len; i++) {
		if (!load_child(b, &list.items[i], &child))
			continue;
		if (!any)
			json_key(b->out, REL_REFERENCE);
		mx_str_add_text(b->out, any ? ",{\"event_id\":" : "{\"chunk\":[{\"event_id\":");
		mx_canonical_string(b->out, child.event.id);
		mx_str_add_char(b->out, '}');
		any = true;
	}
	if (any)
		mx_str_add_text(b->out, "]}");
}

/* ---- m.thread. Spec: "Threading" */

struct thread {
	size_t count;
	bool participated;
	bool has_latest;
	struct stored_event latest;
};

/* Newest first. */
static void count_rows(const struct bundle *b, const struct relation_list *list,
		       struct thread *thread)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct relation_row *row = &list->items[i];

		if (!thread->has_latest && load_child(b, row, &thread->latest))
			thread->has_latest = true;
		if (!thread->has_latest || ignored_has(&b->ignored, row->sender))
			continue;
		thread->count++;
		thread->participated = thread->participated ||
				       mx_slice_is(row->sender, b->viewer->user_id);
	}
}

static void count_thread(const struct bundle *b, struct thread *thread)
{
	struct timeline_range range = newest(PAGE_ROWS);
	struct relation_list list = { 0 };

	for (size_t seen = 0; seen < THREAD_MAX; seen += list.len) {
		if (children(b, REL_THREAD, &range, &list))
			return;
		count_rows(b, &list, thread);
		if (list.len < PAGE_ROWS)
			return;
		range.before = list.items[list.len - 1].rseq;
	}
}

static void add_thread(const struct bundle *b)
{
	struct event_viewer viewer = *b->viewer;
	struct thread thread = { .participated = mx_slice_is(b->parent->event.sender,
							     b->viewer->user_id) };

	count_thread(b, &thread);
	if (!thread.has_latest)
		return;
	viewer.ignored = &b->ignored;
	json_key(b->out, REL_THREAD);
	mx_str_addf(b->out, "{\"count\":%zu,\"current_user_participated\":%s,\"latest_event\":",
		    thread.count, thread.participated ? "true" : "false");
	event_view(b->call, &viewer, &thread.latest, b->out); /* has no thread: it is in one */
	mx_str_add_char(b->out, '}');
}

/* ---- all of them */

static bool has_children(const struct hs_call *call, const struct stored_event *parent)
{
	const struct timeline_range range = newest(1);
	struct relation_list list = { 0 };

	return relation_db_list(call, parent->room, parent->event.id, MX_SLICE(""), &range,
				&list) == 0 &&
	       list.len;
}

static void add_all(struct bundle *b)
{
	struct event_relation relation = { 0 };
	struct json_object object = json_begin(b->out, "m.relations");

	event_relation_of(&b->parent->event, b->call->mem, &relation);
	add_references(b);
	if (!mx_slice_is(relation.type, REL_REPLACE))
		add_edit(b);
	if (!relation.type.len)
		add_thread(b);
	json_end(b->out, object);
}

/* In memory of its own: a page of events may have very many children. */
static void add_bundle(const struct hs_call *outer, const struct event_viewer *viewer,
		       const struct stored_event *event, struct mx_str *out)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct hs_call call = *outer;
	struct bundle b = { .call = &call, .viewer = viewer, .parent = event, .out = out };

	call.mem = mem;
	if (viewer->ignored)
		b.ignored = *viewer->ignored;
	else if (ignored_load(&call, viewer->user_id, &b.ignored))
		return;
	add_all(&b);
}

void bundle_add(const struct hs_call *call, const struct event_viewer *viewer,
		const struct stored_event *event, struct mx_str *out)
{
	/* Spec: "State events do not currently receive bundled aggregations." */
	if (!event_is_state(&event->event) && has_children(call, event))
		add_bundle(call, viewer, event, out);
}

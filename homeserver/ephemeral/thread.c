#include "homeserver/ephemeral/thread.h"

#include "homeserver/call.h"
#include "homeserver/room/event_db.h"
#include "shared/core/error.h"
#include "shared/json/scan.h"

/* Spec: "a maximum of 3 hops is recommended". */
#define HOPS_MAX 3

/* What an event points to, and whether as a part of a thread; false: to nothing. */
static bool relation_of(const struct event *event, struct mx_arena *mem,
			struct mx_slice *ret_parent, bool *ret_is_thread)
{
	uint32_t relates = mx_json_member(&event->doc, event->content, "m.relates_to");
	uint32_t type = relates ? mx_json_member(&event->doc, relates, "rel_type") : 0;
	uint32_t id = relates ? mx_json_member(&event->doc, relates, "event_id") : 0;

	if (type == 0 || id == 0 || mx_json_type(&event->doc, type) != MX_JSON_STRING ||
	    mx_json_type(&event->doc, id) != MX_JSON_STRING)
		return false;
	*ret_parent = mx_json_string(&event->doc, id, mem);
	*ret_is_thread = mx_slice_is(mx_json_string(&event->doc, type, mem), "m.thread");
	return true;
}

/* The root of the event's thread, found over its relations; empty for the main timeline. */
static int root_of(const struct hs_call *call, const struct stored_event *event,
		   struct mx_slice *ret_root)
{
	struct stored_event at = *event;
	struct mx_slice parent;
	bool is_thread;

	*ret_root = (struct mx_slice){ 0 };
	for (int hop = 0; hop <= HOPS_MAX; hop++) {
		int rc;

		if (!relation_of(&at.event, call->mem, &parent, &is_thread))
			return 0;
		if (is_thread) {
			*ret_root = parent;
			return 0;
		}
		rc = event_db_load_id(call, event->room, parent, &at);
		if (rc)
			return rc == -MX_NOT_FOUND ? 0 : rc;
	}
	return 0;
}

int thread_check(const struct hs_call *call, const struct stored_event *event,
		 struct mx_slice thread_id)
{
	struct mx_slice root;
	int rc;

	if (mx_slice_eq(event->event.id, thread_id))
		return 0;
	rc = root_of(call, event, &root);
	if (rc)
		return rc;
	if (mx_slice_is(thread_id, THREAD_MAIN))
		return root.len == 0 ? 0 : -MX_NOT_FOUND;
	return mx_slice_eq(root, thread_id) ? 0 : -MX_NOT_FOUND;
}

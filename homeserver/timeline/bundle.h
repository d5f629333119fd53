/* What others said of an event, shown with it. Spec: client-server API, "Aggregations of child
 * events". */
#pragma once

struct event_viewer;
struct hs_call;
struct mx_str;
struct stored_event;

/* Appends "m.relations" as a member of the object that is being written, if there is anything that
 * the user may see and of people whom they do not ignore. The viewer has its visibility. */
void bundle_add(const struct hs_call *call, const struct event_viewer *viewer,
		const struct stored_event *event, struct mx_str *out);

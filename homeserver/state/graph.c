#include "homeserver/state/graph.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"

/* Somebody was put out: by somebody else. */
static bool puts_out(const struct event *event)
{
	struct mx_slice membership = event_membership(event);

	if (mx_slice_eq(event->sender, event->state_key))
		return false;
	return mx_slice_is(membership, "leave") || mx_slice_is(membership, "ban");
}

bool graph_is_power_event(const struct event *event)
{
	return event_is(event, TYPE_POWER_LEVELS, MX_SLICE("")) ||
	       event_is(event, TYPE_JOIN_RULES, MX_SLICE("")) ||
	       (event_is_state(event) && puts_out(event));
}

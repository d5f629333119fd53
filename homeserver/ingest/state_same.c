#include "homeserver/ingest/state_same.h"

#include "homeserver/ingest/turn.h"
#include "shared/json/canonical.h"

const struct event *state_same(struct room_turn *turn, const struct event_wish *wish)
{
	const struct event *now = turn_state(turn, wish->type, wish->state_key);
	mx_str_auto content = { 0 };

	if (!now || !mx_slice_is(now->sender, wish->sender) ||
	    mx_canonical_json(wish->content, NULL, &content, NULL))
		return NULL;
	/* Stored bytes are canonical. */
	return mx_slice_eq(mx_json_raw(&now->doc, now->content), mx_str_slice(&content)) ? now
											 : NULL;
}

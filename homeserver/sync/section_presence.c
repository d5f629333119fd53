/* `presence` of /sync. */
#include "homeserver/call.h"
#include "homeserver/ephemeral/presence.h"
#include "homeserver/hs.h"
#include "homeserver/json_out.h"
#include "homeserver/sync/sync.h"
#include "homeserver/userdata/filter.h"
#include "shared/json/scan.h"

static bool allows(const struct sync *sync, struct mx_slice event)
{
	const struct event_filter *filter = &sync->ask->filter->presence;
	struct mx_json_doc doc;
	struct mx_slice sender = { 0 };
	uint32_t node;

	if (!filter->senders.given && !filter->not_senders.given)
		return true;
	if (mx_json_scan(event, &mx_json_default_limits, sync->call->mem, &doc, NULL) != 0)
		return false;
	node = mx_json_member(&doc, 0, "sender");
	if (node)
		sender = mx_json_string(&doc, node, sync->call->mem);
	return event_filter_allows_type(filter, MX_SLICE("m.presence"), sender);
}

static bool is_wanted(const struct sync *sync)
{
	const struct event_filter types = {
		.types = sync->ask->filter->presence.types,
		.not_types = sync->ask->filter->presence.not_types,
	};

	return event_filter_allows_type(&types, MX_SLICE("m.presence"), MX_SLICE(""));
}

/* Nothing at all if there is nothing to say. */
static void write_events(struct sync *sync, const struct presence_events *events)
{
	struct mx_str *out = sync->out;
	size_t start = out->len, inside;

	json_key(out, "presence");
	mx_str_add_text(out, "{\"events\":[");
	inside = out->len;
	for (size_t i = 0; i < events->len; i++) {
		if (!allows(sync, events->items[i]))
			continue;
		json_next(out);
		mx_str_add_slice(out, events->items[i]);
	}
	if (out->len == inside) {
		json_cut(out, start);
		return;
	}
	mx_str_add_text(out, "]}");
	sync->news = true;
}

int section_presence(struct sync *sync)
{
	const struct presence_ask ask = {
		.viewer = sync->ask->user_id,
		.after = sync->ask->since.tick,
		.rooms = sync->new_rooms.items,
		.users = sync->newcomers.items,
		.rooms_len = sync->new_rooms.len,
		.users_len = sync->newcomers.len,
	};
	struct presence_events events;
	int rc;

	if (!is_wanted(sync))
		return 0;
	rc = presence_events(sync->call, &ask, &events);
	if (rc == 0)
		write_events(sync, &events);
	return rc;
}

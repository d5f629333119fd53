/* The timeline of a room in /sync, from its newest entry backwards. Spec: client-server API,
 * "Syncing": in the order of arrival. */
#include "homeserver/json_out.h"
#include "homeserver/sync/room_sync.h"
#include "homeserver/timeline/page_token.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"

#define CHUNK 100 /* entries that are read at a time, after the first ones */

struct collector {
	struct room_sync *rs;
	const struct event_filter *filter;
	struct stored_event *items; /* newest first */
	size_t len, limit, looked_at;
	struct topo_place last; /* of what was looked at */
	bool wants_start; /* the next entry says what the state was before the oldest event */
	bool done;
};

static size_t limit_of(const struct room_sync *rs)
{
	const struct event_filter *filter = &rs->sync->ask->filter->timeline;
	size_t limit = filter->limit ? filter->limit : SYNC_TIMELINE_DEFAULT;

	if (!event_filter_allows_room(filter, rs->head.id))
		return 0;
	return limit < SYNC_TIMELINE_MAX ? limit : SYNC_TIMELINE_MAX;
}

static bool passes_filter(const struct collector *c, const struct event *event)
{
	return event_filter_allows(c->filter, event) && !sync_ignores(c->rs->sync, event);
}

/* What made the user what they are is always theirs to see: also who was invited, and declined. */
static bool is_visible(struct collector *c, const struct stored_event *event)
{
	return event->header.number == c->rs->row->event ||
	       (c->rs->sees && visibility_allows(&c->rs->visibility, event));
}

static void stop_short(struct collector *c)
{
	c->rs->timeline.limited = true;
	c->done = true;
}

/* Behind what the user may not see the timeline does not go on: a client would take what is on both
 * sides for neighbours, and old state for the newest. */
static int take_event(struct collector *c, const struct timeline_entry *entry)
{
	struct stored_event event;
	int rc = event_db_load(&c->rs->call, c->rs->row->room, entry->event, &event);

	if (rc || !passes_filter(c, &event.event))
		return rc;
	if (c->len == c->limit || !is_visible(c, &event)) {
		stop_short(c);
		return 0;
	}
	c->items[c->len++] = event;
	c->rs->timeline.before = (struct topo_place){ entry->depth, entry->rseq };
	c->wants_start = true;
	return 0;
}

static int take_entry(struct collector *c, const struct timeline_entry *entry)
{
	if (c->wants_start)
		c->rs->timeline.start = entry->after;
	c->wants_start = false;
	if (entry->position <= c->rs->after) {
		c->done = true;
		return 0;
	}
	if (++c->looked_at > SYNC_SCAN_MAX) {
		stop_short(c);
		return 0;
	}
	c->last = (struct topo_place){ entry->depth, entry->rseq };
	return entry->event ? take_event(c, entry) : 0;
}

static int collect(struct collector *c, int64_t before)
{
	struct timeline_range range = {
		.after = INT64_MIN,
		.before = before,
		.limit = c->limit + 2,
		.reverse = true,
	};
	int rc = 0;

	while (rc == 0 && !c->done) {
		struct timeline entries;

		rc = timeline_db_scan(&c->rs->call, c->rs->row->room, &range, &entries);
		for (size_t i = 0; rc == 0 && !c->done && i < entries.len; i++)
			rc = take_entry(c, &entries.items[i]);
		if (rc || entries.len < range.limit)
			break;
		range.before = entries.items[entries.len - 1].rseq;
		range.limit = CHUNK;
	}
	if (c->wants_start) /* the room begins with it */
		c->rs->timeline.start = (struct room_state){ 0 };
	return rc;
}

static void turn_around(struct stored_event *items, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		struct stored_event event = items[i];

		items[i] = items[len - 1 - i];
		items[len - 1 - i] = event;
	}
}

/* Where the room ends for this user: its state then, and the first rseq that is not theirs. */
static int find_end(struct room_sync *rs, int64_t *ret_before)
{
	struct timeline_range range = { .after = INT64_MIN, .limit = 1, .reverse = true };
	struct timeline last;
	int rc;

	*ret_before = INT64_MAX;
	rs->timeline.end = rs->head.state;
	if (!rs->ended)
		return 0;
	*ret_before = range.before = rs->row->rseq + 1;
	rc = timeline_db_scan(&rs->call, rs->row->room, &range, &last);
	rs->timeline.end = rc == 0 && last.len ? last.items[0].after : (struct room_state){ 0 };
	return rc;
}

int room_timeline_load(struct room_sync *rs)
{
	struct collector c = {
		.rs = rs,
		.filter = &rs->sync->ask->filter->timeline,
		.limit = limit_of(rs),
	};
	int64_t before;
	int rc = find_end(rs, &before);

	rs->timeline.start = rs->timeline.end;
	rs->timeline.before = (struct topo_place){
		.depth = rs->head.depth + 1,
		.rseq = rs->ended ? before : rs->head.last_rseq + 1,
	};
	if (rc || c.limit == 0)
		return rc;
	rs->sees = visibility_init(&rs->visibility, &rs->reader, mx_slice(rs->sync->ask->user_id),
				   NULL) == 0;
	c.items = mx_arena_alloc(rs->call.mem, c.limit * sizeof(*c.items));
	rc = collect(&c, before);
	if (c.len == 0 && rs->timeline.limited)
		rs->timeline.before = c.last;
	turn_around(c.items, c.len);
	rs->timeline.events = c.items;
	rs->timeline.len = c.len;
	rs->timeline.limited |= rs->anew;
	return rc;
}

void room_timeline_write(struct room_sync *rs)
{
	const struct room_timeline *timeline = &rs->timeline;
	struct mx_str *out = rs->sync->out;

	json_key(out, "timeline");
	mx_str_add_text(out, "{\"events\":[");
	for (size_t i = 0; i < timeline->len; i++)
		sync_event(rs->sync, &rs->call, &timeline->events[i],
			   rs->sees ? &rs->visibility : NULL);
	mx_str_addf(out, "],\"limited\":%s,\"prev_batch\":\"",
		    timeline->limited ? "true" : "false");
	page_token_add(out, timeline->before);
	mx_str_add_text(out, "\"}");
}

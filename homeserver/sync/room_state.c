/* The state that goes with a room's timeline in /sync. */
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/json_out.h"
#include "homeserver/state/state_db.h"
#include "homeserver/sync/lazy_members.h"
#include "homeserver/sync/room_sync.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/error.h"

struct collector {
	struct room_sync *rs;
	const struct event_filter *filter;
	const struct state_set *heroes;
	bool before; /* up to the start of the timeline; else up to its end */
	struct state_set numbers; /* what is sent */
	struct lazy_known known; /* members that need not be sent again */
};

static bool is_known(const struct collector *c, uint32_t number)
{
	for (size_t i = 0; i < c->known.len; i++) {
		if (c->known.items[i] == number)
			return true;
	}
	return false;
}

static bool is_in_timeline(const struct room_sync *rs, uint32_t number)
{
	for (size_t i = 0; i < rs->timeline.len; i++) {
		if (rs->timeline.events[i].header.state_number == number)
			return true;
	}
	return false;
}

/* What changed on the way from the first to the second; `shown`: what the timeline shows is left
 * out. */
static int add_changes(struct collector *c, const struct room_state *from,
		       const struct room_state *to, enum state_part part, bool shown)
{
	struct state_numbers changes;
	int rc = state_reader_changes(&c->rs->reader, from, to, part, &changes);

	for (size_t i = 0; rc == 0 && i < changes.len; i++) {
		if (!(shown && is_in_timeline(c->rs, changes.items[i])))
			mx_vec_push(&c->numbers, changes.items[i]);
	}
	return rc;
}

/*
 * A client that applies the timeline to `state` comes to the room's state only if every change is
 * an event of the timeline. What the filter leaves out, what came with another fork, and what was
 * decided without an event goes into `state` too.
 */
static int add_part(struct collector *c, enum state_part part)
{
	const struct room_timeline *timeline = &c->rs->timeline;
	int rc;

	if (!c->before)
		return add_changes(c, &c->rs->base, &timeline->end, part, false);
	rc = add_changes(c, &c->rs->base, &timeline->start, part, false);
	return rc ? rc : add_changes(c, &timeline->start, &timeline->end, part, true);
}

static int member_number(struct room_sync *rs, const struct room_state *state,
			 struct mx_slice user_id, uint32_t *ret_number)
{
	uint32_t slot;
	int rc = slot_db_find(&rs->call, rs->row->room, MX_SLICE(TYPE_MEMBER), user_id, &slot);

	*ret_number = rc == 0 ? room_state_find(&rs->reader.nodes, state, slot) : 0;
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

static void add_member(struct collector *c, uint32_t number)
{
	if (number && !is_known(c, number) && !state_set_has(&c->numbers, number))
		mx_vec_push(&c->numbers, number);
}

/* Who was no member yet, or not this one, before the timeline is looked for behind it. */
static int add_member_of(struct collector *c, struct mx_slice user_id)
{
	struct room_timeline *timeline = &c->rs->timeline;
	uint32_t number;
	int rc = member_number(c->rs, c->before ? &timeline->start : &timeline->end, user_id,
			       &number);

	if (rc == 0 && number == 0 && c->before) {
		rc = member_number(c->rs, &timeline->end, user_id, &number);
		number = is_in_timeline(c->rs, number) ? 0 : number;
	}
	if (rc == 0)
		add_member(c, number);
	return rc;
}

static bool is_first_of_sender(const struct room_timeline *timeline, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (mx_slice_eq(timeline->events[j].event.sender, timeline->events[i].event.sender))
			return false;
	}
	return true;
}

static int add_senders(struct collector *c)
{
	const struct room_timeline *timeline = &c->rs->timeline;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < timeline->len; i++) {
		if (is_first_of_sender(timeline, i))
			rc = add_member_of(c, timeline->events[i].event.sender);
	}
	return rc;
}

/* Spec: "servers MUST include the syncing user's own membership event when they join a room, or
 * when the full state of rooms is requested", and "MUST return membership events for events in the
 * gap" of a limited timeline. */
static int add_lazy_members(struct collector *c)
{
	struct room_sync *rs = c->rs;
	int rc = rs->knows ? add_part(c, STATE_MEMBERS)
			   : add_member_of(c, mx_slice(rs->sync->ask->user_id));

	if (rc == 0)
		rc = add_senders(c);
	for (size_t i = 0; rc == 0 && i < c->heroes->len; i++) {
		if (!(c->before && is_in_timeline(rs, c->heroes->items[i])))
			add_member(c, c->heroes->items[i]);
	}
	return rc;
}

static struct lazy_key lazy_key_of(const struct room_sync *rs)
{
	return (struct lazy_key){
		.user_id = rs->sync->ask->user_id,
		.device = rs->sync->ask->device,
		.room = rs->row->room,
	};
}

static void load_known(struct collector *c)
{
	const struct lazy_key key = lazy_key_of(c->rs);

	if (c->rs->knows && !c->filter->include_redundant_members)
		lazy_members_known(c->rs->call.hs->lazy_members, &key,
				   &c->rs->sync->ask->acknowledged, c->rs->call.mem, &c->known);
}

/* Members of the timeline are sent as well. */
static void note_sent(struct collector *c, struct state_set *members)
{
	const struct lazy_key key = lazy_key_of(c->rs);

	for (size_t i = 0; i < c->rs->timeline.len; i++) {
		const struct stored_event *event = &c->rs->timeline.events[i];

		if (event->header.state_number && mx_slice_is(event->event.type, TYPE_MEMBER))
			mx_vec_push(members, event->header.state_number);
	}
	lazy_members_sent(c->rs->call.hs->lazy_members, &key, &c->rs->sync->now,
			  &(struct lazy_known){ members->items, members->len });
}

static int write_events(struct collector *c, struct state_set *members)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->numbers.len; i++) {
		struct stored_event event;

		rc = state_reader_event(&c->rs->reader, c->numbers.items[i], &event);
		if (rc || !event_filter_allows(c->filter, &event.event))
			continue;
		if (mx_slice_is(event.event.type, TYPE_MEMBER))
			mx_vec_push(members, c->numbers.items[i]);
		sync_event(c->rs->sync, &c->rs->call, &event, NULL);
	}
	return rc;
}

static int collect(struct collector *c)
{
	int rc;

	if (!event_filter_allows_room(c->filter, c->rs->head.id))
		return 0;
	if (!c->filter->lazy_load_members)
		return add_part(c, STATE_ALL);
	load_known(c);
	rc = add_part(c, STATE_OTHERS);
	return rc ? rc : add_lazy_members(c);
}

static const char *const names[] = {
	[SYNC_STATE_BEFORE] = "state",
	[SYNC_STATE_AFTER] = "state_after",
	[SYNC_STATE_AFTER_UNSTABLE] = "org.matrix.msc4222.state_after",
};

int room_state_write(struct room_sync *rs, const struct state_set *heroes)
{
	struct collector c = {
		.rs = rs,
		.filter = &rs->sync->ask->filter->state,
		.heroes = heroes,
		.before = rs->sync->ask->state == SYNC_STATE_BEFORE,
	};
	struct mx_str *out = rs->sync->out;
	struct state_set members = { 0 };
	int rc = collect(&c);

	json_key(out, names[rs->sync->ask->state]);
	mx_str_add_text(out, "{\"events\":[");
	if (rc == 0)
		rc = write_events(&c, &members);
	mx_str_add_text(out, "]}");
	if (rc == 0 && c.filter->lazy_load_members)
		note_sent(&c, &members);
	mx_vec_done(&members);
	mx_vec_done(&c.numbers);
	return rc;
}

/* A room that the user left, or was banned from, in /sync: up to there, and no further. Also an
 * invite that was declined, or taken back. */
#include "homeserver/event/event_types.h"
#include "homeserver/json_out.h"
#include "homeserver/sync/room_sync.h"
#include "homeserver/sync/sections.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/canonical.h"

static bool is_shown(const struct sync *sync, const struct user_room *row)
{
	const struct sync_ask *ask = sync->ask;

	if (ask->initial)
		return ask->filter->include_leave && !row->forgotten;
	return row->position > ask->since.position ||
	       (ask->full_state && ask->filter->include_leave && !row->forgotten);
}

/* Forgetting is written into the same row: the client may know for long that the room was left. */
static int find_news(struct room_sync *rs, bool *ret_is_news)
{
	const struct timeline_range range = { .after = rs->row->rseq - 1,
					      .before = rs->row->rseq + 1,
					      .limit = 1 };
	struct timeline left;
	int rc;

	*ret_is_news = !rs->row->forgotten;
	if (*ret_is_news)
		return 0;
	rc = timeline_db_scan(&rs->call, rs->row->room, &range, &left);
	*ret_is_news = rc == 0 && left.len &&
		       left.items[0].position > rs->sync->ask->since.position;
	return rc;
}

/* Of the user's own events of the timeline, one that made them a member. */
static bool joins_in_timeline(const struct room_sync *rs)
{
	const struct mx_slice own = mx_slice(rs->sync->ask->user_id);

	for (size_t i = 0; i < rs->timeline.len; i++) {
		const struct event *event = &rs->timeline.events[i].event;

		if (event_is(event, TYPE_MEMBER, own) &&
		    membership_of(event_membership(event)) == MEMBERSHIP_JOIN)
			return true;
	}
	return false;
}

/* Who was never joined in that time sees no state: an invite that came to nothing. Nor does who
 * forgot the room: that it was left is all that is told. */
static bool may_see_state(struct room_sync *rs, bool was_joined)
{
	if (rs->row->forgotten)
		return false;
	return was_joined || joins_in_timeline(rs) ||
	       state_reader_membership(&rs->reader, &rs->timeline.start,
				       mx_slice(rs->sync->ask->user_id)) == MEMBERSHIP_JOIN;
}

/* Once gone already at `since`, what happened until the room was left is known. */
static int find_base(struct room_sync *rs, bool *ret_was_joined)
{
	const struct sync_ask *ask = rs->sync->ask;
	int rc = 0;

	*ret_was_joined = false;
	rs->ended = true;
	if (!ask->initial)
		rc = room_sync_was_joined(rs, ask->since.position, ret_was_joined);
	rs->knows = *ret_was_joined && !ask->full_state;
	if (!rs->knows)
		rs->base = (struct room_state){ 0 };
	return rc;
}

static int write_parts(struct room_sync *rs, bool was_joined)
{
	const struct state_set nobody = { 0 };
	bool any;
	int rc;

	if (!may_see_state(rs, was_joined))
		rs->base = rs->timeline.start = rs->timeline.end = (struct room_state){ 0 };
	rc = room_state_write(rs, &nobody);
	room_timeline_write(rs);
	return rc ? rc : room_account_data_write(rs, &any);
}

static int write_room(struct room_sync *rs)
{
	struct mx_str *out = rs->sync->out;
	bool was_joined;
	int rc = find_base(rs, &was_joined);

	if (rc == 0)
		rc = room_timeline_load(rs);
	if (rc)
		return rc;
	json_next(out);
	mx_canonical_string(out, rs->head.id);
	mx_str_add_text(out, ":{");
	rc = write_parts(rs, was_joined);
	mx_str_add_char(out, '}');
	return rc;
}

int section_left_room(struct sync *sync, const struct user_room *row, struct mx_arena *mem)
{
	struct room_sync rs;
	bool is_news;
	int rc;

	if (!is_shown(sync, row))
		return 0;
	rc = room_sync_begin(&rs, sync, row, mem);
	if (rc)
		return rc;
	rc = find_news(&rs, &is_news);
	if (rc == 0 && is_news && event_filter_allows_room(&sync->ask->filter->rooms, rs.head.id))
		rc = write_room(&rs);
	room_sync_end(&rs);
	return rc;
}

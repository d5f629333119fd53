/* A joined room in /sync. */
#include "homeserver/ephemeral/typing.h"
#include "homeserver/hs.h"
#include "homeserver/json_out.h"
#include "homeserver/stream/stream.h"
#include "homeserver/sync/room_sync.h"
#include "homeserver/sync/sections.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/canonical.h"

static bool has_account_data(const struct sync *sync, uint32_t room)
{
	for (size_t i = 0; i < sync->account_data.len; i++) {
		if (sync->account_data.items[i].room == room)
			return true;
	}
	return false;
}

/* At first sight, without reading the room. */
static bool may_have_news(const struct sync *sync, const struct user_room *row)
{
	const struct sync_ask *ask = sync->ask;
	const struct hs *hs = sync->call->hs;

	return ask->initial || ask->full_state || row->position > ask->since.position ||
	       stream_room_changed(hs->stream, row->room, ask->since.position) ||
	       typing_changed(hs->typing, row->room, ask->since.tick) ||
	       has_account_data(sync, row->room);
}

/* Who was joined at `since` already, as after a changed name, goes on from there. */
static int find_base(struct room_sync *rs)
{
	const struct sync_ask *ask = rs->sync->ask;
	bool joined = false;
	int rc = 0;

	if (!ask->initial)
		rc = room_sync_was_joined(rs, ask->since.position, &joined);
	rs->anew = !ask->initial && !joined;
	rs->knows = joined && !ask->full_state;
	if (!joined)
		rs->after = 0;
	if (!rs->knows)
		rs->base = (struct room_state){ 0 };
	return rc;
}

static bool joined_since(struct room_sync *rs, const struct event *event)
{
	return membership_of(event_membership(event)) == MEMBERSHIP_JOIN &&
	       state_reader_membership(&rs->reader, &rs->base, event->state_key) != MEMBERSHIP_JOIN;
}

/* For `presence`, which is of rooms that are shared. */
static int note_newcomers(struct room_sync *rs)
{
	struct sync *sync = rs->sync;
	struct state_numbers changes = { 0 };
	int rc = 0;

	if (rs->anew)
		mx_vec_push(&sync->new_rooms, rs->row->room);
	if (rs->knows && rs->base.members != rs->timeline.end.members)
		rc = state_reader_changes(&rs->reader, &rs->base, &rs->timeline.end, STATE_MEMBERS,
					  &changes);
	for (size_t i = 0; rc == 0 && i < changes.len; i++) {
		struct stored_event event;

		rc = state_reader_event(&rs->reader, changes.items[i], &event);
		if (rc == 0 && joined_since(rs, &event.event))
			mx_vec_push(&sync->newcomers,
				    mx_arena_slice(sync->call->mem, event.event.state_key));
	}
	return rc;
}

/* The parts of its entry; ret_any: whether one of them says something. */
static int write_parts(struct room_sync *rs, bool *ret_any)
{
	const struct room_timeline *timeline = &rs->timeline;
	struct state_set heroes = { 0 };
	bool ephemeral = false, account_data = false;
	int rc = room_summary_write(rs, &heroes);

	if (rc == 0)
		rc = room_state_write(rs, &heroes);
	mx_vec_done(&heroes);
	if (rc)
		return rc;
	room_timeline_write(rs);
	rc = room_ephemeral_write(rs, &ephemeral);
	if (rc == 0)
		rc = room_account_data_write(rs, &account_data);
	room_unread_write(rs);
	*ret_any = !rs->knows || timeline->len || timeline->limited || ephemeral || account_data ||
		   rs->base.members != timeline->end.members ||
		   rs->base.others != timeline->end.others;
	return rc;
}

static int write_room(struct room_sync *rs)
{
	struct mx_str *out = rs->sync->out;
	size_t start = out->len;
	bool any = false;
	int rc = find_base(rs);

	if (rc == 0)
		rc = room_timeline_load(rs);
	if (rc == 0)
		rc = note_newcomers(rs);
	if (rc)
		return rc;
	json_next(out);
	mx_canonical_string(out, rs->head.id);
	mx_str_add_text(out, ":{");
	rc = write_parts(rs, &any);
	mx_str_add_char(out, '}');
	if (!any)
		json_cut(out, start);
	return rc;
}

int section_joined_room(struct sync *sync, const struct user_room *row, struct mx_arena *mem)
{
	struct room_sync rs;
	int rc;

	if (!may_have_news(sync, row))
		return 0;
	rc = room_sync_begin(&rs, sync, row, mem);
	if (rc)
		return rc;
	if (event_filter_allows_room(&sync->ask->filter->rooms, rs.head.id))
		rc = write_room(&rs);
	room_sync_end(&rs);
	return rc;
}

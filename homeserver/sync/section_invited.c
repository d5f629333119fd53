/* Invites and knocks in /sync: what helps to know the room by. Spec: client-server API, "Stripped
 * state". */
#include "homeserver/event/event_types.h"
#include "homeserver/json_out.h"
#include "homeserver/sync/room_sync.h"
#include "homeserver/sync/sections.h"
#include "homeserver/timeline/event_view.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/canonical.h"

static const char *const shown_types[] = {
	TYPE_CREATE,         "m.room.name",   "m.room.avatar",
	"m.room.topic",      TYPE_JOIN_RULES, "m.room.canonical_alias",
	"m.room.encryption",
};

static const struct event_viewer stripped = { .form = EVENT_VIEW_STRIPPED };

static void write_event(struct room_sync *rs, const struct stored_event *event)
{
	json_next(rs->sync->out);
	event_view(&rs->call, &stripped, event, rs->sync->out);
}

/* The state is that of the invite: later changes are not for who only was invited. */
static void write_state(struct room_sync *rs, const struct stored_event *member)
{
	const struct room_state *state = &member->header.before;
	struct stored_event event;

	for (size_t i = 0; i < sizeof(shown_types) / sizeof(*shown_types); i++) {
		if (state_reader_load(&rs->reader, state, shown_types[i], MX_SLICE(""), &event) ==
		    0)
			write_event(rs, &event);
	}
	if (!mx_slice_eq(member->event.sender, member->event.state_key) &&
	    state_reader_load(&rs->reader, state, TYPE_MEMBER, member->event.sender, &event) == 0)
		write_event(rs, &event);
	write_event(rs, member);
}

static int write_room(struct room_sync *rs, const char *name)
{
	struct mx_str *out = rs->sync->out;
	struct stored_event member;
	int rc = event_db_load(&rs->call, rs->row->room, rs->row->event, &member);

	if (rc || ignored_has(&rs->sync->ignored, member.event.sender))
		return rc;
	json_next(out);
	mx_canonical_string(out, rs->head.id);
	mx_str_add_text(out, ":{\"");
	mx_str_add_text(out, name);
	mx_str_add_text(out, "\":{\"events\":[");
	write_state(rs, &member);
	mx_str_add_text(out, "]}}");
	return 0;
}

static int write_if_new(struct sync *sync, const struct user_room *row, const char *name,
			struct mx_arena *mem)
{
	const struct sync_ask *ask = sync->ask;
	struct room_sync rs;
	int rc;

	if (!ask->initial && !ask->full_state && row->position <= ask->since.position)
		return 0;
	rc = room_sync_begin(&rs, sync, row, mem);
	if (rc)
		return rc;
	if (event_filter_allows_room(&ask->filter->rooms, rs.head.id))
		rc = write_room(&rs, name);
	room_sync_end(&rs);
	return rc;
}

int section_invited_room(struct sync *sync, const struct user_room *row, struct mx_arena *mem)
{
	return write_if_new(sync, row, "invite_state", mem);
}

int section_knocked_room(struct sync *sync, const struct user_room *row, struct mx_arena *mem)
{
	return write_if_new(sync, row, "knock_state", mem);
}

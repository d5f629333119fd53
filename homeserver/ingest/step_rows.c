/* What an event leaves in the tables that others read. */
#include "homeserver/event/event_relation.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/ingest/steps.h"
#include "homeserver/state/state_db.h"
#include "homeserver/stream/stream.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"

static bool is_local(const struct ingest *in, struct mx_slice user_id)
{
	struct mx_id id;

	return mx_user_id_parse(user_id, false, &id) &&
	       mx_slice_is(id.server, in->turn->call.hs->conf->server_name);
}

/* ---- the timeline */

int step_timeline(struct ingest *in)
{
	struct room_turn *turn = in->turn;
	struct room_head *head = &turn->head;

	if (!ingest_is_accepted(in))
		return 0;
	in->stored.header.rseq = ++head->last_rseq;
	if (in->event->depth > head->depth)
		head->depth = in->event->depth;
	timeline_db_add(turn->call.txn, in->stored.room,
			&(struct timeline_entry){ .rseq = head->last_rseq,
						  .event = in->stored.header.number,
						  .depth = in->event->depth,
						  .origin_server_ts = in->event->origin_server_ts,
						  .after = head->state });
	stream_note(turn->call.txn, &(struct stream_entry){ .kind = STREAM_EVENT,
							    .room = in->stored.room,
							    .rseq = head->last_rseq });
	return 0;
}

/* ---- members: whoever the room's state names now, and did not before */

static uint32_t *count_of(struct room_head *head, enum membership membership)
{
	switch (membership) {
	case MEMBERSHIP_JOIN: return &head->joined;
	case MEMBERSHIP_INVITE: return &head->invited;
	case MEMBERSHIP_KNOCK: return &head->knocked;
	case MEMBERSHIP_NONE:
	case MEMBERSHIP_LEAVE:
	case MEMBERSHIP_BAN: return NULL;
	}
	return NULL;
}

static enum membership membership_at(struct room_turn *turn, uint32_t number)
{
	const struct stored_event *stored = number ? turn_state_event(turn, number) : NULL;

	return stored ? membership_of(event_membership(&stored->event)) : MEMBERSHIP_NONE;
}

static void count_change(struct room_head *head, enum membership was, enum membership is)
{
	uint32_t *before = count_of(head, was), *after = count_of(head, is);

	if (before && *before > 0)
		(*before)--;
	if (after)
		(*after)++;
}

static void tell_local(struct ingest *in, const struct member_row *row, struct mx_slice user_id)
{
	int64_t rseq = in->turn->head.last_rseq;

	user_room_db_put(in->turn->call.txn, user_id,
			 &(struct user_room){ .room = in->stored.room,
					      .membership = row->membership,
					      .event = row->event,
					      .rseq = rseq });
	stream_note(in->turn->call.txn, &(struct stream_entry){ .kind = STREAM_MEMBER,
								.room = in->stored.room,
								.rseq = rseq,
								.user = user_id,
								.membership = row->membership });
}

struct change {
	uint32_t was, is; /* state numbers */
};

struct changes {
	struct mx_vec(struct change) items;
};

static void note_change(void *ctx, uint32_t slot, uint32_t was, uint32_t is)
{
	struct changes *changes = ctx;

	(void)slot;
	mx_vec_push(&changes->items, (struct change){ was, is });
}

static void change_member(struct ingest *in, const struct change *change)
{
	struct room_turn *turn = in->turn;
	const struct stored_event *of = turn_state_event(turn,
							 change->is ? change->is : change->was);
	struct member_row row;
	struct mx_slice user_id;

	if (!of)
		return;
	user_id = of->event.state_key;
	row = (struct member_row){
		.user_id = mx_arena_strndup(turn->call.mem, user_id.ptr, user_id.len),
		.membership = membership_at(turn, change->is),
		.event = change->is ? of->header.number : 0,
	};
	count_change(&turn->head, membership_at(turn, change->was), row.membership);
	member_db_put(turn->call.txn, in->stored.room, &row);
	if (is_local(in, user_id))
		tell_local(in, &row, user_id);
}

int step_members(struct ingest *in)
{
	struct room_turn *turn = in->turn;
	struct changes changes = { 0 };

	trie_diff(&turn->nodes, in->was.members, turn->head.state.members, note_change, &changes);
	for (size_t i = 0; i < changes.items.len; i++)
		change_member(in, &changes.items.items[i]);
	mx_vec_done(&changes.items);
	return 0;
}

/* ---- relations. Spec: client-server API, "Forming relationships between events" */

int step_relation(struct ingest *in)
{
	struct event_relation relation;
	struct relation_row row;

	if (!ingest_is_accepted(in) || in->stored.header.redacted_by ||
	    !event_relation_of(in->event, in->turn->call.mem, &relation))
		return 0;
	row = (struct relation_row){
		.type = relation.type,
		.rseq = in->stored.header.rseq,
		.event = in->stored.header.number,
		.event_type = in->event->type,
		.sender = in->event->sender,
		.key = relation.key,
	};
	relation_db_add(in->turn->call.txn, in->stored.room, relation.parent_id, &row);
	return 0;
}

/* ---- the event itself */

static void store_state(struct ingest *in)
{
	const struct born *born = in->turn->born.items[in->turn->born.len - 1];
	const struct state_event row = {
		.event = in->stored.header.number,
		.slot = in->stored.header.slot,
		.origin_server_ts = in->event->origin_server_ts,
		.flags = born->graph.flags,
		.cited = born->cited,
		.cited_len = born->graph.cited_len,
	};

	state_db_add(in->turn->call.txn, in->stored.room, in->stored.header.state_number, &row);
}

int step_store(struct ingest *in)
{
	event_db_add(in->turn->call.txn, &in->stored);
	if (in->stored.header.state_number)
		store_state(in);
	return 0;
}

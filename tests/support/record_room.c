#include "tests/support/record_room.h"

#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/state/graph.h"
#include "homeserver/state/state_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#define ROOM 7

void record_room_begin(struct record_room *room, struct hs_fixture *f, const char *version)
{
	*room = (struct record_room){
		.f = f,
		.room = ROOM,
		.version = version,
		.head = { .version = room_version_find(mx_slice(version)),
			  .id = MX_SLICE(RECORD_ROOM_ID),
			  .next_event = 1,
			  .next_state = 1,
			  .next_node = 1 },
	};
	trie_nodes_init(&room->nodes, 1);
	room_db_add(f->call.txn, ROOM, &room->head);
}

/* ---- state */

static uint32_t slot_of(struct record_room *room, const struct event *event)
{
	bool member = mx_slice_is(event->type, TYPE_MEMBER);
	uint32_t slot;

	if (slot_db_find(&room->f->call, ROOM, event->type, event->state_key, &slot) == 0)
		return slot;
	slot = member ? SLOT_MEMBER | room->head.next_member_slot++ : room->head.next_slot++;
	slot_db_add(room->f->call.txn, ROOM, slot, event->type, event->state_key);
	return slot;
}

static void put_member(struct record_room *room, const struct stored_event *event)
{
	struct store_txn *txn = room->f->call.txn;
	const struct member_row row = {
		.user_id = mx_arena_strndup(room->f->call.mem, event->event.state_key.ptr,
					    event->event.state_key.len),
		.membership = membership_of(event_membership(&event->event)),
		.event = event->header.number,
	};
	const struct user_room own = { .room = ROOM,
				       .membership = row.membership,
				       .event = row.event,
				       .rseq = event->header.rseq };

	member_db_put(txn, ROOM, &row);
	user_room_db_put(txn, mx_slice(row.user_id), &own);
}

static void put_state(struct record_room *room, struct stored_event *event)
{
	struct store_txn *txn = room->f->call.txn;
	uint32_t number = room->head.next_state++;
	struct state_event row = { .event = event->header.number };

	row.slot = event->header.slot = slot_of(room, &event->event);
	event->header.state_number = number;
	state_db_add(txn, ROOM, number, &row);
	if (event->header.flags & EVENT_HIDDEN)
		return;
	room_state_put(&room->nodes, &room->head.state, row.slot, number);
	for (; room->head.next_node <= room->nodes.len; room->head.next_node++)
		node_db_add(txn, ROOM, room->head.next_node,
			    room->nodes.items[room->head.next_node - 1]);
	if (mx_slice_is(event->event.type, TYPE_MEMBER))
		put_member(room, event);
}

/* ---- what events say of others */

static void put_relation(struct record_room *room, const struct stored_event *event,
			 const json_t *content)
{
	const json_t *relation = json_object_get(content, "m.relates_to");
	const char *key = jstr(relation, "key");
	const struct relation_row row = { .type = mx_slice(jstr(relation, "rel_type")),
					  .rseq = event->header.rseq,
					  .event = event->header.number,
					  .event_type = event->event.type,
					  .sender = event->event.sender,
					  .key = mx_slice(key ? key : "") };

	if (jstr(relation, "event_id"))
		relation_db_add(room->f->call.txn, ROOM, mx_slice(jstr(relation, "event_id")),
				&row);
}

static void redact(struct record_room *room, const struct stored_event *redaction)
{
	struct stored_event event;

	if (!redaction->event.redacts.ptr)
		return;
	assert_int_equal(event_db_load_id(&room->f->call, ROOM, redaction->event.redacts, &event),
			 0);
	event.header.redacted_by = redaction->header.number;
	event_db_put(room->f->call.txn, &event);
}

/* ---- adding */

static struct event make_event(struct record_room *room, json_t *line)
{
	json_object_set_new(line, "version", json_string(room->version));
	json_object_set_new(line, "depth", json_integer(room->head.depth));
	if (!json_object_get(line, "room"))
		json_object_set_new(line, "room", json_string(RECORD_ROOM_ID));
	return hs_fixture_event(room->f, line);
}

static void put_timeline(struct record_room *room, const struct stored_event *event)
{
	const struct timeline_entry entry = { .rseq = event->header.rseq,
					      .event = event->header.number,
					      .depth = event->event.depth,
					      .origin_server_ts = event->event.origin_server_ts,
					      .after = room->head.state };

	timeline_db_add(room->f->call.txn, ROOM, &entry);
	room_db_put_head(room->f->call.txn, ROOM, &room->head);
}

struct stored_event record_room_add(struct record_room *room, json_t *line)
{
	json_auto_t *content = json_incref(json_object_get(line, "content"));
	struct stored_event event = {
		.room = ROOM,
		.header = { .number = room->head.next_event++,
			    .flags = (unsigned)jint(line, "flags", 0),
			    .rseq = ++room->head.last_rseq,
			    .received_ms = room->f->call.now_ms,
			    .before = room->head.state,
			    .device = mx_arena_slice(room->f->call.mem,
						     mx_slice(jstr_or(line, "device", ""))),
			    .txn_id = mx_arena_slice(room->f->call.mem,
						     mx_slice(jstr_or(line, "txn_id", ""))) },
	};

	room->head.depth++;
	event.event = make_event(room, line);
	if (event_is_state(&event.event))
		put_state(room, &event);
	event.header.after = room->head.state;
	event_db_add(room->f->call.txn, &event);
	put_relation(room, &event, content);
	redact(room, &event);
	put_timeline(room, &event);
	return event;
}

struct stored_event record_room_member(struct record_room *room, const char *user,
				       const char *membership, const char *by)
{
	const char *key = mx_arena_strf(room->f->call.mem, "@%s:" HS_FIXTURE_SERVER, user);
	const char *sender = mx_arena_strf(room->f->call.mem, "@%s:" HS_FIXTURE_SERVER,
					   by ? by : user);

	return record_room_add(room, json_pack("{s:s, s:s, s:s, s:{s:s}}", "type", TYPE_MEMBER,
					       "key", key, "sender", sender, "content",
					       "membership", membership));
}

void record_room_end(struct record_room *room)
{
	trie_nodes_done(&room->nodes);
	hs_fixture_read(room->f);
}

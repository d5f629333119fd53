#include "homeserver/ingest/turn.h"

#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_redact.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/birth.h"
#include "homeserver/ingest/turn_state.h"
#include "homeserver/room/published_db.h"
#include "homeserver/room/rooms.h"
#include "homeserver/state/state_db.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

/* ---- what is there */

const struct hs_call *turn_read(struct room_turn *turn)
{
	if (!turn->read.view)
		turn->read.view = store_view_begin(turn->call.hs->store);
	return &turn->read;
}

/* With a view from this moment. */
static const struct hs_call *turn_read_now(struct room_turn *turn)
{
	if (turn->read.view)
		store_view_end(turn->read.view);
	turn->read.view = NULL;
	return turn_read(turn);
}

const struct stored_event *turn_state_event(struct room_turn *turn, uint32_t number)
{
	const struct room_event *event;

	for (size_t i = 0; i < turn->redacted.len; i++)
		if (turn->redacted.items[i]->header.state_number == number)
			return turn->redacted.items[i];
	if (number >= turn->first_born && number - turn->first_born < turn->born.len)
		return &turn->born.items[number - turn->first_born]->stored;
	event = room_event_load(turn->room, turn_read(turn), number);
	return event ? &event->stored : NULL;
}

static const struct trie_node *load_node(void *ctx, uint32_t number)
{
	struct room_turn *turn = ctx;

	return room_node_load(turn->room, turn_read(turn), number);
}

bool turn_slot(struct room_turn *turn, struct mx_slice type, struct mx_slice state_key,
	       uint32_t *ret_slot)
{
	mx_str_auto key = { 0 };
	uintptr_t own;

	room_slot_key(type, state_key, &key);
	own = (uintptr_t)mx_map_find(&turn->slots, mx_str_slice(&key));
	if (!own)
		return room_slot_find(turn->room, turn_read(turn), type, state_key, ret_slot);
	*ret_slot = (uint32_t)(own - 1);
	return true;
}

uint32_t turn_slot_made(struct room_turn *turn, struct mx_slice type, struct mx_slice state_key)
{
	bool member = mx_slice_is(type, TYPE_MEMBER);
	mx_str_auto key = { 0 };
	uint32_t slot;

	if (turn_slot(turn, type, state_key, &slot))
		return slot;
	slot = member ? turn->head.next_member_slot++ | SLOT_MEMBER : turn->head.next_slot++;
	room_slot_key(type, state_key, &key);
	mx_map_put(&turn->slots, mx_str_slice(&key), (void *)((uintptr_t)slot + 1));
	slot_db_add(turn->call.txn, turn->room->number, slot, type, state_key);
	return slot;
}

const struct stored_event *turn_find(struct room_turn *turn, const struct room_state *state,
				     const char *type, struct mx_slice state_key)
{
	uint32_t slot, number;

	if (!turn_slot(turn, mx_slice(type), state_key, &slot))
		return NULL;
	number = room_state_find(&turn->nodes, state, slot);
	return number ? turn_state_event(turn, number) : NULL;
}

int turn_redacted(struct room_turn *turn, const struct stored_event *event)
{
	struct stored_event *left = mx_arena_alloc(turn->call.mem, sizeof(*left));
	int rc;

	*left = *event;
	rc = event_left(&event->event, turn->call.mem, &left->event);

	if (rc == 0)
		mx_vec_push(&turn->redacted, left);
	return rc;
}

/* ---- the graph */

static void grow_graph(struct room_turn *turn)
{
	for (; turn->in_graph < turn->born.len; turn->in_graph++) {
		const struct born *born = turn->born.items[turn->in_graph];

		room_graph_add(turn->room, &born->graph, born->cited);
	}
}

int turn_graph(struct room_turn *turn, struct graph *ret_graph, struct mx_error *err)
{
	struct room *room = turn->room;
	int rc = 0;

	if (!room->graph.events.len) {
		rooms_settle(turn->call.hs->rooms, room);
		rc = room_graph_load(room, turn_read_now(turn), err);
	}
	if (rc)
		return rc;
	grow_graph(turn);
	*ret_graph = (struct graph){ room->graph.events.items, (uint32_t)room->graph.events.len,
				     room->graph.cited.items };
	return 0;
}

/* ---- its beginning */

static struct room_turn *turn_new(const struct hs_call *call, struct room *room)
{
	struct room_turn *turn = mx_calloc(1, sizeof(*turn));

	turn->call = *call;
	turn->call.view = NULL;
	turn->call.txn = store_txn_begin(call->hs->store);
	turn->read = turn->call;
	turn->read.txn = NULL;
	turn->room = room;
	turn->head = room->head;
	memcpy(turn->extremities, room->extremities, sizeof(turn->extremities));
	trie_nodes_init(&turn->nodes, room->head.next_node);
	turn->nodes.load = load_node;
	turn->nodes.ctx = turn;
	turn->first_born = room->head.next_state;
	return turn;
}

int turn_begin(const struct hs_call *call, const char *room_id, struct room_turn **ret_turn,
	       struct mx_error *err)
{
	struct room *room;
	int rc = rooms_take(call->hs->rooms, room_id, &room, err);

	if (rc == 0)
		*ret_turn = turn_new(call, room);
	return rc;
}

int turn_begin_inside(const struct hs_call *call, const char *room_id, struct room_turn **ret_turn,
		      struct mx_error *err)
{
	int rc = turn_begin(call, room_id, ret_turn, err);

	return rc == -MX_NOT_FOUND ? mx_fail(err, MX_FORBIDDEN, "You are not in this room") : rc;
}

int turn_create(const struct hs_call *call, const struct room_birth *birth,
		struct room_turn **ret_turn, struct mx_error *err)
{
	const struct event *create;
	struct room_turn *turn;
	struct room_head head;
	struct room *room;
	int rc = birth_create(call, birth, &head, &create, err);

	if (rc == 0)
		rc = rooms_make(call->hs->rooms,
				mx_arena_strndup(call->mem, head.id.ptr, head.id.len), &room, err);
	if (rc)
		return rc;
	head.id = room->head.id;
	room->head = head;
	turn = turn_new(call, room);
	turn->is_new = true;
	rc = birth_begin(turn, create, &birth->create, err);
	if (rc) {
		turn_abort(turn);
		return rc;
	}
	*ret_turn = turn;
	return 0;
}

/* ---- what it does */

int turn_send(struct room_turn *turn, const struct event_wish *wish, const struct event **ret_event,
	      struct mx_error *err)
{
	return birth_send(turn, wish, ret_event, err);
}

void turn_publish(struct room_turn *turn, bool is_published)
{
	turn->head.is_published = is_published;
}

const struct room_head *turn_head(const struct room_turn *turn)
{
	return &turn->head;
}

uint32_t turn_room(const struct room_turn *turn)
{
	return turn->room->number;
}

const struct event *turn_state(struct room_turn *turn, const char *type, const char *state_key)
{
	const struct stored_event *stored = turn_find(turn, &turn->head.state, type,
						      mx_slice(state_key));

	return stored ? &stored->event : NULL;
}

enum membership turn_membership(struct room_turn *turn, const char *user_id)
{
	const struct event *event = turn_state(turn, TYPE_MEMBER, user_id);

	return event ? membership_of(event_membership(event)) : MEMBERSHIP_NONE;
}

struct store_txn *turn_txn(struct room_turn *turn)
{
	return turn->call.txn;
}

const struct hs_call *turn_call(const struct room_turn *turn)
{
	return &turn->call;
}

/* ---- its end */

static void turn_free(struct room_turn *turn)
{
	if (turn->read.view)
		store_view_end(turn->read.view);
	trie_nodes_done(&turn->nodes);
	mx_vec_done(&turn->born);
	mx_vec_done(&turn->redacted);
	mx_map_done(&turn->slots, NULL);
	mx_free(turn);
}

static void release(struct room_turn *turn)
{
	rooms_release(turn->call.hs->rooms, turn->room);
	turn_free(turn);
}

void turn_abort(struct room_turn *turn)
{
	if (!turn)
		return;
	store_txn_abort(turn->call.txn);
	if (turn->in_graph)
		room_graph_forget(turn->room);
	release(turn);
}

static void write_head(struct room_turn *turn)
{
	struct store_txn *txn = turn->call.txn;

	turn->head.next_node = turn->nodes.first + (uint32_t)turn->nodes.len;
	for (size_t i = 0; i < turn->nodes.len; i++)
		node_db_add(txn, turn->room->number, turn->nodes.first + (uint32_t)i,
			    turn->nodes.items[i]);
	if (turn->is_new)
		room_db_add(txn, turn->room->number, &turn->head);
	else
		room_db_put_head(txn, turn->room->number, &turn->head);
	published_db_follow(txn, turn->room->number, &turn->room->head, &turn->head);
}

static bool is_known_extremity(const struct room *room, const char *id)
{
	for (size_t i = 0; i < room->head.extremities_len; i++)
		if (room->extremities[i].id.ptr == id)
			return true;
	return false;
}

/* Ids of the turn's own are in its memory, the others are the room's. */
static void keep_extremities(struct room_turn *turn)
{
	struct room *room = turn->room;
	struct room_extremity kept[ROOM_EXTREMITIES_MAX];
	bool stays[ROOM_EXTREMITIES_MAX] = { false };

	for (size_t i = 0; i < turn->head.extremities_len; i++) {
		kept[i] = turn->extremities[i];
		if (!is_known_extremity(room, kept[i].id.ptr))
			kept[i].id.ptr = mx_strndup(kept[i].id.ptr, kept[i].id.len);
		for (size_t j = 0; j < room->head.extremities_len; j++)
			stays[j] = stays[j] || room->extremities[j].id.ptr == kept[i].id.ptr;
	}
	for (size_t j = 0; j < room->head.extremities_len; j++)
		if (!stays[j])
			mx_free((char *)room->extremities[j].id.ptr);
	memcpy(room->extremities, kept, turn->head.extremities_len * sizeof(*kept));
}

static void keep_slots(struct room_turn *turn)
{
	struct mx_slice key;
	size_t cursor = 0;
	void *slot;

	while (mx_map_next(&turn->slots, &cursor, &key, &slot)) {
		mx_map_put(&turn->room->slots, key, slot);
		turn->room->bytes += key.len;
	}
}

/* From now on the room is as the turn has made it. */
static void keep(struct room_turn *turn)
{
	struct room *room = turn->room;

	for (size_t i = 0; i < turn->nodes.len; i++)
		room_node_keep(room, turn->nodes.first + (uint32_t)i, turn->nodes.items[i]);
	turn->nodes.len = 0;
	for (size_t i = 0; i < turn->born.len; i++)
		room_event_keep(room, &turn->born.items[i]->stored);
	for (size_t i = 0; i < turn->redacted.len; i++)
		room_event_keep(room, turn->redacted.items[i]);
	grow_graph(turn);
	keep_slots(turn);
	keep_extremities(turn);
	turn->head.id = room->head.id;
	room->head = turn->head;
}

static int check_whole(const struct room_turn *turn, struct mx_error *err)
{
	if (turn->nodes.broken)
		return mx_fail(err, MX_STORE, "A part of the room's state cannot be had");
	return 0;
}

/* Everything but handing it over. */
static void prepare(struct room_turn *turn)
{
	if (turn->events == 0 && turn->head.is_published == turn->room->head.is_published)
		return;
	write_head(turn);
	store_txn_chain(turn->call.txn, &turn->room->chain);
	keep(turn);
	if (turn->is_new)
		rooms_admit(turn->call.hs->rooms, turn->room);
}

int turn_answer(struct room_turn *turn, struct req *r, int rc)
{
	if (rc == 0 && turn)
		rc = check_whole(turn, &r->err);
	if (rc || !turn) {
		turn_abort(turn);
		return rc;
	}
	prepare(turn);
	req_commit(r, turn->call.txn);
	release(turn);
	return 0;
}

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t decided;
	bool done;
	int rc;
};

static void decided(void *ctx, int rc)
{
	struct waiting *waiting = ctx;

	pthread_mutex_lock(&waiting->lock);
	waiting->done = true;
	waiting->rc = rc;
	pthread_cond_signal(&waiting->decided);
	pthread_mutex_unlock(&waiting->lock);
}

static int wait_for(struct waiting *waiting, struct mx_error *err)
{
	pthread_mutex_lock(&waiting->lock);
	while (!waiting->done)
		pthread_cond_wait(&waiting->decided, &waiting->lock);
	pthread_mutex_unlock(&waiting->lock);
	pthread_cond_destroy(&waiting->decided);
	pthread_mutex_destroy(&waiting->lock);
	if (waiting->rc)
		return mx_fail(err, (enum mx_code) - waiting->rc, "%s",
			       mx_errc((enum mx_code) - waiting->rc)->text);
	return 0;
}

/* The turn is given back before it is durable: the next one need not wait. */
int turn_commit(struct room_turn *turn, struct mx_error *err)
{
	struct waiting waiting = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 };
	int rc = check_whole(turn, err);

	if (rc) {
		turn_abort(turn);
		return rc;
	}
	prepare(turn);
	store_txn_commit_async(turn->call.txn, decided, &waiting);
	release(turn);
	return wait_for(&waiting, err);
}

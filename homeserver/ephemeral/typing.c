#include "homeserver/ephemeral/typing.h"

#include "homeserver/ephemeral/ticker.h"
#include "homeserver/hs.h"
#include "homeserver/stream/stream.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/due.h"
#include "shared/core/map.h"
#include "shared/core/time.h"
#include "shared/core/vec.h"

#include <pthread.h>

/* How long a room is remembered where nobody types any more: longer than most clients are away. */
#define KEEP_MS (10 * MX_MINUTE_MS)

struct typist {
	struct mx_slice user_id; /* owned */
	int64_t until_ms;
};

struct typing_room {
	struct mx_due due; /* when the next typist ends, or the room is forgotten */
	uint32_t room;
	uint64_t tick; /* of the last change of who types */
	struct mx_vec(struct typist) typists;
};

struct typing {
	struct hs *hs;
	struct ticker *ticker;
	pthread_mutex_t lock;
	struct mx_map rooms;
	struct mx_due_heap due;
	uint64_t forgotten; /* what happened up to this tick is known of no room but those here */
};

struct changed_rooms mx_vec(uint32_t);

static struct mx_slice key_of(const uint32_t *room)
{
	return mx_slice_of(room, sizeof(*room));
}

static void room_free(void *ptr)
{
	struct typing_room *room = ptr;

	for (size_t i = 0; i < room->typists.len; i++)
		mx_free((void *)room->typists.items[i].user_id.ptr);
	mx_vec_done(&room->typists);
	mx_free(room);
}

static struct typing_room *room_add(struct typing *typing, uint32_t number)
{
	struct typing_room *room;

	if (typing->rooms.len >= TYPING_ROOMS_MAX)
		return NULL;
	room = mx_calloc(1, sizeof(*room));
	room->room = number;
	mx_map_put(&typing->rooms, key_of(&number), room);
	return room;
}

static struct typist *find_typist(struct typing_room *room, struct mx_slice user_id)
{
	for (size_t i = 0; i < room->typists.len; i++)
		if (mx_slice_eq(room->typists.items[i].user_id, user_id))
			return &room->typists.items[i];
	return NULL;
}

static void drop_typist(struct typing_room *room, struct typist *typist)
{
	mx_free((void *)typist->user_id.ptr);
	*typist = room->typists.items[--room->typists.len];
}

static void set_due(struct typing *typing, struct typing_room *room)
{
	int64_t next_ms = mx_mono_ms() + KEEP_MS;

	for (size_t i = 0; i < room->typists.len; i++)
		if (room->typists.items[i].until_ms < next_ms)
			next_ms = room->typists.items[i].until_ms;
	mx_due_add(&typing->due, &room->due, next_ms);
}

static void add_typist(struct typing_room *room, struct mx_slice user_id, int64_t until_ms)
{
	const struct typist typist = {
		.user_id = { mx_strndup(user_id.ptr, user_id.len), user_id.len },
		.until_ms = until_ms,
	};

	mx_vec_push(&room->typists, typist);
}

/* Whether others see it. */
static bool change(struct typing_room *room, struct mx_slice user_id, int64_t for_ms)
{
	struct typist *typist = find_typist(room, user_id);

	if (for_ms <= 0) {
		if (typist)
			drop_typist(room, typist);
		return typist != NULL;
	}
	if (typist) {
		typist->until_ms = mx_mono_ms() + for_ms;
		return false;
	}
	if (room->typists.len == TYPING_ROOM_MAX)
		return false;
	add_typist(room, user_id, mx_mono_ms() + for_ms);
	return true;
}

/* The tick is taken under the lock: who knows it finds the change. */
static bool set_locked(struct typing *typing, uint32_t number, struct mx_slice user_id,
		       int64_t for_ms)
{
	struct typing_room *room = mx_map_find(&typing->rooms, key_of(&number));
	bool changed;

	if (!room && for_ms > 0)
		room = room_add(typing, number);
	if (!room)
		return false;
	changed = change(room, user_id, for_ms);
	if (changed)
		room->tick = stream_tick(typing->hs->stream);
	set_due(typing, room);
	return changed;
}

void typing_set(struct typing *typing, uint32_t room, struct mx_slice user_id, int64_t for_ms)
{
	bool changed;

	if (for_ms > TYPING_MS_MAX)
		for_ms = TYPING_MS_MAX;
	pthread_mutex_lock(&typing->lock);
	changed = set_locked(typing, room, user_id, for_ms);
	pthread_mutex_unlock(&typing->lock);
	if (for_ms > 0)
		ticker_wake(typing->ticker);
	if (changed)
		stream_wake_room(typing->hs->stream, room);
}

/* ---- what ends by itself */

static void forget(struct typing *typing, struct typing_room *room)
{
	if (room->tick > typing->forgotten)
		typing->forgotten = room->tick;
	mx_due_remove(&typing->due, &room->due);
	mx_map_remove(&typing->rooms, key_of(&room->room));
	room_free(room);
}

static void room_is_due(struct typing *typing, struct typing_room *room, int64_t mono_ms,
			struct changed_rooms *changed)
{
	size_t before = room->typists.len;

	if (before == 0) {
		forget(typing, room);
		return;
	}
	for (size_t i = before; i-- > 0;)
		if (room->typists.items[i].until_ms <= mono_ms)
			drop_typist(room, &room->typists.items[i]);
	if (room->typists.len < before) {
		room->tick = stream_tick(typing->hs->stream);
		mx_vec_push(changed, room->room);
	}
	set_due(typing, room);
}

static int64_t run_locked(struct typing *typing, int64_t mono_ms, struct changed_rooms *changed)
{
	struct mx_due *due;

	while ((due = mx_due_first(&typing->due)) && due->at <= mono_ms)
		room_is_due(typing, mx_due_entry(due, struct typing_room, due), mono_ms, changed);
	return due ? due->at : INT64_MAX;
}

int64_t typing_run(void *ctx, int64_t mono_ms)
{
	struct typing *typing = ctx;
	struct changed_rooms changed = { 0 };
	int64_t next_ms;

	pthread_mutex_lock(&typing->lock);
	next_ms = run_locked(typing, mono_ms, &changed);
	pthread_mutex_unlock(&typing->lock);
	for (size_t i = 0; i < changed.len; i++)
		stream_wake_room(typing->hs->stream, changed.items[i]);
	mx_vec_done(&changed);
	return next_ms;
}

/* ---- asking */

bool typing_changed(struct typing *typing, uint32_t number, uint64_t after)
{
	struct typing_room *room;
	bool changed;

	pthread_mutex_lock(&typing->lock);
	room = mx_map_find(&typing->rooms, key_of(&number));
	if (after == 0)
		changed = room && room->typists.len;
	else
		changed = after < (room ? room->tick : typing->forgotten);
	pthread_mutex_unlock(&typing->lock);
	return changed;
}

void typing_list(struct typing *typing, uint32_t number, struct mx_arena *mem,
		 struct typing_list *ret_list)
{
	struct typing_room *room;

	*ret_list = (struct typing_list){ 0 };
	pthread_mutex_lock(&typing->lock);
	room = mx_map_find(&typing->rooms, key_of(&number));
	if (room && room->typists.len) {
		ret_list->user_ids = mx_arena_calloc(mem, room->typists.len,
						     sizeof(*ret_list->user_ids));
		for (size_t i = 0; i < room->typists.len; i++)
			ret_list->user_ids[ret_list->len++] = mx_arena_slice(
				mem, room->typists.items[i].user_id);
	}
	pthread_mutex_unlock(&typing->lock);
}

/* ---- from start to stop */

struct typing *typing_start(struct hs *hs)
{
	struct typing *typing = mx_calloc(1, sizeof(*typing));

	typing->hs = hs;
	typing->forgotten = stream_tick(hs->stream);
	pthread_mutex_init(&typing->lock, NULL);
	typing->ticker = ticker_start("typing", typing_run, typing);
	return typing;
}

void typing_stop(struct typing *typing)
{
	if (!typing)
		return;
	ticker_stop(typing->ticker);
	mx_due_heap_done(&typing->due);
	mx_map_done(&typing->rooms, room_free);
	pthread_mutex_destroy(&typing->lock);
	mx_free(typing);
}

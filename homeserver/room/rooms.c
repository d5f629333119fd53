#include "homeserver/room/rooms.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/room/room.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"

#define NUMBERS_AT_ONCE 64
#define ROOM_BYTES      4096 /* of one, without what its maps hold */
#define BUSY_BYTES_MAX  (4u * 1024 * 1024) /* of a room that is in use */

struct rooms {
	struct hs *hs;
	size_t memory_bytes;
	pthread_mutex_t lock; /* taken before none, and after none */
	struct mx_map by_id;
	struct room *newest, *oldest; /* those that nobody uses */
	struct room *dying; /* forgotten, and used by nobody */
	size_t idle_bytes;
	uint64_t next_number, numbers_end;
	int64_t last_made_ms;
};

struct rooms *rooms_new(struct hs *hs, size_t memory_bytes)
{
	struct rooms *rooms = mx_calloc(1, sizeof(*rooms));

	rooms->hs = hs;
	rooms->memory_bytes = memory_bytes;
	pthread_mutex_init(&rooms->lock, NULL);
	return rooms;
}

/* The committer still knows those with commits under way. */
static void bury(struct rooms *rooms)
{
	struct room **place = &rooms->dying;

	while (*place) {
		struct room *room = *place;

		if (store_chain_pending(&room->chain)) {
			place = &room->older;
			continue;
		}
		*place = room->older;
		room_free(room);
	}
}

static void free_one(void *room)
{
	room_free(room);
}

/* Commits are decided in their order. */
static void settle_all(struct rooms *rooms)
{
	struct store_chain last;

	store_chain_init(&last);
	store_chain_settle(rooms->hs->store, &last);
}

void rooms_free(struct rooms *rooms)
{
	if (!rooms)
		return;
	settle_all(rooms);
	bury(rooms);
	mx_map_done(&rooms->by_id, free_one);
	pthread_mutex_destroy(&rooms->lock);
	mx_free(rooms);
}

/* ---- those that nobody uses, under the lock */

static void idle_remove(struct rooms *rooms, struct room *room)
{
	*(room->newer ? &room->newer->older : &rooms->newest) = room->older;
	*(room->older ? &room->older->newer : &rooms->oldest) = room->newer;
	room->newer = room->older = NULL;
	rooms->idle_bytes -= ROOM_BYTES + room->bytes;
}

static void idle_add(struct rooms *rooms, struct room *room)
{
	room->older = rooms->newest;
	*(rooms->newest ? &rooms->newest->newer : &rooms->oldest) = room;
	rooms->newest = room;
	rooms->idle_bytes += ROOM_BYTES + room->bytes;
}

static void forget(struct rooms *rooms, struct room *room)
{
	if (!room->forgotten)
		mx_map_remove(&rooms->by_id, mx_slice(room->id));
	room->forgotten = true;
}

/* What is not durable cannot be read again: such rooms stay. */
static void evict(struct rooms *rooms)
{
	struct room *room = rooms->oldest;

	while (room && rooms->idle_bytes > rooms->memory_bytes) {
		struct room *newer = room->newer;

		if (store_chain_pending(&room->chain) == 0) {
			idle_remove(rooms, room);
			forget(rooms, room);
			room_free(room);
		}
		room = newer;
	}
}

static struct room *use(struct rooms *rooms, struct room *room)
{
	if (room->users++ == 0)
		idle_remove(rooms, room);
	return room;
}

static void leave(struct rooms *rooms, struct room *room)
{
	if (--room->users > 0)
		return;
	if (room->forgotten) {
		room->older = rooms->dying;
		rooms->dying = room;
	} else {
		idle_add(rooms, room);
	}
	evict(rooms);
	bury(rooms);
}

/* ---- finding */

static int load(struct rooms *rooms, const char *room_id, struct room **ret_room)
{
	struct hs_call call = { .hs = rooms->hs, .now_ms = mx_now_ms() };
	uint32_t number = 0;
	int rc;

	call.mem = mx_arena_new(0);
	call.view = store_view_begin(rooms->hs->store);
	rc = room_db_find(&call, mx_slice(room_id), &number);
	if (rc == 0) {
		*ret_room = room_new(number, room_id);
		rc = room_load(*ret_room, &call);
		if (rc)
			room_free(*ret_room);
	}
	store_view_end(call.view);
	mx_arena_free(call.mem);
	return rc;
}

/* Two may load it at once: the first one's stays. */
static struct room *enter(struct rooms *rooms, struct room *loaded)
{
	struct room *room;

	pthread_mutex_lock(&rooms->lock);
	room = mx_map_find(&rooms->by_id, mx_slice(loaded->id));
	if (room) {
		use(rooms, room);
	} else {
		room = loaded;
		room->users = 1;
		mx_map_put(&rooms->by_id, mx_slice(room->id), room);
	}
	pthread_mutex_unlock(&rooms->lock);
	if (room != loaded)
		room_free(loaded);
	return room;
}

static int find(struct rooms *rooms, const char *room_id, struct room **ret_room)
{
	struct room *room;
	int rc;

	pthread_mutex_lock(&rooms->lock);
	room = mx_map_find(&rooms->by_id, mx_slice(room_id));
	if (room)
		use(rooms, room);
	pthread_mutex_unlock(&rooms->lock);
	if (!room) {
		rc = load(rooms, room_id, &room);
		if (rc)
			return rc;
		room = enter(rooms, room);
	}
	*ret_room = room;
	return 0;
}

/* ---- turns */

static void trim(struct rooms *rooms, struct room *room)
{
	size_t most = rooms->memory_bytes / 4;

	if (most > BUSY_BYTES_MAX)
		most = BUSY_BYTES_MAX;
	if (room->bytes <= most)
		return;
	rooms_settle(rooms, room);
	room_trim(room, most);
}

int rooms_take(struct rooms *rooms, const char *room_id, struct room **ret_room,
	       struct mx_error *err)
{
	struct room *room;
	int rc;

	for (;;) {
		rc = find(rooms, room_id, &room);
		if (rc)
			return mx_fail(err, (enum mx_code) - rc, "%s",
				       rc == -MX_NOT_FOUND ? "Unknown room"
							   : "The room cannot be read");
		pthread_mutex_lock(&room->turn);
		if (!store_chain_is_broken(&room->chain) && !room->forgotten)
			break;
		pthread_mutex_lock(&rooms->lock);
		forget(rooms, room);
		pthread_mutex_unlock(&rooms->lock);
		rooms_release(rooms, room);
	}
	trim(rooms, room);
	*ret_room = room;
	return 0;
}

void rooms_release(struct rooms *rooms, struct room *room)
{
	pthread_mutex_unlock(&room->turn);
	pthread_mutex_lock(&rooms->lock);
	leave(rooms, room);
	pthread_mutex_unlock(&rooms->lock);
}

void rooms_settle(struct rooms *rooms, struct room *room)
{
	if (store_chain_pending(&room->chain))
		store_chain_settle(rooms->hs->store, &room->chain);
}

/* ---- making */

int64_t rooms_moment(struct rooms *rooms, int64_t now_ms)
{
	int64_t moment_ms;

	pthread_mutex_lock(&rooms->lock);
	if (now_ms <= rooms->last_made_ms)
		now_ms = rooms->last_made_ms + 1;
	moment_ms = rooms->last_made_ms = now_ms;
	pthread_mutex_unlock(&rooms->lock);
	return moment_ms;
}

static int number_of_new(struct rooms *rooms, uint32_t *ret_number, struct mx_error *err)
{
	int rc = 0;

	pthread_mutex_lock(&rooms->lock);
	if (rooms->next_number == rooms->numbers_end) {
		rc = store_reserve(rooms->hs->store, "room", NUMBERS_AT_ONCE, &rooms->next_number,
				   err);
		rooms->numbers_end = rooms->next_number + (rc ? 0 : NUMBERS_AT_ONCE);
	}
	if (rc == 0)
		*ret_number = (uint32_t)rooms->next_number++;
	pthread_mutex_unlock(&rooms->lock);
	return rc;
}

int rooms_make(struct rooms *rooms, const char *room_id, struct room **ret_room,
	       struct mx_error *err)
{
	uint32_t number;
	int rc = number_of_new(rooms, &number, err);

	if (rc)
		return rc;
	*ret_room = room_new(number, room_id);
	(*ret_room)->users = 1;
	(*ret_room)->forgotten = true;
	pthread_mutex_lock(&(*ret_room)->turn);
	return 0;
}

void rooms_admit(struct rooms *rooms, struct room *room)
{
	pthread_mutex_lock(&rooms->lock);
	if (!mx_map_find(&rooms->by_id, mx_slice(room->id))) {
		mx_map_put(&rooms->by_id, mx_slice(room->id), room);
		room->forgotten = false;
	}
	pthread_mutex_unlock(&rooms->lock);
}

size_t rooms_in_memory(struct rooms *rooms)
{
	size_t len;

	pthread_mutex_lock(&rooms->lock);
	len = rooms->by_id.len;
	pthread_mutex_unlock(&rooms->lock);
	return len;
}

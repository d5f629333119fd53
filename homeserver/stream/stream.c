#include "homeserver/stream/stream.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/room/room_db.h"
#include "homeserver/stream/stream_db.h"
#include "homeserver/stream/tracked.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#include <assert.h>
#include <stdatomic.h>

#define TICKS_PER_MS 256 /* more than anybody makes, so that ticks of the next start are larger */
#define IDLE_MS      MX_HOUR_MS
#define SWEEP_US     (60 * INT64_C(1000000))

struct stream_wait {
	struct stream *stream;
	struct tracked_user *user;
	struct req_wake *wake;
	struct stream_wait *previous, *next;
};

struct stream {
	struct hs *hs;
	pthread_mutex_t lock; /* never held while waking, or while the store is read */
	struct tracked tracked;
	uint64_t marked; /* the last position that was told, visible or not */
	pthread_cond_t loaded; /* a user's rooms were read */
	pthread_cond_t work; /* somebody is to be woken, or the thread to end */
	bool closed, stopping;
	_Atomic uint64_t position, ticks;
	pthread_t thread;
};

/* ---- what happened: marks; the lock is held */

/* Durable, but not yet visible. */
static void mark_user(struct stream *stream, struct tracked_user *user)
{
	user->position = stream->marked;
	tracked_list(&stream->tracked, user, TRACKED_PENDING);
}

static void each_member(struct stream *stream, const struct tracked_room *room,
			void (*mark)(struct stream *stream, struct tracked_user *user))
{
	for (size_t i = 0; i < room->members.len; i++)
		mark(stream, room->members.items[i].user);
}

static void mark_room(struct stream *stream, uint32_t number)
{
	struct tracked_room *room = tracked_room(&stream->tracked, number);

	if (!room)
		return;
	room->position = stream->marked;
	each_member(stream, room, mark_user);
}

static void mark_id(struct stream *stream, struct mx_slice id)
{
	struct tracked_user *user = tracked_find(&stream->tracked, id);

	if (user)
		mark_user(stream, user);
}

/* The user, and whoever shares a room. Of whom nobody knows the rooms, anybody may share one. */
static void each_sharer(struct stream *stream, struct mx_slice id,
			void (*mark)(struct stream *stream, struct tracked_user *user))
{
	struct tracked_user *user = tracked_find(&stream->tracked, id);

	if (!user || !user->is_ready) {
		for (user = stream->tracked.oldest; user; user = user->newer)
			mark(stream, user);
		return;
	}
	mark(stream, user);
	for (size_t i = 0; i < user->rooms.len; i++)
		each_member(stream, user->rooms.items[i].room, mark);
}

static void member_changed(struct stream *stream, const struct stream_entry *entry)
{
	struct tracked_user *user = tracked_find(&stream->tracked, entry->user);

	if (!user)
		return;
	if (!user->is_ready)
		mx_vec_push(&user->touched, entry->room);
	if (entry->membership == MEMBERSHIP_JOIN)
		tracked_join(&stream->tracked, user, entry->room, stream->marked);
	else
		tracked_part(&stream->tracked, user, entry->room);
	mark_user(stream, user);
}

static void entry_apply(struct stream *stream, const struct stream_entry *entry)
{
	switch (entry->kind) {
	case STREAM_MEMBER:
		mark_room(stream, entry->room);
		member_changed(stream, entry);
		return;
	case STREAM_RECEIPT:
		if (entry->is_private)
			break;
		mark_room(stream, entry->room);
		return;
	case STREAM_EVENT: mark_room(stream, entry->room); return;
	case STREAM_DEVICES:
		if (entry->room)
			mark_room(stream, entry->room);
		else
			each_sharer(stream, entry->user, mark_user);
		return;
	case STREAM_ACCOUNT_DATA:
	case STREAM_TO_DEVICE:
	case STREAM_USER: break;
	}
	mark_id(stream, entry->user);
}

/* ---- on the committer's thread */

static void on_row(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct stream *stream = ctx;
	struct stream_row row;

	if (!stream_db_read(key, value, &row))
		return;
	pthread_mutex_lock(&stream->lock);
	stream->marked = row.position;
	entry_apply(stream, &row.entry);
	pthread_mutex_unlock(&stream->lock);
}

/* Everything up to here was told, so nobody who is woken now can look too early. */
static void on_stamp(void *ctx, uint64_t stamp)
{
	struct stream *stream = ctx;
	struct tracked_user *user;

	pthread_mutex_lock(&stream->lock);
	atomic_store(&stream->position, stamp);
	while ((user = tracked_take(&stream->tracked, TRACKED_PENDING)) != NULL)
		if (user->waits)
			tracked_list(&stream->tracked, user, TRACKED_WOKEN);
	if (stream->tracked.lists[TRACKED_WOKEN])
		pthread_cond_signal(&stream->work);
	pthread_mutex_unlock(&stream->lock);
}

/* ---- waking: a thread of its own, as each wake takes system calls */

struct wakes mx_vec(struct req_wake *);

static void wakes_take(struct stream *stream, struct wakes *wakes)
{
	struct tracked_user *user;

	while ((user = tracked_take(&stream->tracked, TRACKED_WOKEN)) != NULL)
		for (struct stream_wait *wait = user->waits; wait; wait = wait->next)
			mx_vec_push(wakes, req_wake_ref(wait->wake));
}

static void wakes_fire(struct wakes *wakes)
{
	for (size_t i = 0; i < wakes->len; i++) {
		req_wake(wakes->items[i]);
		req_wake_unref(wakes->items[i]);
	}
	wakes->len = 0;
}

/* False once the thread is to end. */
static bool wait_for_work(struct stream *stream)
{
	const struct timespec until = mx_after_us(SWEEP_US);
	int64_t now_ms;

	while (!stream->tracked.lists[TRACKED_WOKEN] && !stream->stopping)
		if (pthread_cond_timedwait(&stream->work, &stream->lock, &until))
			break;
	now_ms = mx_mono_ms();
	tracked_drop_idle(&stream->tracked, now_ms - IDLE_MS, now_ms);
	return !stream->stopping;
}

static void *wake_main(void *ctx)
{
	struct stream *stream = ctx;
	struct wakes wakes = { 0 };

	pthread_mutex_lock(&stream->lock);
	while (wait_for_work(stream)) {
		wakes_take(stream, &wakes);
		pthread_mutex_unlock(&stream->lock);
		wakes_fire(&wakes);
		pthread_mutex_lock(&stream->lock);
	}
	pthread_mutex_unlock(&stream->lock);
	mx_vec_done(&wakes);
	return NULL;
}

/* ---- who is tracked; the lock is held */

static bool is_touched(const struct tracked_user *user, uint32_t room)
{
	for (size_t i = 0; i < user->touched.len; i++)
		if (user->touched.items[i] == room)
			return true;
	return false;
}

static void rooms_take(struct stream *stream, struct tracked_user *user,
		       const struct user_room_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct user_room *row = &list->items[i];

		/* What was told meanwhile is newer than what was read. */
		if (row->membership == MEMBERSHIP_JOIN && !is_touched(user, row->room))
			tracked_seat(&stream->tracked, user, row->room, stream->marked);
	}
	mx_vec_done(&user->touched);
	user->is_ready = true;
}

static int rooms_read(struct stream *stream, struct mx_arena *mem, struct mx_slice id,
		      struct user_room_list *ret_list)
{
	struct hs_call call = {
		.hs = stream->hs,
		.view = store_view_begin(stream->hs->store),
		.mem = mem,
		.now_ms = mx_now_ms(),
	};
	int rc = user_room_db_list(&call, id, ret_list);

	store_view_end(call.view);
	return rc;
}

/* The user is here already, so that no change is missed between this view and the marks. */
static void user_load(struct stream *stream, struct tracked_user *user)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct user_room_list list = { 0 };
	int rc;

	user->is_loading = true;
	pthread_mutex_unlock(&stream->lock);
	rc = rooms_read(stream, mem, mx_slice(user->id), &list);
	pthread_mutex_lock(&stream->lock);
	if (rc == 0)
		rooms_take(stream, user, &list);
	else
		mx_log(MX_LOG_ERROR,
		       "a user's rooms cannot be read; they are read anew at the next sync", "code",
		       mx_errc((enum mx_code) - rc)->name, NULL);
	/* What their rooms did until now was not marked. */
	user->position = stream->marked;
	user->tick = stream_ticks(stream);
	user->is_loading = false;
	pthread_cond_broadcast(&stream->loaded);
}

static struct tracked_user *user_need(struct stream *stream, struct mx_slice id)
{
	struct tracked_user *user = tracked_find(&stream->tracked, id);
	int64_t now_ms = mx_mono_ms();

	if (user)
		tracked_seen(&stream->tracked, user, now_ms);
	else
		user = tracked_add(&stream->tracked, id, now_ms);
	return user;
}

/* Somebody else may be at it. */
static void user_make_ready(struct stream *stream, struct tracked_user *user)
{
	while (user->is_loading)
		pthread_cond_wait(&stream->loaded, &stream->lock);
	if (!user->is_ready)
		user_load(stream, user);
}

/* ---- positions */

uint64_t stream_position(struct stream *stream)
{
	return atomic_load(&stream->position);
}

uint64_t stream_tick(struct stream *stream)
{
	return atomic_fetch_add(&stream->ticks, 1) + 1;
}

uint64_t stream_ticks(struct stream *stream)
{
	return atomic_load(&stream->ticks);
}

/* A view sees a commit a moment before it is told here: whoever opened theirs in that moment must
 * not take the silence for an answer. `visible` was read before the marks. */
static bool is_in_doubt(struct stream *stream, uint64_t visible, uint64_t position)
{
	return visible > position && stream_position(stream) < visible;
}

bool stream_user_changed(struct stream *stream, struct mx_slice user_id, uint64_t position,
			 uint64_t tick)
{
	uint64_t visible = store_stamp(stream->hs->store);
	struct tracked_user *user;
	bool changed;

	pthread_mutex_lock(&stream->lock);
	user = user_need(stream, user_id);
	if (!user->is_ready && !user->is_loading)
		user_load(stream, user);
	changed = !user->is_ready || user->position > position || user->tick > tick ||
		  is_in_doubt(stream, visible, position);
	pthread_mutex_unlock(&stream->lock);
	return changed;
}

bool stream_room_changed(struct stream *stream, uint32_t number, uint64_t position)
{
	uint64_t visible = store_stamp(stream->hs->store);
	const struct tracked_room *room;
	bool changed;

	pthread_mutex_lock(&stream->lock);
	room = tracked_room(&stream->tracked, number);
	changed = !room || room->position > position || is_in_doubt(stream, visible, position);
	pthread_mutex_unlock(&stream->lock);
	return changed;
}

/* ---- waiting */

struct stream_wait *stream_wait_begin(struct stream *stream, struct mx_slice user,
				      struct req_wake *wake)
{
	struct stream_wait *wait = mx_calloc(1, sizeof(*wait));
	bool closed;

	wait->stream = stream;
	wait->wake = req_wake_ref(wake);
	pthread_mutex_lock(&stream->lock);
	wait->user = user_need(stream, user);
	wait->next = wait->user->waits;
	if (wait->next)
		wait->next->previous = wait;
	wait->user->waits = wait;
	user_make_ready(stream, wait->user);
	closed = stream->closed;
	pthread_mutex_unlock(&stream->lock);
	if (closed)
		req_wake(wake);
	return wait;
}

void stream_wait_end(struct stream_wait *wait)
{
	struct stream *stream;

	if (!wait)
		return;
	stream = wait->stream;
	pthread_mutex_lock(&stream->lock);
	if (wait->previous)
		wait->previous->next = wait->next;
	else
		wait->user->waits = wait->next;
	if (wait->next)
		wait->next->previous = wait->previous;
	tracked_seen(&stream->tracked, wait->user, mx_mono_ms());
	pthread_mutex_unlock(&stream->lock);
	req_wake_unref(wait->wake);
	mx_free(wait);
}

/* ---- what lives in memory is visible already */

static void tick_user(struct stream *stream, struct tracked_user *user)
{
	user->tick = stream_ticks(stream);
	if (user->waits)
		tracked_list(&stream->tracked, user, TRACKED_WOKEN);
}

/* Lets the thread begin, and the lock go. */
static void wakes_begin(struct stream *stream)
{
	if (stream->tracked.lists[TRACKED_WOKEN])
		pthread_cond_signal(&stream->work);
	pthread_mutex_unlock(&stream->lock);
}

void stream_wake_user(struct stream *stream, struct mx_slice user_id)
{
	struct tracked_user *user;

	pthread_mutex_lock(&stream->lock);
	user = tracked_find(&stream->tracked, user_id);
	if (user)
		tick_user(stream, user);
	wakes_begin(stream);
}

void stream_wake_room(struct stream *stream, uint32_t number)
{
	struct tracked_room *room;

	pthread_mutex_lock(&stream->lock);
	room = tracked_room(&stream->tracked, number);
	if (room)
		each_member(stream, room, tick_user);
	wakes_begin(stream);
}

void stream_wake_sharers(struct stream *stream, struct mx_slice user_id)
{
	pthread_mutex_lock(&stream->lock);
	each_sharer(stream, user_id, tick_user);
	wakes_begin(stream);
}

/* ---- life */

struct stream *stream_new(struct hs *hs)
{
	struct stream *stream = mx_calloc(1, sizeof(*stream));

	stream->hs = hs;
	pthread_mutex_init(&stream->lock, NULL);
	mx_cond_init(&stream->loaded);
	mx_cond_init(&stream->work);
	atomic_init(&stream->ticks, (uint64_t)mx_now_ms() * TICKS_PER_MS);
	stream->marked = store_stamp(hs->store);
	atomic_init(&stream->position, stream->marked);
	store_watch(hs->store, &stream_log_table, on_row, stream);
	store_watch_stamps(hs->store, on_stamp, stream);
	stream->thread = mx_thread_start("stream-wake", wake_main, stream);
	return stream;
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	pthread_mutex_lock(&stream->lock);
	stream->closed = true;
	for (struct tracked_user *user = stream->tracked.oldest; user; user = user->newer)
		tracked_list(&stream->tracked, user, TRACKED_WOKEN);
	pthread_cond_signal(&stream->work);
	pthread_mutex_unlock(&stream->lock);
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	store_watch_stamps(stream->hs->store, NULL, NULL);
	store_watch(stream->hs->store, &stream_log_table, NULL, NULL);
	pthread_mutex_lock(&stream->lock);
	stream->stopping = true;
	pthread_cond_signal(&stream->work);
	pthread_mutex_unlock(&stream->lock);
	pthread_join(stream->thread, NULL);
	tracked_done(&stream->tracked);
	pthread_cond_destroy(&stream->loaded);
	pthread_cond_destroy(&stream->work);
	pthread_mutex_destroy(&stream->lock);
	mx_free(stream);
}

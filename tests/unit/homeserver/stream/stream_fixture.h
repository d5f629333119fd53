/* A stream over a store in memory, with users' rooms and wakes of the test's own. Each test that
 * includes this has the line that wraps what it stands in for. */
#pragma once

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/room/room_db.h"
#include "homeserver/stream/stream.h"
#include "homeserver/stream/stream_db.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "tests/support/store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define PATIENCE_US INT64_C(20000000)

#define ANN MX_SLICE("@ann:here")
#define BOB MX_SLICE("@bob:here")
#define CAT MX_SLICE("@cat:here")

static const struct store_table gate_table = { .name = "gate" };
static const struct store_table *const tables[] = { &gate_table, &stream_log_table, NULL };

/* ---- wakes that count */

struct req_wake {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned woken;
	int refs;
	struct stream *stream;
	uint64_t position; /* of the stream, when it was woken last */
};

static struct req_wake wake_of(struct stream *stream)
{
	struct req_wake wake = { .lock = PTHREAD_MUTEX_INITIALIZER, .stream = stream };

	mx_cond_init(&wake.changed);
	return wake;
}

void __wrap_req_wake(struct req_wake *wake);
void __wrap_req_wake(struct req_wake *wake)
{
	pthread_mutex_lock(&wake->lock);
	wake->woken++;
	wake->position = stream_position(wake->stream);
	pthread_cond_signal(&wake->changed);
	pthread_mutex_unlock(&wake->lock);
}

struct req_wake *__wrap_req_wake_ref(struct req_wake *wake);
struct req_wake *__wrap_req_wake_ref(struct req_wake *wake)
{
	pthread_mutex_lock(&wake->lock);
	wake->refs++;
	pthread_mutex_unlock(&wake->lock);
	return wake;
}

void __wrap_req_wake_unref(struct req_wake *wake);
void __wrap_req_wake_unref(struct req_wake *wake)
{
	pthread_mutex_lock(&wake->lock);
	wake->refs--;
	pthread_cond_signal(&wake->changed);
	pthread_mutex_unlock(&wake->lock);
}

/* Until it was woken so often, and nobody holds more than the wait's own reference. */
static bool woken(struct req_wake *wake, unsigned times)
{
	const struct timespec until = mx_after_us(PATIENCE_US);
	int rc = 0;

	pthread_mutex_lock(&wake->lock);
	while (rc == 0 && (wake->woken < times || wake->refs > 1))
		rc = pthread_cond_timedwait(&wake->changed, &wake->lock, &until);
	pthread_mutex_unlock(&wake->lock);
	return rc == 0;
}

/* After the wait's end a wake may still be under way. */
static void released(struct req_wake *wake)
{
	pthread_mutex_lock(&wake->lock);
	while (wake->refs > 0)
		pthread_cond_wait(&wake->changed, &wake->lock);
	pthread_mutex_unlock(&wake->lock);
}

/* ---- rooms of users, as they are stored */

#define STORED_MAX 16

static struct {
	struct user_room rows[STORED_MAX];
	const char *users[STORED_MAX];
	size_t len;
	atomic_uint reads;
	int rc;
	void (*meanwhile)(void); /* between the view and the answer */
} stored;

static void store_member(const char *user, uint32_t room, enum membership membership)
{
	stored.users[stored.len] = user;
	stored.rows[stored.len++] = (struct user_room){ .room = room, .membership = membership };
}

int __wrap_user_room_db_list(const struct hs_call *call, struct mx_slice user_id,
			     struct user_room_list *ret_list);
int __wrap_user_room_db_list(const struct hs_call *call, struct mx_slice user_id,
			     struct user_room_list *ret_list)
{
	atomic_fetch_add(&stored.reads, 1);
	ret_list->items = mx_arena_calloc(call->mem, STORED_MAX, sizeof(*ret_list->items));
	ret_list->len = 0;
	for (size_t i = 0; i < stored.len; i++)
		if (mx_slice_is(user_id, stored.users[i]))
			ret_list->items[ret_list->len++] = stored.rows[i];
	if (stored.meanwhile)
		stored.meanwhile();
	return stored.rc;
}

/* ---- a homeserver of a store and a stream */

static struct hs hs;

static int begin(void **state)
{
	const struct store_conf conf = { .tables = tables, .stamp_table = &stream_log_table };

	(void)state;
	memset(&stored, 0, sizeof(stored));
	assert_int_equal(store_open(&conf, &hs.store, NULL), 0);
	hs.stream = stream_new(&hs);
	return 0;
}

static int end(void **state)
{
	(void)state;
	mx_time_fake(-1, -1);
	stream_free(hs.stream);
	store_close(hs.store);
	return 0;
}

static void note(const struct stream_entry *entry)
{
	struct store_txn *txn = store_txn_begin(hs.store);

	stream_note(txn, entry);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
}

static void note_event(uint32_t room)
{
	note(&(struct stream_entry){ .kind = STREAM_EVENT, .room = room });
}

static void note_member(uint32_t room, struct mx_slice user, enum membership membership)
{
	note(&(struct stream_entry){
		.kind = STREAM_MEMBER, .room = room, .user = user, .membership = membership });
}

static void note_user(enum stream_kind kind, struct mx_slice user)
{
	note(&(struct stream_entry){ .kind = kind, .user = user });
}

/* Everything that was to be woken until now has been: the thread wakes in turns, so what came
 * before the first of two is over at the second. */
static void settle(void)
{
	struct req_wake wake = wake_of(hs.stream);
	struct stream_wait *wait = stream_wait_begin(hs.stream, MX_SLICE("@settle:here"), &wake);

	for (unsigned i = 1; i <= 2; i++) {
		stream_wake_user(hs.stream, MX_SLICE("@settle:here"));
		assert_true(woken(&wake, i));
	}
	stream_wait_end(wait);
	released(&wake);
}

/* Ann and Bob are in 1, Bob and Cat in 2; Cat left 1. */
static void store_three(void)
{
	store_member("@ann:here", 1, MEMBERSHIP_JOIN);
	store_member("@bob:here", 1, MEMBERSHIP_JOIN);
	store_member("@bob:here", 2, MEMBERSHIP_JOIN);
	store_member("@cat:here", 2, MEMBERSHIP_JOIN);
	store_member("@cat:here", 1, MEMBERSHIP_LEAVE);
}

#define stream_test(function) cmocka_unit_test_setup_teardown(function, begin, end)

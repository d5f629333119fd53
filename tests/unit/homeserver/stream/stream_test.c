#include "homeserver/stream/stream.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/room/room_db.h"
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

/* wrap: user_room_db_list req_wake req_wake_ref req_wake_unref */

#define PATIENCE_US INT64_C(20000000)

#define ANN MX_SLICE("@ann:here")
#define BOB MX_SLICE("@bob:here")
#define CAT MX_SLICE("@cat:here")

static const struct store_table *const tables[] = { &stream_log_table, NULL };

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

/* ---- three who wait */

struct three {
	struct req_wake ann, bob, cat;
	struct stream_wait *waits[3];
};

static void three_begin(struct three *three)
{
	three->ann = wake_of(hs.stream);
	three->bob = wake_of(hs.stream);
	three->cat = wake_of(hs.stream);
	three->waits[0] = stream_wait_begin(hs.stream, ANN, &three->ann);
	three->waits[1] = stream_wait_begin(hs.stream, BOB, &three->bob);
	three->waits[2] = stream_wait_begin(hs.stream, CAT, &three->cat);
}

/* "ab": Ann and Bob were woken since the last look, Cat was not. */
static void expect_woken(struct three *three, const char *who)
{
	struct req_wake *wakes[] = { &three->ann, &three->bob, &three->cat };

	settle();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(wakes[i]->woken > 0, strchr(who, 'a' + i) != NULL);
		wakes[i]->woken = 0;
	}
}

static void three_end(struct three *three)
{
	for (int i = 0; i < 3; i++)
		stream_wait_end(three->waits[i]);
	assert_int_equal(three->ann.refs + three->bob.refs + three->cat.refs, 0);
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

static void an_event_wakes_who_is_in_the_room(void **state)
{
	struct three three;

	(void)state;
	store_three();
	three_begin(&three);
	note_event(1);
	expect_woken(&three, "ab");
	note_event(2);
	expect_woken(&three, "bc");
	note_event(3);
	expect_woken(&three, "");
	three_end(&three);
}

static void a_membership_wakes_its_user_and_the_room(void **state)
{
	struct three three;

	(void)state;
	store_three();
	three_begin(&three);
	note_member(1, CAT, MEMBERSHIP_INVITE);
	expect_woken(&three, "abc");
	note_event(1);
	expect_woken(&three, "ab");
	note_member(1, CAT, MEMBERSHIP_JOIN);
	expect_woken(&three, "abc");
	note_event(1);
	expect_woken(&three, "abc");
	note_member(1, BOB, MEMBERSHIP_BAN);
	expect_woken(&three, "abc");
	note_event(1);
	expect_woken(&three, "ac");
	three_end(&three);
}

static void what_is_of_one_user_wakes_nobody_else(void **state)
{
	static const enum stream_kind kinds[] = { STREAM_ACCOUNT_DATA, STREAM_TO_DEVICE,
						  STREAM_USER };
	struct three three;

	(void)state;
	store_three();
	three_begin(&three);
	for (size_t i = 0; i < 3; i++) {
		note_user(kinds[i], ANN);
		expect_woken(&three, "a");
	}
	note_user(STREAM_USER, MX_SLICE("@nobody:here"));
	expect_woken(&three, "");
	three_end(&three);
}

static void a_private_receipt_wakes_its_user_alone(void **state)
{
	struct stream_entry receipt = { .kind = STREAM_RECEIPT, .room = 1, .user = ANN };
	struct three three;

	(void)state;
	store_three();
	three_begin(&three);
	note(&receipt);
	expect_woken(&three, "ab");
	receipt.is_private = true;
	note(&receipt);
	expect_woken(&three, "a");
	three_end(&three);
}

static void new_devices_wake_who_shares_a_room(void **state)
{
	struct three three;

	(void)state;
	store_three();
	three_begin(&three);
	note_user(STREAM_DEVICES, ANN);
	expect_woken(&three, "ab");
	note_user(STREAM_DEVICES, BOB);
	expect_woken(&three, "abc");
	note(&(struct stream_entry){ .kind = STREAM_DEVICES, .room = 2, .user = ANN });
	expect_woken(&three, "bc");
	/* Of whom the rooms are not known, anybody may share one. */
	note_user(STREAM_DEVICES, MX_SLICE("@nobody:here"));
	expect_woken(&three, "abc");
	three_end(&three);
}

static void what_lives_in_memory_wakes_at_once(void **state)
{
	struct three three;

	(void)state;
	store_three();
	three_begin(&three);
	stream_tick(hs.stream);
	stream_wake_room(hs.stream, 2);
	expect_woken(&three, "bc");
	stream_wake_user(hs.stream, ANN);
	expect_woken(&three, "a");
	stream_wake_sharers(hs.stream, ANN);
	expect_woken(&three, "ab");
	three_end(&three);
}

static void who_is_woken_sees_the_position(void **state)
{
	struct req_wake wake = wake_of(hs.stream);
	struct stream_wait *wait = stream_wait_begin(hs.stream, ANN, &wake);

	(void)state;
	for (unsigned i = 1; i <= 100; i++) {
		note_user(STREAM_USER, ANN);
		assert_true(woken(&wake, i));
		assert_int_equal(wake.position, i);
	}
	stream_wait_end(wait);
}

static void every_device_of_a_user_is_woken(void **state)
{
	struct req_wake one = wake_of(hs.stream), two = wake_of(hs.stream),
			three = wake_of(hs.stream);
	struct stream_wait *first = stream_wait_begin(hs.stream, ANN, &one);
	struct stream_wait *second = stream_wait_begin(hs.stream, ANN, &two);
	struct stream_wait *third = stream_wait_begin(hs.stream, ANN, &three);

	(void)state;
	stream_wait_end(second);
	note_user(STREAM_USER, ANN);
	assert_true(woken(&one, 1));
	assert_true(woken(&three, 1));
	settle();
	assert_int_equal(two.woken, 0);
	stream_wait_end(third);
	stream_wait_end(first);
	stream_wait_end(NULL);
	assert_int_equal(one.refs + two.refs + three.refs, 0);
}

/* ---- what changed */

static void nothing_changed_until_something_happens(void **state)
{
	uint64_t position, tick;

	(void)state;
	store_three();
	note_event(1);
	assert_false(stream_user_changed(hs.stream, ANN, stream_position(hs.stream),
					 stream_ticks(hs.stream)));
	position = stream_position(hs.stream);
	tick = stream_ticks(hs.stream);
	note_event(2);
	assert_false(stream_user_changed(hs.stream, ANN, position, tick));
	note_event(1);
	assert_true(stream_user_changed(hs.stream, ANN, position, tick));
	assert_false(stream_user_changed(hs.stream, ANN, stream_position(hs.stream), tick));
	stream_tick(hs.stream);
	stream_wake_room(hs.stream, 1);
	assert_true(stream_user_changed(hs.stream, ANN, stream_position(hs.stream), tick));
	assert_false(stream_user_changed(hs.stream, ANN, stream_position(hs.stream),
					 stream_ticks(hs.stream)));
}

static void what_was_before_the_first_sight_of_a_user_may_have_changed(void **state)
{
	(void)state;
	note_event(1);
	note_event(1);
	assert_true(stream_user_changed(hs.stream, ANN, 1, stream_ticks(hs.stream)));
	assert_false(stream_user_changed(hs.stream, ANN, 2, stream_ticks(hs.stream)));
}

static void rooms_change_by_their_timeline_and_receipts(void **state)
{
	const struct stream_entry receipt = { .kind = STREAM_RECEIPT, .room = 1, .user = BOB };
	const struct stream_entry secret = {
		.kind = STREAM_RECEIPT, .room = 1, .user = BOB, .is_private = true
	};

	(void)state;
	store_three();
	assert_true(stream_room_changed(hs.stream, 1, 0)); /* nobody is tracked yet */
	stream_user_changed(hs.stream, ANN, 0, 0);
	assert_false(stream_room_changed(hs.stream, 1, 0));
	note_event(1);
	assert_true(stream_room_changed(hs.stream, 1, 0));
	assert_false(stream_room_changed(hs.stream, 1, 1));
	note(&receipt);
	assert_true(stream_room_changed(hs.stream, 1, 1));
	note(&secret);
	note_user(STREAM_ACCOUNT_DATA, ANN);
	note_user(STREAM_DEVICES, ANN);
	assert_false(stream_room_changed(hs.stream, 1, 2));
	note_member(1, CAT, MEMBERSHIP_KNOCK);
	assert_true(stream_room_changed(hs.stream, 1, 2));
}

static void entries_of_one_transaction_are_all_marked(void **state)
{
	const struct stream_entry one = { .kind = STREAM_USER, .user = ANN };
	const struct stream_entry two = { .kind = STREAM_USER, .user = BOB };
	struct store_txn *txn;

	(void)state;
	stream_user_changed(hs.stream, ANN, 0, 0);
	stream_user_changed(hs.stream, BOB, 0, 0);
	txn = store_txn_begin(hs.store);
	stream_note(txn, &one);
	stream_note(txn, &two);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	assert_int_equal(stream_position(hs.stream), 1);
	assert_true(stream_user_changed(hs.stream, ANN, 0, stream_ticks(hs.stream)));
	assert_true(stream_user_changed(hs.stream, BOB, 0, stream_ticks(hs.stream)));
}

static void ticks_begin_with_the_clock_and_grow(void **state)
{
	uint64_t first;
	struct stream *later;

	(void)state;
	assert_true(stream_ticks(hs.stream) > UINT64_C(1700000000000) * 256);
	first = stream_tick(hs.stream);
	assert_true(stream_tick(hs.stream) == first + 1);
	assert_true(stream_ticks(hs.stream) == first + 1);
	mx_time_fake(mx_now_ms() + 1, mx_mono_ms());
	stream_free(hs.stream);
	later = stream_new(&hs);
	hs.stream = later;
	assert_true(stream_ticks(later) > first + 1);
}

/* ---- while a user's rooms are read */

static void join_and_leave(void)
{
	stored.meanwhile = NULL;
	note_member(1, ANN, MEMBERSHIP_LEAVE);
	note_member(2, ANN, MEMBERSHIP_JOIN);
}

static void what_happens_while_rooms_are_read_counts(void **state)
{
	struct req_wake wake = wake_of(hs.stream);
	struct stream_wait *wait;

	(void)state;
	store_three();
	stored.meanwhile = join_and_leave;
	wait = stream_wait_begin(hs.stream, ANN, &wake);
	assert_true(stream_user_changed(hs.stream, ANN, 0, stream_ticks(hs.stream)));
	settle();
	wake.woken = 0;
	note_event(1);
	settle();
	assert_int_equal(wake.woken, 0);
	note_event(2);
	assert_true(woken(&wake, 1));
	stream_wait_end(wait);
}

static void event_in_room_1(void)
{
	stored.meanwhile = NULL;
	note_event(1);
}

static void an_event_while_rooms_are_read_is_not_missed(void **state)
{
	(void)state;
	store_three();
	stored.meanwhile = event_in_room_1;
	assert_true(stream_user_changed(hs.stream, ANN, 0, stream_ticks(hs.stream)));
	assert_false(stream_user_changed(hs.stream, ANN, 1, stream_ticks(hs.stream)));
}

static void rooms_that_cannot_be_read_are_read_again(void **state)
{
	struct req_wake wake = wake_of(hs.stream);
	struct stream_wait *wait;

	(void)state;
	store_three();
	stored.rc = -MX_STORE;
	assert_true(stream_user_changed(hs.stream, ANN, 1000, UINT64_MAX));
	stored.rc = 0;
	note_member(2, ANN, MEMBERSHIP_JOIN);
	wait = stream_wait_begin(hs.stream, ANN, &wake);
	assert_int_equal(stored.reads, 2);
	note_event(1);
	assert_true(woken(&wake, 1));
	note_event(2);
	assert_true(woken(&wake, 2));
	stream_wait_end(wait);
}

static void rooms_are_read_once(void **state)
{
	struct three three;

	(void)state;
	three_begin(&three);
	for (int i = 0; i < 5; i++)
		stream_user_changed(hs.stream, ANN, 0, 0);
	three_end(&three);
	three_begin(&three);
	three_end(&three);
	assert_int_equal(stored.reads, 3);
}

/* ---- the end */

static void who_is_idle_for_an_hour_is_forgotten(void **state)
{
	struct req_wake wake = wake_of(hs.stream);
	int64_t now_ms = mx_now_ms(), mono_ms = mx_mono_ms();
	struct stream_wait *wait;

	(void)state;
	mx_time_fake(now_ms, mono_ms);
	wait = stream_wait_begin(hs.stream, BOB, &wake);
	stream_user_changed(hs.stream, ANN, 0, 0);
	mx_time_fake(now_ms, mono_ms + MX_HOUR_MS - 1);
	settle();
	stream_user_changed(hs.stream, ANN, 0, 0);
	assert_int_equal(stored.reads, 3);
	mx_time_fake(now_ms, mono_ms + 2 * MX_HOUR_MS);
	settle();
	settle();
	stored.reads = 0;
	stream_user_changed(hs.stream, BOB, 0, 0); /* waits all the time */
	assert_int_equal(stored.reads, 0);
	stream_user_changed(hs.stream, ANN, 0, 0);
	assert_int_equal(stored.reads, 1);
	stream_wait_end(wait);
}

static void closing_wakes_all_and_whoever_comes_later(void **state)
{
	struct three three;

	(void)state;
	three_begin(&three);
	stream_close(hs.stream);
	assert_true(woken(&three.ann, 1));
	assert_true(woken(&three.bob, 1));
	assert_true(woken(&three.cat, 1));
	three_end(&three);
	three_begin(&three);
	assert_int_equal(three.ann.woken, 1);
	three_end(&three);
}

/* ---- nothing is lost */

#define WRITERS 3
#define READERS 4
#define NOTES   200

struct reader {
	pthread_t thread;
	struct mx_slice user;
	bool lost;
};

static void *write_notes(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < NOTES; i++) {
		struct store_txn *txn = store_txn_begin(hs.store);

		stream_note(txn, &(struct stream_entry){ .kind = STREAM_EVENT, .room = 1 });
		store_txn_commit(txn, NULL);
	}
	return NULL;
}

/* As /sync does: registers, then looks, then sleeps. */
static bool see_more(const struct reader *reader, uint64_t *seen)
{
	struct req_wake wake = wake_of(hs.stream);
	struct stream_wait *wait = stream_wait_begin(hs.stream, reader->user, &wake);
	bool in_time = true;

	while (in_time) {
		uint64_t position;
		unsigned before;

		pthread_mutex_lock(&wake.lock);
		before = wake.woken;
		pthread_mutex_unlock(&wake.lock);
		position = stream_position(hs.stream);
		if (position > *seen &&
		    stream_user_changed(hs.stream, reader->user, *seen, UINT64_MAX)) {
			*seen = position;
			break;
		}
		in_time = woken(&wake, before + 1);
	}
	stream_wait_end(wait);
	released(&wake);
	return in_time;
}

static void *read_notes(void *arg)
{
	struct reader *reader = arg;
	uint64_t seen = 0;

	while (!reader->lost && seen < WRITERS * NOTES)
		reader->lost = !see_more(reader, &seen);
	return NULL;
}

static void no_wake_up_is_lost(void **state)
{
	struct reader readers[READERS] = {
		{ .user = ANN }, { .user = BOB }, { .user = ANN }, { .user = BOB }
	};
	pthread_t writers[WRITERS];

	(void)state;
	store_three();
	for (int i = 0; i < READERS; i++)
		pthread_create(&readers[i].thread, NULL, read_notes, &readers[i]);
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&writers[i], NULL, write_notes, NULL);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	for (int i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_false(readers[i].lost);
	}
}

#define stream_test(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(an_event_wakes_who_is_in_the_room),
		stream_test(a_membership_wakes_its_user_and_the_room),
		stream_test(what_is_of_one_user_wakes_nobody_else),
		stream_test(a_private_receipt_wakes_its_user_alone),
		stream_test(new_devices_wake_who_shares_a_room),
		stream_test(what_lives_in_memory_wakes_at_once),
		stream_test(who_is_woken_sees_the_position),
		stream_test(every_device_of_a_user_is_woken),
		stream_test(nothing_changed_until_something_happens),
		stream_test(what_was_before_the_first_sight_of_a_user_may_have_changed),
		stream_test(rooms_change_by_their_timeline_and_receipts),
		stream_test(entries_of_one_transaction_are_all_marked),
		stream_test(ticks_begin_with_the_clock_and_grow),
		stream_test(what_happens_while_rooms_are_read_counts),
		stream_test(an_event_while_rooms_are_read_is_not_missed),
		stream_test(rooms_that_cannot_be_read_are_read_again),
		stream_test(rooms_are_read_once),
		stream_test(who_is_idle_for_an_hour_is_forgotten),
		stream_test(closing_wakes_all_and_whoever_comes_later),
		stream_test(no_wake_up_is_lost),
	};

	return cmocka_run_group_tests_name("stream/stream", tests, NULL, NULL);
}

#include "tests/unit/homeserver/stream/stream_fixture.h"

#include <semaphore.h>

/* wrap: user_room_db_list req_wake req_wake_ref req_wake_unref */

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

/* ---- between visible and told */

struct gate {
	sem_t reached, go;
};

static void gate_pass(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct gate *gate = ctx;

	(void)key;
	(void)value;
	sem_post(&gate->reached);
	sem_wait(&gate->go);
}

static void gate_left(void *ctx, int rc)
{
	assert_int_equal(rc, 0);
	sem_post(&((struct gate *)ctx)->reached);
}

/* The committer stands between the publication of a commit and its entry in the log. */
static void what_is_visible_but_not_told_yet_may_have_changed(void **state)
{
	const struct stream_entry entry = { .kind = STREAM_EVENT, .room = 1 };
	uint64_t ticks = stream_ticks(hs.stream);
	struct store_txn *txn;
	struct gate gate;

	(void)state;
	store_three();
	stream_user_changed(hs.stream, ANN, 0, ticks);
	sem_init(&gate.reached, 0, 0);
	sem_init(&gate.go, 0, 0);
	store_watch(hs.store, &gate_table, gate_pass, &gate);
	txn = store_txn_begin(hs.store);
	store_txn_put(txn, &gate_table, MX_SLICE("k"), MX_SLICE("v"));
	stream_note(txn, &entry);
	store_txn_commit_async(txn, gate_left, &gate);
	sem_wait(&gate.reached);
	assert_int_equal(store_stamp(hs.store), 1);
	assert_int_equal(stream_position(hs.stream), 0);
	assert_true(stream_user_changed(hs.stream, ANN, 0, ticks));
	assert_true(stream_room_changed(hs.stream, 1, 0));
	assert_false(stream_user_changed(hs.stream, ANN, 1, ticks));
	sem_post(&gate.go);
	sem_wait(&gate.reached);
	assert_int_equal(stream_position(hs.stream), 1);
	assert_true(stream_user_changed(hs.stream, ANN, 0, ticks));
	assert_false(stream_user_changed(hs.stream, ANN, 1, ticks));
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
	struct req_wake wake = wake_of(hs.stream);

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct stream_wait *wait = stream_wait_begin(hs.stream, ANN, &wake);

		stream_user_changed(hs.stream, ANN, 0, 0);
		stream_wait_end(wait);
	}
	assert_int_equal(stored.reads, 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(nothing_changed_until_something_happens),
		stream_test(what_was_before_the_first_sight_of_a_user_may_have_changed),
		stream_test(rooms_change_by_their_timeline_and_receipts),
		stream_test(entries_of_one_transaction_are_all_marked),
		stream_test(ticks_begin_with_the_clock_and_grow),
		stream_test(what_is_visible_but_not_told_yet_may_have_changed),
		stream_test(what_happens_while_rooms_are_read_counts),
		stream_test(an_event_while_rooms_are_read_is_not_missed),
		stream_test(rooms_that_cannot_be_read_are_read_again),
		stream_test(rooms_are_read_once),
		stream_test(who_is_idle_for_an_hour_is_forgotten),
	};

	return cmocka_run_group_tests_name("stream/stream_changes", tests, NULL, NULL);
}

#include "tests/unit/homeserver/stream/stream_fixture.h"

/* wrap: user_room_db_list req_wake req_wake_ref req_wake_unref */

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

/* ---- the end of the stream */

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
		stream_test(closing_wakes_all_and_whoever_comes_later),
		stream_test(no_wake_up_is_lost),
	};

	return cmocka_run_group_tests_name("stream/stream", tests, NULL, NULL);
}

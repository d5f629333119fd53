#include "homeserver/sync/lazy_members.h"

#include "shared/core/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct lazy_key phone = { .user_id = "@ann:x", .device = "PHONE", .room = 1 };

static struct lazy_members *lazy_of(void **state)
{
	return *state;
}

static int setup(void **state)
{
	*state = lazy_members_new(1024 * 1024);
	return 0;
}

static int teardown(void **state)
{
	lazy_members_free(*state);
	return 0;
}

static void send_numbers(struct lazy_members *lazy, const struct lazy_key *key, uint64_t position,
			 uint32_t first, uint32_t len)
{
	const struct sync_token now = { .position = position, .tick = 10 };
	uint32_t numbers[2 * LAZY_MEMBERS_ROOM_MAX];

	for (uint32_t i = 0; i < len; i++)
		numbers[i] = first + i;
	lazy_members_sent(lazy, key, &now, &(struct lazy_known){ numbers, len });
}

static bool knows(struct lazy_members *lazy, const struct lazy_key *key, uint64_t acknowledged,
		  uint32_t number)
{
	const struct sync_token token = { .position = acknowledged, .tick = 10 };
	mx_arena_auto *mem = mx_arena_new(0);
	struct lazy_known known;

	lazy_members_known(lazy, key, &token, mem, &known);
	for (size_t i = 0; i < known.len; i++) {
		if (known.items[i] == number)
			return true;
	}
	return false;
}

static void nothing_is_known_at_first(void **state)
{
	assert_false(knows(lazy_of(state), &phone, 100, 1));
}

static void what_was_sent_is_known_once_the_answer_came(void **state)
{
	send_numbers(lazy_of(state), &phone, 5, 1, 2);
	assert_false(knows(lazy_of(state), &phone, 4, 1));
	assert_true(knows(lazy_of(state), &phone, 5, 1));
	assert_true(knows(lazy_of(state), &phone, 9, 2));
	assert_false(knows(lazy_of(state), &phone, 9, 3));
}

static void an_answer_of_the_same_position_but_a_later_tick_may_be_lost_too(void **state)
{
	const struct sync_token later = { .position = 5, .tick = 11 };
	uint32_t number = 7;

	lazy_members_sent(lazy_of(state), &phone, &later, &(struct lazy_known){ &number, 1 });
	assert_false(knows(lazy_of(state), &phone, 5, 7));
}

static void what_is_sent_again_waits_for_its_answer_again(void **state)
{
	send_numbers(lazy_of(state), &phone, 5, 1, 1);
	send_numbers(lazy_of(state), &phone, 8, 1, 1);
	assert_false(knows(lazy_of(state), &phone, 7, 1));
	assert_true(knows(lazy_of(state), &phone, 8, 1));
}

static void devices_and_rooms_are_apart(void **state)
{
	const struct lazy_key laptop = { .user_id = "@ann:x", .device = "LAPTOP", .room = 1 };
	const struct lazy_key other_room = { .user_id = "@ann:x", .device = "PHONE", .room = 2 };
	const struct lazy_key other_user = { .user_id = "@bob:x", .device = "PHONE", .room = 1 };
	const struct lazy_key no_device = { .user_id = "@ann:x", .room = 1 };

	send_numbers(lazy_of(state), &phone, 5, 1, 1);
	assert_false(knows(lazy_of(state), &laptop, 5, 1));
	assert_false(knows(lazy_of(state), &other_room, 5, 1));
	assert_false(knows(lazy_of(state), &other_user, 5, 1));
	assert_false(knows(lazy_of(state), &no_device, 5, 1));
}

static void the_oldest_of_a_large_room_are_forgotten(void **state)
{
	struct lazy_members *lazy = lazy_of(state);

	send_numbers(lazy, &phone, 5, 1, LAZY_MEMBERS_ROOM_MAX);
	send_numbers(lazy, &phone, 6, 1000, 10);
	assert_false(knows(lazy, &phone, 9, 10));
	assert_true(knows(lazy, &phone, 9, 11));
	assert_true(knows(lazy, &phone, 9, 1009));
	send_numbers(lazy, &phone, 7, 2000, 2 * LAZY_MEMBERS_ROOM_MAX);
	assert_false(knows(lazy, &phone, 9, 1009));
	assert_true(knows(lazy, &phone, 9, 2000));
	assert_false(knows(lazy, &phone, 9, 2000 + LAZY_MEMBERS_ROOM_MAX));
}

int main(void)
{
#define lazy_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		lazy_test(nothing_is_known_at_first),
		lazy_test(what_was_sent_is_known_once_the_answer_came),
		lazy_test(an_answer_of_the_same_position_but_a_later_tick_may_be_lost_too),
		lazy_test(what_is_sent_again_waits_for_its_answer_again),
		lazy_test(devices_and_rooms_are_apart),
		lazy_test(the_oldest_of_a_large_room_are_forgotten),
	};

	return cmocka_run_group_tests_name("sync/lazy_members", tests, NULL, NULL);
}

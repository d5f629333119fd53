#include "homeserver/stream/tracked.h"

#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define USERS 12
#define ROOMS 9
#define STEPS 20000

static uint32_t random_state = 4711;

static uint32_t random_below(uint32_t bound)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % bound;
}

static const char *const names[USERS] = { "@a:h", "@b:h", "@c:h", "@d:h", "@e:h", "@f:h",
					  "@g:h", "@h:h", "@i:h", "@j:h", "@k:h", "@l:h" };

static bool is_member(const struct tracked *tracked, const char *name, uint32_t number)
{
	const struct tracked_room *room = tracked_room(tracked, number);
	size_t found = 0;

	for (size_t i = 0; room && i < room->members.len; i++)
		found += streq(room->members.items[i].user->id, name);
	assert_true(found <= 1);
	return found == 1;
}

/* Both sides of every membership point at each other. */
static void check_seats(const struct tracked_user *user)
{
	for (size_t i = 0; i < user->rooms.len; i++) {
		const struct tracked_seat *seat = &user->rooms.items[i];

		assert_true(seat->place < seat->room->members.len);
		assert_ptr_equal(seat->room->members.items[seat->place].user, user);
		assert_int_equal(seat->room->members.items[seat->place].place, i);
	}
}

static void members_come_and_go_as_in_a_plain_table(void **state)
{
	bool joined[USERS][ROOMS + 1] = { 0 };
	struct tracked tracked = { 0 };

	(void)state;
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned who = random_below(USERS), where = 1 + random_below(ROOMS);
		struct tracked_user *user = tracked_find(&tracked, mx_slice(names[who]));

		if (!user)
			user = tracked_add(&tracked, mx_slice(names[who]), 1);
		joined[who][where] = random_below(2);
		if (joined[who][where])
			tracked_join(&tracked, user, where, step);
		else
			tracked_part(&tracked, user, where);
		check_seats(user);
		assert_true(is_member(&tracked, names[who], where) == joined[who][where]);
		where = 1 + random_below(ROOMS);
		assert_true(is_member(&tracked, names[who], where) == joined[who][where]);
	}
	tracked_done(&tracked);
}

static void rooms_without_members_are_forgotten(void **state)
{
	struct tracked tracked = { 0 };
	struct tracked_user *ann = tracked_add(&tracked, MX_SLICE("@ann:here"), 1);
	struct tracked_user *bob = tracked_add(&tracked, MX_SLICE("@bob:here"), 1);

	(void)state;
	tracked_join(&tracked, ann, 7, 100);
	tracked_join(&tracked, bob, 7, 200);
	assert_int_equal(tracked_room(&tracked, 7)->position, 100);
	tracked_part(&tracked, ann, 7);
	assert_non_null(tracked_room(&tracked, 7));
	tracked_part(&tracked, bob, 7);
	assert_null(tracked_room(&tracked, 7));
	tracked_done(&tracked);
}

static void who_was_not_seen_is_dropped_the_others_stay(void **state)
{
	struct tracked tracked = { 0 };
	struct tracked_user *old, *seen, *waiting, *loading;

	(void)state;
	old = tracked_add(&tracked, MX_SLICE("@old:here"), 10);
	seen = tracked_add(&tracked, MX_SLICE("@seen:here"), 11);
	waiting = tracked_add(&tracked, MX_SLICE("@waiting:here"), 12);
	loading = tracked_add(&tracked, MX_SLICE("@loading:here"), 13);
	tracked_add(&tracked, MX_SLICE("@new:here"), 100);
	tracked_join(&tracked, old, 7, 1);
	tracked_seen(&tracked, seen, 100);
	waiting->waits = (struct stream_wait *)waiting;
	loading->is_loading = true;
	tracked_drop_idle(&tracked, 50, 120);
	assert_null(tracked_find(&tracked, MX_SLICE("@old:here")));
	assert_null(tracked_room(&tracked, 7));
	assert_ptr_equal(tracked_find(&tracked, MX_SLICE("@seen:here")), seen);
	assert_ptr_equal(tracked_find(&tracked, MX_SLICE("@waiting:here")), waiting);
	assert_ptr_equal(tracked_find(&tracked, MX_SLICE("@loading:here")), loading);
	assert_non_null(tracked_find(&tracked, MX_SLICE("@new:here")));
	assert_int_equal(waiting->seen_ms, 120);
	tracked_done(&tracked);
}

static void a_list_has_everybody_once(void **state)
{
	struct tracked tracked = { 0 };
	struct tracked_user *ann = tracked_add(&tracked, MX_SLICE("@ann:here"), 1);
	struct tracked_user *bob = tracked_add(&tracked, MX_SLICE("@bob:here"), 1);

	(void)state;
	tracked_list(&tracked, ann, TRACKED_WOKEN);
	tracked_list(&tracked, bob, TRACKED_WOKEN);
	tracked_list(&tracked, ann, TRACKED_WOKEN);
	tracked_list(&tracked, ann, TRACKED_PENDING);
	assert_ptr_equal(tracked_take(&tracked, TRACKED_WOKEN), bob);
	assert_ptr_equal(tracked_take(&tracked, TRACKED_WOKEN), ann);
	assert_null(tracked_take(&tracked, TRACKED_WOKEN));
	assert_ptr_equal(tracked_take(&tracked, TRACKED_PENDING), ann);
	tracked_list(&tracked, ann, TRACKED_WOKEN);
	assert_ptr_equal(tracked_take(&tracked, TRACKED_WOKEN), ann);
	tracked_done(&tracked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_and_go_as_in_a_plain_table),
		cmocka_unit_test(rooms_without_members_are_forgotten),
		cmocka_unit_test(who_was_not_seen_is_dropped_the_others_stay),
		cmocka_unit_test(a_list_has_everybody_once),
	};

	return cmocka_run_group_tests_name("stream/tracked", tests, NULL, NULL);
}

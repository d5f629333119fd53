/* wrap: stream_tick stream_wake_room */
#include "homeserver/ephemeral/typing.h"

#include "homeserver/hs.h"
#include "homeserver/stream/stream.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#define ANN   MX_SLICE("@ann:here")
#define BOB   MX_SLICE("@bob:here")
#define ROOM  7
#define OTHER 8

static _Atomic uint64_t tick;
static _Atomic int wakes; /* of ROOM */
static struct hs hs;

uint64_t __wrap_stream_tick(struct stream *stream);
uint64_t __wrap_stream_tick(struct stream *stream)
{
	(void)stream;
	return ++tick;
}

void __wrap_stream_wake_room(struct stream *stream, uint32_t room);
void __wrap_stream_wake_room(struct stream *stream, uint32_t room)
{
	(void)stream;
	wakes += room == ROOM;
}

static int setup(void **state)
{
	mx_time_fake(1000, 1000);
	tick = 100;
	wakes = 0;
	*state = typing_start(&hs);
	return 0;
}

static int teardown(void **state)
{
	typing_stop(*state);
	mx_time_fake(-1, -1);
	return 0;
}

static void assert_types(struct typing *typing, uint32_t room, const char *expected)
{
	mx_arena_auto *mem = mx_arena_new(0);
	mx_str_auto text = { 0 };
	struct typing_list list;

	typing_list(typing, room, mem, &list);
	for (size_t i = 0; i < list.len; i++)
		mx_str_addf(&text, "%s%.*s", i ? " " : "", MX_SLICE_ARG(list.user_ids[i]));
	assert_string_equal(text.ptr ? text.ptr : "", expected);
}

static void who_types_is_shown_until_they_stop(void **typing)
{
	uint64_t before = tick;

	typing_set(*typing, ROOM, ANN, 5000);
	assert_types(*typing, ROOM, "@ann:here");
	assert_types(*typing, OTHER, "");
	assert_true(typing_changed(*typing, ROOM, before));
	assert_false(typing_changed(*typing, OTHER, before));
	assert_int_equal(wakes, 1);

	before = tick;
	assert_false(typing_changed(*typing, ROOM, before));
	typing_set(*typing, ROOM, BOB, 5000);
	assert_types(*typing, ROOM, "@ann:here @bob:here");
	typing_set(*typing, ROOM, ANN, 0);
	assert_types(*typing, ROOM, "@bob:here");
	assert_true(typing_changed(*typing, ROOM, before));
	assert_int_equal(wakes, 3);
}

static void typing_on_or_not_typing_is_no_news(void **typing)
{
	uint64_t before;

	typing_set(*typing, ROOM, ANN, 5000);
	before = tick;
	typing_set(*typing, ROOM, ANN, 5000);
	typing_set(*typing, ROOM, BOB, 0);
	typing_set(*typing, OTHER, BOB, 0);
	assert_int_equal(tick, before);
	assert_int_equal(wakes, 1);
}

static void typing_ends_by_itself(void **typing)
{
	uint64_t before;

	typing_set(*typing, ROOM, ANN, 5000);
	typing_set(*typing, ROOM, BOB, 2000);
	assert_int_equal(typing_run(*typing, 2999), 3000);
	assert_types(*typing, ROOM, "@ann:here @bob:here");
	before = tick;
	mx_time_fake(3000, 3000);
	assert_int_equal(typing_run(*typing, 3000), 6000);
	assert_types(*typing, ROOM, "@ann:here");
	assert_true(typing_changed(*typing, ROOM, before));
	typing_set(*typing, ROOM, ANN, 5000);
	assert_int_equal(typing_run(*typing, 7999), 8000);
	typing_run(*typing, 8000);
	assert_types(*typing, ROOM, "");
	assert_int_equal(wakes, 4);
}

static void nobody_types_for_long_without_saying_so_again(void **typing)
{
	typing_set(*typing, ROOM, ANN, INT64_MAX);
	typing_run(*typing, 1000 + TYPING_MS_MAX);
	assert_types(*typing, ROOM, "");
}

static void a_first_sync_shows_only_where_somebody_types(void **typing)
{
	assert_false(typing_changed(*typing, ROOM, 0));
	typing_set(*typing, ROOM, ANN, 5000);
	assert_true(typing_changed(*typing, ROOM, 0));
	typing_set(*typing, ROOM, ANN, 0);
	assert_false(typing_changed(*typing, ROOM, 0));
}

static void what_was_shown_before_the_start_is_taken_back(void **typing)
{
	assert_true(typing_changed(*typing, ROOM, 100));
	assert_false(typing_changed(*typing, ROOM, 101));
}

static void who_was_away_hears_of_rooms_that_are_forgotten(void **typing)
{
	uint64_t while_typing;

	typing_set(*typing, ROOM, ANN, 5000);
	while_typing = tick;
	typing_set(*typing, ROOM, ANN, 0);
	mx_time_fake(1000 + MX_HOUR_MS, 1000 + MX_HOUR_MS);
	assert_int_equal(typing_run(*typing, 1000 + MX_HOUR_MS), INT64_MAX);
	assert_true(typing_changed(*typing, ROOM, while_typing));
	assert_false(typing_changed(*typing, ROOM, tick));
}

static void a_crowd_is_shown_in_part(void **typing)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct typing_list list;

	for (int i = 0; i <= TYPING_ROOM_MAX; i++)
		typing_set(*typing, ROOM, mx_slice(mx_arena_strf(mem, "@u%d:here", i)), 5000);
	typing_list(*typing, ROOM, mem, &list);
	assert_int_equal(list.len, TYPING_ROOM_MAX);
}

static void rooms_have_a_limit(void **typing)
{
	for (uint32_t room = 100; room < 100 + TYPING_ROOMS_MAX; room++)
		typing_set(*typing, room, ANN, 5000);
	typing_set(*typing, ROOM, ANN, 5000);
	assert_types(*typing, ROOM, "");
	assert_types(*typing, 100, "@ann:here");
	mx_time_fake(MX_HOUR_MS, MX_HOUR_MS);
	typing_run(*typing, 6000);
	typing_run(*typing, 2 * MX_HOUR_MS);
	typing_set(*typing, ROOM, ANN, 5000);
	assert_types(*typing, ROOM, "@ann:here");
}

#define typing_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		typing_test(who_types_is_shown_until_they_stop),
		typing_test(typing_on_or_not_typing_is_no_news),
		typing_test(typing_ends_by_itself),
		typing_test(nobody_types_for_long_without_saying_so_again),
		typing_test(a_first_sync_shows_only_where_somebody_types),
		typing_test(what_was_shown_before_the_start_is_taken_back),
		typing_test(who_was_away_hears_of_rooms_that_are_forgotten),
		typing_test(a_crowd_is_shown_in_part),
		typing_test(rooms_have_a_limit),
	};

	return cmocka_run_group_tests_name("ephemeral/typing", tests, NULL, NULL);
}

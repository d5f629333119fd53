#include "homeserver/creation/next_levels.h"

#include "homeserver/event/room_version.h"
#include "shared/json/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define ANN "@ann:here"
#define BOB "@bob:here"

static json_t *parse(const char *text)
{
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;

	assert_true(json || !text);
	return json;
}

static void assert_next(const char *from, const char *to, const char *old, const char *expected)
{
	json_auto_t *content = parse(old), *wanted = parse(expected);
	json_auto_t *creators = json_pack("[s]", ANN), *more = json_pack("[s]", BOB);
	const struct next_levels levels = {
		.content = content,
		.from = room_version_find(mx_slice(from)),
		.to = room_version_find(mx_slice(to)),
		.creator = ANN,
		.more_creators = more,
		.old_creators = creators,
	};
	json_auto_t *next = next_levels_make(&levels);

	if (!json_equal(next, wanted))
		fail_msg("%s", json_dumps(next, JSON_SORT_KEYS));
}

static void levels_stay_as_they_are(void **state)
{
	(void)state;
	assert_next("9", "11", "{\"users\": {\"@ann:here\": 100}, \"ban\": 3}",
		    "{\"users\": {\"@ann:here\": 100}, \"ban\": 3}");
}

static void strings_and_points_become_integers(void **state)
{
	(void)state;
	assert_next("1", "10",
		    "{\"ban\": \" 50\", \"kick\": 7.9, \"invite\": \"x\", \"redact\": null, "
		    "\"users\": {\"@ann:here\": \"100\"}}",
		    "{\"ban\": 50, \"kick\": 7, \"users\": {\"@ann:here\": 100}}");
}

static void creators_are_not_named_where_they_stand_above_all(void **state)
{
	(void)state;
	assert_next("11", "12",
		    "{\"users\": {\"@ann:here\": 100, \"@bob:here\": 100, \"@cat:here\": 50}, "
		    "\"events\": {\"m.room.tombstone\": 100}}",
		    "{\"users\": {\"@cat:here\": 50}, \"events\": {\"m.room.tombstone\": 150}}");
	assert_next("11", "12", "{\"state_default\": 200}",
		    "{\"state_default\": 200, \"users\": {}, \"events\": "
		    "{\"m.room.tombstone\": 201}}");
}

static void creators_are_named_where_they_do_not(void **state)
{
	(void)state;
	assert_next("12", "11", "{\"users\": {}, \"events\": {\"m.room.tombstone\": 150}}",
		    "{\"users\": {\"@ann:here\": 150}, \"events\": {\"m.room.tombstone\": 150}}");
}

static void a_room_without_levels_gets_the_first_ones(void **state)
{
	const struct next_levels levels = {
		.from = room_version_find(mx_slice("1")),
		.to = room_version_find(mx_slice("11")),
		.creator = ANN,
	};
	json_auto_t *next = next_levels_make(&levels);

	(void)state;
	assert_int_equal(jint(jobj(next, "users"), ANN, 0), 100);
}

static void in_a_closed_room_only_the_strong_speak(void **state)
{
	json_auto_t *old = parse("{\"users_default\": 60, \"invite\": 80}");
	json_auto_t *closed = last_levels_make(old), *nothing = json_object();
	json_auto_t *least = last_levels_make(nothing);

	(void)state;
	assert_int_equal(jint(closed, "events_default", 0), 61);
	assert_int_equal(jint(closed, "invite", 0), 80);
	assert_int_equal(jint(least, "events_default", 0), 50);
	assert_int_equal(jint(least, "invite", 0), 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_stay_as_they_are),
		cmocka_unit_test(strings_and_points_become_integers),
		cmocka_unit_test(creators_are_not_named_where_they_stand_above_all),
		cmocka_unit_test(creators_are_named_where_they_do_not),
		cmocka_unit_test(a_room_without_levels_gets_the_first_ones),
		cmocka_unit_test(in_a_closed_room_only_the_strong_speak),
	};

	return cmocka_run_group_tests_name("room/next_levels", tests, NULL, NULL);
}

#include "homeserver/eventauth/power_levels.h"

#include "homeserver/event/event.h"
#include "homeserver/event/room_version.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/arena_fixture.h"

#define ANN MX_SLICE("@ann:a.example")
#define BOB MX_SLICE("@bob:a.example")
#define CAT MX_SLICE("@cat:a.example")

static bool names_room(const struct room_version *version, const char *type)
{
	return version->create_is_room_id && streq(type, "m.room.create");
}

/* A state event that Ann sent. */
static const struct event *event_of(const char *version, const char *type, const char *content)
{
	const struct room_version *row = room_version_find(mx_slice(version));
	struct event *event = mx_arena_alloc(test_mem, sizeof(*event));
	struct mx_error err = { 0 };
	const char *json = mx_arena_strf(
		test_mem,
		"{\"type\":\"%s\",\"state_key\":\"\",\"sender\":\"@ann:a.example\",\"depth\":1,%s"
		"\"event_id\":\"$e:a.example\",\"origin_server_ts\":1,\"content\":%s,\"hashes\":{},"
		"\"signatures\":{},\"prev_events\":[],\"auth_events\":[]}",
		type, names_room(row, type) ? "" : "\"room_id\":\"!r:a.example\",", content);

	if (event_parse(row, mx_slice(json), test_mem, event, &err))
		fail_msg("%s", err.text);
	return event;
}

static int parse(const char *version, const char *content, struct power_levels *ret_levels)
{
	return power_levels_parse(event_of(version, "m.room.power_levels", content), test_mem,
				  ret_levels, NULL);
}

/* users_default of {"users_default": lexeme}; fails the test if the version does not take it. */
static int64_t level_read(const char *version, const char *lexeme)
{
	struct power_levels levels;

	assert_int_equal(
		parse(version, mx_arena_strf(test_mem, "{\"users_default\":%s}", lexeme), &levels),
		0);
	assert_true(levels.is_stated[LEVEL_USERS_DEFAULT]);
	return levels.stated[LEVEL_USERS_DEFAULT];
}

static bool is_refused(const char *version, const char *content)
{
	struct power_levels levels;

	return parse(version, content, &levels) == -MX_FORBIDDEN;
}

/* ---- what an event says */

static void numbers_are_read_in_every_version(void **state)
{
	const struct room_version *version;

	(void)state;
	for (size_t i = 0; (version = room_version_at(i)); i++) {
		assert_int_equal(level_read(version->id, "50"), 50);
		assert_int_equal(level_read(version->id, "-1"), -1);
		assert_true(level_read(version->id, "9007199254740991") == 9007199254740991);
	}
}

/* Spec: room version 1, "`m.room.power_levels` events accept values as strings"; 10 ends it. */
static void strings_are_numbers_before_version_10(void **state)
{
	(void)state;
	assert_int_equal(level_read("1", "\"50\""), 50);
	assert_int_equal(level_read("9", "\" 50 \""), 50);
	assert_int_equal(level_read("9", "\"+50\""), 50);
	assert_int_equal(level_read("9", "\"-50\""), -50);
	assert_int_equal(level_read("9", "\"00050\""), 50);
	assert_true(is_refused("9", "{\"ban\":\"+-50\"}"));
	assert_true(is_refused("9", "{\"ban\":\"5 0\"}"));
	assert_true(is_refused("9", "{\"ban\":\"\"}"));
	assert_true(is_refused("9", "{\"ban\":\"fifty\"}"));
	assert_true(is_refused("10", "{\"ban\":\"50\"}"));
	assert_true(is_refused("12", "{\"users\":{\"@ann:a.example\":\"50\"}}"));
}

static void reals_are_cut_in_old_versions(void **state)
{
	(void)state;
	assert_int_equal(level_read("1", "50.9"), 50);
	assert_int_equal(level_read("1", "-50.9"), -50);
	assert_int_equal(level_read("1", "1e2"), 100);
	assert_true(level_read("1", "1e300") == INT64_MAX - 1);
}

static void numbers_beyond_64_bits_count_as_the_largest(void **state)
{
	(void)state;
	assert_true(level_read("1", "99999999999999999999") == INT64_MAX - 1);
	assert_true(level_read("1", "-99999999999999999999") == -INT64_MAX);
	assert_true(level_read("1", "99999999999999999999") < LEVEL_OF_CREATORS);
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const contents[] = {
		"{\"ban\":null}",
		"{\"ban\":true}",
		"{\"kick\":[]}",
		"{\"invite\":{}}",
		"{\"users\":[]}",
		"{\"users\":{\"@ann:a.example\":null}}",
		"{\"events\":{\"m.room.name\":{}}}",
		"{\"events\":5}",
		"{\"notifications\":{\"room\":[]}}",
	};
	const struct room_version *version;

	(void)state;
	for (size_t i = 0; (version = room_version_at(i)); i++)
		for (size_t j = 0; j < sizeof(contents) / sizeof(contents[0]); j++)
			assert_true(is_refused(version->id, contents[j]));
}

static void levels_are_of_users_only(void **state)
{
	(void)state;
	assert_true(is_refused("11", "{\"users\":{\"ann\":50}}"));
	assert_true(is_refused("1", "{\"users\":{\"#ann:a.example\":50}}"));
	assert_false(is_refused("11", "{\"users\":{\"@ann:a.example\":50}}"));
}

static void lists_are_searched_by_name(void **state)
{
	struct power_levels levels;

	(void)state;
	assert_int_equal(parse("11",
			       "{\"events\":{\"m.z\":3,\"m.a\":1,\"m.b\":2,\"\":0},\"users\":{}}",
			       &levels),
			 0);
	assert_int_equal(levels.events.len, 4);
	assert_int_equal(level_find(&levels.events, MX_SLICE("m.a"))->value, 1);
	assert_int_equal(level_find(&levels.events, MX_SLICE("m.b"))->value, 2);
	assert_int_equal(level_find(&levels.events, MX_SLICE("m.z"))->value, 3);
	assert_int_equal(level_find(&levels.events, MX_SLICE(""))->value, 0);
	assert_null(level_find(&levels.events, MX_SLICE("m.c")));
	assert_null(level_find(&levels.users, ANN));
}

/* ---- creators */

static void the_creator_is_in_the_content_or_sent_the_event(void **state)
{
	struct room_creators old = room_creators_of(
		event_of("10", "m.room.create", "{\"creator\":\"@bob:a.example\"}"), test_mem);
	struct room_creators newer = room_creators_of(
		event_of("11", "m.room.create", "{\"creator\":\"@bob:a.example\"}"), test_mem);

	(void)state;
	assert_true(room_creators_have(&old, BOB) && !room_creators_have(&old, ANN));
	assert_true(room_creators_have(&newer, ANN) && !room_creators_have(&newer, BOB));
}

static void nobody_made_a_room_without_a_creator(void **state)
{
	struct room_creators creators = room_creators_of(
		event_of("5", "m.room.create", "{\"creator\":7}"), test_mem);

	(void)state;
	assert_int_equal(creators.len, 0);
	assert_false(room_creators_have(&creators, ANN));
}

static void others_are_creators_where_the_version_has_them(void **state)
{
	const char *content = "{\"additional_creators\":[\"@bob:a.example\",7]}";
	struct room_creators with = room_creators_of(event_of("12", "m.room.create", content),
						     test_mem);
	struct room_creators without = room_creators_of(event_of("11", "m.room.create", content),
							test_mem);

	(void)state;
	assert_int_equal(with.len, 2);
	assert_true(room_creators_have(&with, ANN) && room_creators_have(&with, BOB));
	assert_int_equal(without.len, 1);
	assert_false(room_creators_have(&without, BOB));
}

/* ---- in a room */

/* content: of the levels event, or NULL. Ann made the room. */
static struct room_levels room_of(const char *version, const char *content)
{
	struct power_levels *stated = mx_arena_calloc(test_mem, 1, sizeof(*stated));
	struct room_levels levels = {
		.version = room_version_find(mx_slice(version)),
		.creators = room_creators_of(
			event_of(version, "m.room.create", "{\"creator\":\"@ann:a.example\"}"),
			test_mem),
	};

	if (!content)
		return levels;
	assert_int_equal(parse(version, content, stated), 0);
	levels.stated = stated;
	return levels;
}

static void a_room_without_levels_has_its_founders(void **state)
{
	struct room_levels old = room_of("11", NULL), newer = room_of("12", NULL);

	(void)state;
	assert_int_equal(level_of_user(&old, ANN), 100);
	assert_int_equal(level_of_user(&old, BOB), 0);
	assert_true(level_of_user(&newer, ANN) == LEVEL_OF_CREATORS);
	assert_int_equal(level_of_user(&newer, BOB), 0);
	assert_int_equal(level_of(&old, LEVEL_STATE_DEFAULT), 0);
	assert_int_equal(level_of(&old, LEVEL_BAN), 50);
	assert_int_equal(level_to_send(&old, MX_SLICE("m.room.name"), true), 0);
}

static void what_is_not_stated_has_its_default(void **state)
{
	struct room_levels room = room_of("11", "{}");

	(void)state;
	assert_int_equal(level_of(&room, LEVEL_USERS_DEFAULT), 0);
	assert_int_equal(level_of(&room, LEVEL_EVENTS_DEFAULT), 0);
	assert_int_equal(level_of(&room, LEVEL_STATE_DEFAULT), 50);
	assert_int_equal(level_of(&room, LEVEL_BAN), 50);
	assert_int_equal(level_of(&room, LEVEL_KICK), 50);
	assert_int_equal(level_of(&room, LEVEL_REDACT), 50);
	assert_int_equal(level_of(&room, LEVEL_INVITE), 0);
	assert_int_equal(level_of_user(&room, ANN), 0); /* the founder's level ends here */
}

static void users_have_their_own_level_or_the_default(void **state)
{
	struct room_levels room = room_of(
		"11", "{\"users\":{\"@bob:a.example\":30},\"users_default\":7}");

	(void)state;
	assert_int_equal(level_of_user(&room, BOB), 30);
	assert_int_equal(level_of_user(&room, CAT), 7);
}

static void creators_are_above_what_levels_say(void **state)
{
	struct room_levels room = room_of("12",
					  "{\"users\":{\"@bob:a.example\":9007199254740991}}");

	(void)state;
	assert_true(level_of_user(&room, ANN) > level_of_user(&room, BOB));
}

static void sending_takes_the_level_of_the_type_or_of_its_kind(void **state)
{
	struct room_levels room = room_of("11", "{\"events\":{\"m.room.name\":70,\"m.loud\":5},"
						"\"events_default\":2,\"state_default\":40}");

	(void)state;
	assert_int_equal(level_to_send(&room, MX_SLICE("m.room.name"), true), 70);
	assert_int_equal(level_to_send(&room, MX_SLICE("m.loud"), false), 5);
	assert_int_equal(level_to_send(&room, MX_SLICE("m.room.topic"), true), 40);
	assert_int_equal(level_to_send(&room, MX_SLICE("m.room.message"), false), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(numbers_are_read_in_every_version),
		arena_test(strings_are_numbers_before_version_10),
		arena_test(reals_are_cut_in_old_versions),
		arena_test(numbers_beyond_64_bits_count_as_the_largest),
		arena_test(what_is_no_number_is_refused),
		arena_test(levels_are_of_users_only),
		arena_test(lists_are_searched_by_name),
		arena_test(the_creator_is_in_the_content_or_sent_the_event),
		arena_test(nobody_made_a_room_without_a_creator),
		arena_test(others_are_creators_where_the_version_has_them),
		arena_test(a_room_without_levels_has_its_founders),
		arena_test(what_is_not_stated_has_its_default),
		arena_test(users_have_their_own_level_or_the_default),
		arena_test(creators_are_above_what_levels_say),
		arena_test(sending_takes_the_level_of_the_type_or_of_its_kind),
	};

	return cmocka_run_group_tests_name("eventauth/power_levels", tests, NULL, NULL);
}

/* Whose rooms are shown how, as people come and go; and which members are told. */
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/sync_fixture.h"

#define BIRTH "m.room.create,m.room.member/" ANN ",m.room.join_rules"

static const char *const lazy = "{\"room\":{\"state\":{\"lazy_load_members\":true}}}";

/* ---- coming and going */

static void a_newly_joined_room_is_shown_whole(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA, .filter = "{\"room\":{\"timeline\":{\"limit\":2}}}" };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;

	say(f, room_id, ANN, "before");
	client_skip(f, &bea);
	become(f, room_id, BEA, BEA, "join");
	answer = client_sync(f, &bea);
	assert_joined(answer, room_id, "m.room.create,m.room.join_rules,m.room.member/" ANN,
		      "before,m.room.member/" BEA);
	assert_true(is_limited(answer, "join", room_id));
}

static void history_that_is_for_the_joined_begins_with_the_join(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA };
	const char *room_id = plan_room(
		f, &(struct room_plan){ .maker = ANN, .visibility = "joined" });
	json_auto_t *answer = NULL;

	client_skip(f, &bea);
	say(f, room_id, ANN, "before");
	become(f, room_id, BEA, BEA, "join");
	say(f, room_id, ANN, "after");
	answer = client_sync(f, &bea);
	assert_joined(
		answer, room_id,
		"m.room.create,m.room.join_rules,m.room.history_visibility,m.room.member/" ANN,
		"m.room.member/" BEA ",after");
}

static void a_room_ends_with_leaving_it(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA }, after = { .user = BEA, .state = SYNC_STATE_AFTER };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL, *other = NULL, *later = NULL;

	become(f, room_id, BEA, BEA, "join");
	client_skip(f, &bea);
	after.since = bea.since;
	say(f, room_id, ANN, "bye");
	become(f, room_id, BEA, BEA, "leave");
	say(f, room_id, ANN, "secret");
	name_room(f, room_id, ANN, "secret too");
	answer = client_sync(f, &bea);
	assert_null(room_of(answer, "join", room_id));
	assert_events(room_of(answer, "leave", room_id), "timeline", "bye,m.room.member/" BEA);
	assert_events(room_of(answer, "leave", room_id), "state", "");
	other = client_sync(f, &after);
	assert_events(room_of(other, "leave", room_id), "state_after", "m.room.member/" BEA);
	say(f, room_id, ANN, "still secret");
	later = client_sync(f, &bea);
	assert_says_nothing(later);
}

static void rooms_that_were_left_are_shown_at_first_when_asked_for(void **state)
{
	struct hs_fixture *f = *state;
	struct client without = { .user = BEA };
	struct client with = { .user = BEA, .filter = "{\"room\":{\"include_leave\":true}}" };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL, *left = NULL;

	become(f, room_id, BEA, BEA, "join");
	become(f, room_id, ANN, BEA, "ban");
	say(f, room_id, ANN, "secret");
	answer = client_sync(f, &without);
	assert_null(json_object_get(answer, "rooms"));
	left = client_sync(f, &with);
	assert_events(room_of(left, "leave", room_id), "timeline",
		      BIRTH ",m.room.member/" BEA ",m.room.member/" BEA);
}

static void joining_and_leaving_between_two_syncs_is_one_room_left(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;

	client_skip(f, &bea);
	become(f, room_id, BEA, BEA, "join");
	say(f, room_id, ANN, "hello");
	become(f, room_id, BEA, BEA, "leave");
	answer = client_sync(f, &bea);
	assert_null(room_of(answer, "join", room_id));
	assert_events(room_of(answer, "leave", room_id), "timeline",
		      "m.room.member/" BEA ",hello,m.room.member/" BEA);
	assert_events(room_of(answer, "leave", room_id), "state",
		      "m.room.create,m.room.join_rules,m.room.member/" ANN);
}

static void leaving_and_coming_back_between_two_syncs_goes_on(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA };
	const char *room_id = plan_room(
		f, &(struct room_plan){ .maker = ANN, .visibility = "joined" });
	json_auto_t *answer = NULL;

	become(f, room_id, BEA, BEA, "join");
	client_skip(f, &bea);
	become(f, room_id, BEA, BEA, "leave");
	say(f, room_id, ANN, "not for her");
	name_room(f, room_id, ANN, "Den");
	become(f, room_id, BEA, BEA, "join");
	answer = client_sync(f, &bea);
	assert_joined(answer, room_id, "m.room.name,m.room.member/" BEA, "m.room.member/" BEA);
	assert_true(is_limited(answer, "join", room_id));
}

/* ---- invites */

static const json_t *invite_of(const json_t *answer, const char *room_id)
{
	return room_of(answer, "invite", room_id);
}

static void an_invite_shows_what_the_room_is(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL, *later = NULL;
	json_t *event;
	size_t i;

	client_skip(f, &bea);
	name_room(f, room_id, ANN, "Den");
	become(f, room_id, ANN, BEA, "invite");
	name_room(f, room_id, ANN, "renamed");
	answer = client_sync(f, &bea);
	assert_events(invite_of(answer, room_id), "invite_state",
		      "m.room.create,m.room.name,m.room.join_rules,m.room.member/" ANN
		      ",m.room.member/" BEA);
	json_array_foreach (events_of(invite_of(answer, room_id), "invite_state"), i, event) {
		assert_int_equal(json_object_size(event), 4);
		if (streq(jstr(event, "type"), "m.room.name"))
			assert_string_equal(jstr(jobj(event, "content"), "name"), "Den");
	}
	say(f, room_id, ANN, "not for the invited");
	later = client_sync(f, &bea);
	assert_null(invite_of(later, room_id));
}

static void an_invite_that_is_declined_shows_nothing_of_the_room(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA }, with_members = { .user = BEA, .filter = lazy };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL, *other = NULL;

	say(f, room_id, ANN, "secret");
	become(f, room_id, ANN, BEA, "invite");
	client_skip(f, &bea);
	with_members.since = bea.since;
	say(f, room_id, ANN, "secret");
	become(f, room_id, ANN, BEA, "leave");
	answer = client_sync(f, &bea);
	assert_events(room_of(answer, "leave", room_id), "timeline", "m.room.member/" BEA);
	assert_events(room_of(answer, "leave", room_id), "state", "");
	other = client_sync(f, &with_members);
	assert_events(room_of(other, "leave", room_id), "state", "");
}

static void knocking_is_shown_to_who_knocks(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;

	set_state(f, room_id, ANN, "m.room.join_rules", json_pack("{s:s}", "join_rule", "knock"));
	become(f, room_id, BEA, BEA, "knock");
	answer = first_sync(f, BEA);
	assert_events(room_of(answer, "knock", room_id), "knock_state",
		      "m.room.create,m.room.join_rules,m.room.member/" BEA);
}

/* ---- people one does not want to hear of */

static void who_is_ignored_is_not_heard_but_counts(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN };
	const char *room_id = make_room(f, ANN), *theirs = make_room(f, BEA);
	json_auto_t *answer = NULL;

	client_skip(f, &ann);
	keep_data(f, ANN, NULL, "m.ignored_user_list", "{\"ignored_users\":{\"" BEA "\":{}}}");
	become(f, room_id, BEA, BEA, "join");
	say(f, room_id, BEA, "hey");
	say(f, room_id, ANN, "quiet here");
	become(f, theirs, BEA, ANN, "invite");
	answer = client_sync(f, &ann);
	assert_joined(answer, room_id, "", "m.room.member/" BEA ",quiet here");
	assert_null(json_object_get(jobj(answer, "rooms"), "invite"));
}

/* ---- lazy members */

static void only_members_who_speak_are_told(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN, .filter = lazy };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = NULL, *answer = NULL, *again = NULL, *third = NULL;

	name_room(f, room_id, ANN, "Den");
	become(f, room_id, BEA, BEA, "join");
	become(f, room_id, CAL, CAL, "join");
	for (int i = 0; i < 10; i++)
		say(f, room_id, ANN, "x");
	first = client_sync(f, &ann);
	assert_joined(first, room_id,
		      "m.room.create,m.room.join_rules,m.room.name,m.room.member/" ANN,
		      "x,x,x,x,x,x,x,x,x,x");
	say(f, room_id, BEA, "hi");
	answer = client_sync(f, &ann);
	assert_joined(answer, room_id, "m.room.member/" BEA, "hi");
	say(f, room_id, BEA, "hi again");
	again = client_sync(f, &ann);
	assert_joined(again, room_id, "", "hi again");
	ann.filter = "{\"room\":{\"state\":{\"lazy_load_members\":true,"
		     "\"include_redundant_members\":true}}}";
	say(f, room_id, BEA, "and again");
	third = client_sync(f, &ann);
	assert_joined(third, room_id, "m.room.member/" BEA, "and again");
}

static void a_member_whose_answer_was_lost_is_told_again(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN, .filter = lazy };
	const char *room_id = make_room(f, ANN);
	json_auto_t *lost = NULL, *again = NULL;
	struct sync_token before;

	name_room(f, room_id, ANN, "Den");
	become(f, room_id, BEA, BEA, "join");
	for (int i = 0; i < 10; i++)
		say(f, room_id, ANN, "x");
	client_skip(f, &ann);
	before = ann.since;
	say(f, room_id, BEA, "hi");
	lost = client_sync(f, &ann);
	assert_joined(lost, room_id, "m.room.member/" BEA, "hi");
	ann.since = before;
	again = client_sync(f, &ann);
	assert_joined(again, room_id, "m.room.member/" BEA, "hi");
}

static void who_changed_in_a_gap_is_told_though_they_said_nothing(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN,
			      .filter = "{\"room\":{\"state\":{\"lazy_load_members\":true},"
					"\"timeline\":{\"limit\":1}}}" };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;

	name_room(f, room_id, ANN, "Den");
	become(f, room_id, BEA, BEA, "join");
	client_skip(f, &ann);
	become(f, room_id, BEA, BEA, "leave");
	become(f, room_id, CAL, CAL, "join");
	say(f, room_id, ANN, "well");
	answer = client_sync(f, &ann);
	assert_joined(answer, room_id, "m.room.member/" BEA ",m.room.member/" CAL, "well");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sync_test(a_newly_joined_room_is_shown_whole),
		sync_test(history_that_is_for_the_joined_begins_with_the_join),
		sync_test(a_room_ends_with_leaving_it),
		sync_test(rooms_that_were_left_are_shown_at_first_when_asked_for),
		sync_test(joining_and_leaving_between_two_syncs_is_one_room_left),
		sync_test(leaving_and_coming_back_between_two_syncs_goes_on),
		sync_test(an_invite_shows_what_the_room_is),
		sync_test(an_invite_that_is_declined_shows_nothing_of_the_room),
		sync_test(knocking_is_shown_to_who_knocks),
		sync_test(who_is_ignored_is_not_heard_but_counts),
		sync_test(only_members_who_speak_are_told),
		sync_test(a_member_whose_answer_was_lost_is_told_again),
		sync_test(who_changed_in_a_gap_is_told_though_they_said_nothing),
	};

	return cmocka_run_group_tests_name("sync/members", tests, NULL, NULL);
}

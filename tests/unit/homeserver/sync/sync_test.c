#include "homeserver/sync/sync.h"

#include "homeserver/ephemeral/typing.h"
#include "homeserver/ingest/turn.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/sync_fixture.h"

#define BIRTH "m.room.create,m.room.member/" ANN ",m.room.join_rules"

static const char *const lazy = "{\"room\":{\"state\":{\"lazy_load_members\":true}}}";

static void joined(const json_t *answer, const char *room_id, const char *state,
		   const char *timeline)
{
	json_t *room = room_of(answer, "join", room_id);

	assert_events(room, "state", state);
	assert_events(room, "timeline", timeline);
}

static bool limited(const json_t *answer, const char *kind, const char *room_id)
{
	return jbool(jobj(room_of(answer, kind, room_id), "timeline"), "limited", false);
}

static void says_nothing(const json_t *answer)
{
	assert_null(json_object_get(answer, "rooms"));
	assert_null(json_object_get(answer, "account_data"));
	assert_non_null(jstr(answer, "next_batch"));
	assert_int_equal(json_object_size(jobj(answer, "device_one_time_keys_count")), 0);
	assert_int_equal(json_array_size(jarr(answer, "device_unused_fallback_key_types")), 0);
}

/* ---- the beginning */

static void a_first_sync_shows_rooms_from_their_beginning(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;

	say(f, room_id, ANN, "hello");
	answer = first_sync(f, ANN);
	joined(answer, room_id, "", BIRTH ",hello");
	assert_false(limited(answer, "join", room_id));
}

static void a_first_sync_of_nobody_in_particular_is_empty(void **state)
{
	struct hs_fixture *f = *state;
	json_auto_t *answer = NULL;

	make_room(f, ANN);
	answer = first_sync(f, BEA);
	says_nothing(answer);
}

static void what_is_before_the_limit_is_state(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN, .filter = "{\"room\":{\"timeline\":{\"limit\":2}}}" };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;

	say(f, room_id, ANN, "one");
	name_room(f, room_id, ANN, "Den");
	say(f, room_id, ANN, "two");
	answer = client_sync(f, &ann);
	joined(answer, room_id, "m.room.create,m.room.join_rules,m.room.member/" ANN,
	       "m.room.name,two");
	assert_true(limited(answer, "join", room_id));
}

static void with_state_after_all_of_the_state_is_there(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN, .state = SYNC_STATE_AFTER };
	struct client old_name = { .user = ANN, .state = SYNC_STATE_AFTER_UNSTABLE };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = client_sync(f, &ann), *other = client_sync(f, &old_name);

	assert_null(json_object_get(room_of(answer, "join", room_id), "state"));
	assert_events(room_of(answer, "join", room_id), "state_after",
		      "m.room.create,m.room.join_rules,m.room.member/" ANN);
	assert_events(room_of(other, "join", room_id), "org.matrix.msc4222.state_after",
		      "m.room.create,m.room.join_rules,m.room.member/" ANN);
	assert_null(json_object_get(room_of(other, "join", room_id), "state_after"));
}

/* ---- going on */

static void nothing_new_says_nothing(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN };
	json_auto_t *first = NULL, *second = NULL;

	make_room(f, ANN);
	first = client_sync(f, &ann);
	second = client_sync(f, &ann);
	says_nothing(second);
	assert_false(ann.news);
}

static void only_what_is_new_is_shown(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN };
	const char *quiet = make_room(f, ANN), *room_id = make_room(f, ANN);
	json_auto_t *first = client_sync(f, &ann), *answer = NULL;

	say(f, room_id, ANN, "news");
	answer = client_sync(f, &ann);
	assert_true(ann.news);
	joined(answer, room_id, "", "news");
	assert_false(limited(answer, "join", room_id));
	assert_null(room_of(answer, "join", quiet));
	assert_null(json_object_get(room_of(answer, "join", room_id), "summary"));
}

static void a_gap_leaves_out_messages_and_tells_state(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN, .filter = "{\"room\":{\"timeline\":{\"limit\":2}}}" };
	struct client after = ann;
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = client_sync(f, &ann), *answer = NULL, *other = NULL;

	after.since = ann.since;
	after.state = SYNC_STATE_AFTER;
	name_room(f, room_id, ANN, "first");
	name_room(f, room_id, ANN, "second");
	become(f, room_id, BEA, BEA, "join");
	say(f, room_id, ANN, "one");
	name_room(f, room_id, ANN, "third");
	answer = client_sync(f, &ann);
	joined(answer, room_id, "m.room.name,m.room.member/" BEA, "one,m.room.name");
	assert_true(limited(answer, "join", room_id));
	other = client_sync(f, &after);
	assert_events(room_of(other, "join", room_id), "state_after",
		      "m.room.name,m.room.member/" BEA);
	assert_string_equal(
		jstr(jobj(json_array_get(events_of(room_of(other, "join", room_id), "state_after"),
					 0),
			  "content"),
		     "name"),
		"third");
}

static void full_state_is_all_of_it_again(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = client_sync(f, &ann), *answer = NULL;

	ann.full_state = true;
	answer = client_sync(f, &ann);
	joined(answer, room_id, "m.room.create,m.room.join_rules,m.room.member/" ANN, "");
}

static void state_that_the_timeline_leaves_out_is_told_apart(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = {
		.user = ANN, .filter = "{\"room\":{\"timeline\":{\"types\":[\"m.room.message\"]}}}"
	};
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = client_sync(f, &ann), *answer = NULL;

	say(f, room_id, ANN, "one");
	name_room(f, room_id, ANN, "Den");
	say(f, room_id, ANN, "two");
	answer = client_sync(f, &ann);
	joined(answer, room_id, "m.room.name", "one,two");
}

static void rooms_types_and_senders_are_filtered(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN };
	const char *wanted = make_room(f, ANN), *other = make_room(f, ANN);
	mx_autofree char *filter = mx_strf("{\"room\":{\"rooms\":[\"%s\"],\"timeline\":"
					   "{\"not_senders\":[\"%s\"],\"not_types\":[\"m.*e*\"]},"
					   "\"state\":{\"types\":[\"m.room.name\"]}}}",
					   wanted, BEA);
	json_auto_t *first = client_sync(f, &ann), *answer = NULL;

	ann.filter = filter;
	become(f, wanted, BEA, BEA, "join");
	send_event(f, wanted, BEA, "x", NULL, json_object());
	send_event(f, wanted, ANN, "y", NULL, json_object());
	say(f, wanted, ANN, "left out");
	say(f, other, ANN, "elsewhere");
	answer = client_sync(f, &ann);
	joined(answer, wanted, "", "y");
	assert_null(room_of(answer, "join", other));
}

/* ---- coming and going */

static void a_newly_joined_room_is_shown_whole(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA, .filter = "{\"room\":{\"timeline\":{\"limit\":2}}}" };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = NULL, *answer = NULL;

	say(f, room_id, ANN, "before");
	first = client_sync(f, &bea);
	become(f, room_id, BEA, BEA, "join");
	answer = client_sync(f, &bea);
	joined(answer, room_id, "m.room.create,m.room.join_rules,m.room.member/" ANN,
	       "before,m.room.member/" BEA);
	assert_true(limited(answer, "join", room_id));
}

static void history_that_is_for_the_joined_begins_with_the_join(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA };
	const char *room_id = plan_room(
		f, &(struct room_plan){ .maker = ANN, .visibility = "joined" });
	json_auto_t *first = client_sync(f, &bea), *answer = NULL;

	say(f, room_id, ANN, "before");
	become(f, room_id, BEA, BEA, "join");
	say(f, room_id, ANN, "after");
	answer = client_sync(f, &bea);
	joined(answer, room_id,
	       "m.room.create,m.room.join_rules,m.room.history_visibility,m.room.member/" ANN,
	       "m.room.member/" BEA ",after");
}

static void a_room_ends_with_leaving_it(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA }, after = { .user = BEA, .state = SYNC_STATE_AFTER };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = NULL, *answer = NULL, *other = NULL, *later = NULL;

	become(f, room_id, BEA, BEA, "join");
	first = client_sync(f, &bea);
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
	says_nothing(later);
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
	says_nothing(answer);
	left = client_sync(f, &with);
	assert_events(room_of(left, "leave", room_id), "timeline",
		      BIRTH ",m.room.member/" BEA ",m.room.member/" BEA);
}

static void joining_and_leaving_between_two_syncs_is_one_room_left(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = client_sync(f, &bea), *answer = NULL;

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
	json_auto_t *first = NULL, *answer = NULL;

	become(f, room_id, BEA, BEA, "join");
	first = client_sync(f, &bea);
	become(f, room_id, BEA, BEA, "leave");
	say(f, room_id, ANN, "not for her");
	name_room(f, room_id, ANN, "Den");
	become(f, room_id, BEA, BEA, "join");
	answer = client_sync(f, &bea);
	joined(answer, room_id, "m.room.name,m.room.member/" BEA, "m.room.member/" BEA);
	assert_true(limited(answer, "join", room_id));
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
	json_auto_t *first = client_sync(f, &bea), *answer = NULL, *later = NULL;
	json_t *event;
	size_t i;

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
	json_auto_t *first = NULL, *answer = NULL, *other = NULL;

	say(f, room_id, ANN, "secret");
	become(f, room_id, ANN, BEA, "invite");
	first = client_sync(f, &bea);
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

	send_event(f, room_id, ANN, "m.room.join_rules", "",
		   json_pack("{s:s}", "join_rule", "knock"));
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
	json_auto_t *first = client_sync(f, &ann), *answer = NULL;

	keep_data(f, ANN, NULL, "m.ignored_user_list", "{\"ignored_users\":{\"" BEA "\":{}}}");
	become(f, room_id, BEA, BEA, "join");
	say(f, room_id, BEA, "hey");
	say(f, room_id, ANN, "quiet here");
	become(f, theirs, BEA, ANN, "invite");
	answer = client_sync(f, &ann);
	joined(answer, room_id, "", "m.room.member/" BEA ",quiet here");
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
	joined(first, room_id, "m.room.create,m.room.join_rules,m.room.name,m.room.member/" ANN,
	       "x,x,x,x,x,x,x,x,x,x");
	say(f, room_id, BEA, "hi");
	answer = client_sync(f, &ann);
	joined(answer, room_id, "m.room.member/" BEA, "hi");
	say(f, room_id, BEA, "hi again");
	again = client_sync(f, &ann);
	joined(again, room_id, "", "hi again");
	ann.filter = "{\"room\":{\"state\":{\"lazy_load_members\":true,"
		     "\"include_redundant_members\":true}}}";
	say(f, room_id, BEA, "and again");
	third = client_sync(f, &ann);
	joined(third, room_id, "m.room.member/" BEA, "and again");
}

static void a_member_whose_answer_was_lost_is_told_again(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN, .filter = lazy };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = NULL, *lost = NULL, *again = NULL;
	struct sync_token before;

	name_room(f, room_id, ANN, "Den");
	become(f, room_id, BEA, BEA, "join");
	for (int i = 0; i < 10; i++)
		say(f, room_id, ANN, "x");
	first = client_sync(f, &ann);
	before = ann.since;
	say(f, room_id, BEA, "hi");
	lost = client_sync(f, &ann);
	joined(lost, room_id, "m.room.member/" BEA, "hi");
	ann.since = before;
	again = client_sync(f, &ann);
	joined(again, room_id, "m.room.member/" BEA, "hi");
}

static void who_changed_in_a_gap_is_told_though_they_said_nothing(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN,
			      .filter = "{\"room\":{\"state\":{\"lazy_load_members\":true},"
					"\"timeline\":{\"limit\":1}}}" };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = NULL, *answer = NULL;

	name_room(f, room_id, ANN, "Den");
	become(f, room_id, BEA, BEA, "join");
	first = client_sync(f, &ann);
	become(f, room_id, BEA, BEA, "leave");
	become(f, room_id, CAL, CAL, "join");
	say(f, room_id, ANN, "well");
	answer = client_sync(f, &ann);
	joined(answer, room_id, "m.room.member/" BEA ",m.room.member/" CAL, "well");
}

/* ---- the rest of a room */

static void a_room_without_a_name_has_heroes(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN, .filter = lazy };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = NULL, *answer = NULL, *named = NULL;
	json_t *summary;

	become(f, room_id, ANN, BEA, "invite");
	become(f, room_id, CAL, CAL, "join");
	first = client_sync(f, &ann);
	summary = jobj(room_of(first, "join", room_id), "summary");
	assert_int_equal(jint(summary, "m.joined_member_count", 0), 2);
	assert_int_equal(jint(summary, "m.invited_member_count", 0), 1);
	assert_int_equal(json_array_size(jarr(summary, "m.heroes")), 2);
	assert_string_equal(json_string_value(json_array_get(jarr(summary, "m.heroes"), 0)), BEA);
	name_room(f, room_id, ANN, "Den");
	answer = client_sync(f, &ann);
	assert_null(json_object_get(room_of(answer, "join", room_id), "summary"));
	become(f, room_id, CAL, CAL, "leave");
	named = client_sync(f, &ann);
	summary = jobj(room_of(named, "join", room_id), "summary");
	assert_int_equal(jint(summary, "m.joined_member_count", 0), 1);
	assert_null(json_object_get(summary, "m.heroes"));
}

static void account_data_is_told_when_it_changed(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = client_sync(f, &ann), *answer = NULL, *later = NULL;

	keep_data(f, ANN, NULL, "org.global", "{\"a\":1}");
	keep_data(f, ANN, room_id, "m.tag", "{\"tags\":{}}");
	keep_data(f, BEA, NULL, "org.other", "{}");
	answer = client_sync(f, &ann);
	assert_true(ann.news);
	assert_events(answer, "account_data", "org.global");
	assert_events(room_of(answer, "join", room_id), "account_data", "m.tag");
	assert_events(room_of(answer, "join", room_id), "timeline", "");
	later = client_sync(f, &ann);
	says_nothing(later);
}

static void who_types_is_told(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = NULL, *answer = NULL, *stopped = NULL, *later = NULL;
	uint32_t room;

	become(f, room_id, BEA, BEA, "join");
	first = client_sync(f, &ann);
	assert_int_equal(room_db_find(&f->call, mx_slice(room_id), &room), 0);
	typing_set(f->hs.typing, room, mx_slice(BEA), 10000);
	answer = client_sync(f, &ann);
	assert_true(ann.news);
	assert_events(room_of(answer, "join", room_id), "ephemeral", "m.typing");
	typing_set(f->hs.typing, room, mx_slice(BEA), 0);
	stopped = client_sync(f, &ann);
	assert_events(room_of(stopped, "join", room_id), "ephemeral", "m.typing");
	later = client_sync(f, &ann);
	says_nothing(later);
}

static void fields_that_are_not_wanted_are_left_out(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN, .filter = "{\"event_fields\":[\"content.body\"]}" };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;
	json_t *events, *last;

	say(f, room_id, ANN, "hello");
	answer = client_sync(f, &ann);
	events = events_of(room_of(answer, "join", room_id), "timeline");
	last = json_array_get(events, json_array_size(events) - 1);
	assert_int_equal(json_object_size(last), 1);
	assert_string_equal(jstr(jobj(last, "content"), "body"), "hello");
}

static void a_long_timeline_that_is_not_wanted_is_not_read_to_its_end(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN,
			      .filter = "{\"room\":{\"timeline\":{\"types\":[\"never\"]}}}" };
	const char *room_id = make_room(f, ANN);
	json_auto_t *first = client_sync(f, &ann), *answer = NULL;
	json_auto_t *content = json_pack("{s:s}", "body", "x");
	const struct event_wish wish = { .sender = ANN,
					 .type = "m.room.message",
					 .content = content };
	const struct event *event;
	struct room_turn *turn;

	assert_int_equal(turn_begin(&f->call, room_id, &turn, NULL), 0);
	for (int i = 0; i < SYNC_SCAN_MAX + 1; i++)
		assert_int_equal(turn_send(turn, &wish, &event, NULL), 0);
	assert_int_equal(turn_commit(turn, NULL), 0);
	answer = client_sync(f, &ann);
	joined(answer, room_id, "", "");
	assert_true(limited(answer, "join", room_id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sync_test(a_first_sync_shows_rooms_from_their_beginning),
		sync_test(a_first_sync_of_nobody_in_particular_is_empty),
		sync_test(what_is_before_the_limit_is_state),
		sync_test(with_state_after_all_of_the_state_is_there),
		sync_test(nothing_new_says_nothing),
		sync_test(only_what_is_new_is_shown),
		sync_test(a_gap_leaves_out_messages_and_tells_state),
		sync_test(full_state_is_all_of_it_again),
		sync_test(state_that_the_timeline_leaves_out_is_told_apart),
		sync_test(rooms_types_and_senders_are_filtered),
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
		sync_test(a_room_without_a_name_has_heroes),
		sync_test(account_data_is_told_when_it_changed),
		sync_test(who_types_is_told),
		sync_test(fields_that_are_not_wanted_are_left_out),
		sync_test(a_long_timeline_that_is_not_wanted_is_not_read_to_its_end),
	};

	return cmocka_run_group_tests_name("sync/sync", tests, NULL, NULL);
}

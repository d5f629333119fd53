#include "homeserver/sync/sync.h"

#include "homeserver/ephemeral/typing.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/push/default_rules.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/sync_fixture.h"

#define BIRTH "m.room.create,m.room.member/" ANN ",m.room.join_rules"

static const char *const lazy = "{\"room\":{\"state\":{\"lazy_load_members\":true}}}";

/* ---- the beginning */

static void a_first_sync_shows_rooms_from_their_beginning(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;

	say(f, room_id, ANN, "hello");
	answer = first_sync(f, ANN);
	assert_joined(answer, room_id, "", BIRTH ",hello");
	assert_false(is_limited(answer, "join", room_id));
}

static void a_first_sync_of_nobody_in_particular_has_the_default_rules_only(void **state)
{
	struct hs_fixture *f = *state;
	struct client bea = { .user = BEA };
	json_auto_t *answer = NULL, *rules = NULL;
	json_t *told;

	make_room(f, ANN);
	answer = client_sync(f, &bea);
	told = json_array_get(jarr(jobj(answer, "account_data"), "events"), 0);
	rules = default_rules_new(BEA);
	assert_string_equal(jstr(told, "type"), "m.push_rules");
	assert_true(json_equal(jobj(jobj(told, "content"), "global"), rules));
	assert_int_equal(json_array_size(jarr(jobj(answer, "account_data"), "events")), 1);
	assert_null(json_object_get(answer, "rooms"));
	json_decref(answer);
	answer = client_sync(f, &bea);
	assert_says_nothing(answer);
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
	assert_joined(answer, room_id, "m.room.create,m.room.join_rules,m.room.member/" ANN,
		      "m.room.name,two");
	assert_true(is_limited(answer, "join", room_id));
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
	json_auto_t *second = NULL;

	make_room(f, ANN);
	client_skip(f, &ann);
	second = client_sync(f, &ann);
	assert_says_nothing(second);
	assert_false(ann.news);
}

static void only_what_is_new_is_shown(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN };
	const char *quiet = make_room(f, ANN), *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;

	client_skip(f, &ann);
	say(f, room_id, ANN, "news");
	answer = client_sync(f, &ann);
	assert_true(ann.news);
	assert_joined(answer, room_id, "", "news");
	assert_false(is_limited(answer, "join", room_id));
	assert_null(room_of(answer, "join", quiet));
	assert_null(json_object_get(room_of(answer, "join", room_id), "summary"));
}

static void a_gap_leaves_out_messages_and_tells_state(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN, .filter = "{\"room\":{\"timeline\":{\"limit\":2}}}" };
	struct client after = ann;
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL, *other = NULL;

	client_skip(f, &ann);
	after.since = ann.since;
	after.state = SYNC_STATE_AFTER;
	name_room(f, room_id, ANN, "first");
	name_room(f, room_id, ANN, "second");
	become(f, room_id, BEA, BEA, "join");
	say(f, room_id, ANN, "one");
	name_room(f, room_id, ANN, "third");
	answer = client_sync(f, &ann);
	assert_joined(answer, room_id, "m.room.name,m.room.member/" BEA, "one,m.room.name");
	assert_true(is_limited(answer, "join", room_id));
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
	json_auto_t *answer = NULL;

	client_skip(f, &ann);
	ann.full_state = true;
	answer = client_sync(f, &ann);
	assert_joined(answer, room_id, "m.room.create,m.room.join_rules,m.room.member/" ANN, "");
}

static void state_that_the_timeline_leaves_out_is_told_apart(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = {
		.user = ANN, .filter = "{\"room\":{\"timeline\":{\"types\":[\"m.room.message\"]}}}"
	};
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL;

	client_skip(f, &ann);
	say(f, room_id, ANN, "one");
	name_room(f, room_id, ANN, "Den");
	say(f, room_id, ANN, "two");
	answer = client_sync(f, &ann);
	assert_joined(answer, room_id, "m.room.name", "one,two");
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
	json_auto_t *answer = NULL;

	client_skip(f, &ann);
	ann.filter = filter;
	become(f, wanted, BEA, BEA, "join");
	send_event(f, wanted, BEA, "x", json_object());
	send_event(f, wanted, ANN, "y", json_object());
	say(f, wanted, ANN, "left out");
	say(f, other, ANN, "elsewhere");
	answer = client_sync(f, &ann);
	assert_joined(answer, wanted, "", "y");
	assert_null(room_of(answer, "join", other));
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
	json_auto_t *answer = NULL, *later = NULL;

	client_skip(f, &ann);
	keep_data(f, ANN, NULL, "org.global", "{\"a\":1}");
	keep_data(f, ANN, room_id, "m.tag", "{\"tags\":{}}");
	keep_data(f, BEA, NULL, "org.other", "{}");
	answer = client_sync(f, &ann);
	assert_true(ann.news);
	assert_events(answer, "account_data", "org.global");
	assert_events(room_of(answer, "join", room_id), "account_data", "m.tag");
	assert_events(room_of(answer, "join", room_id), "timeline", "");
	later = client_sync(f, &ann);
	assert_says_nothing(later);
}

static void who_types_is_told(void **state)
{
	struct hs_fixture *f = *state;
	struct client ann = { .user = ANN };
	const char *room_id = make_room(f, ANN);
	json_auto_t *answer = NULL, *stopped = NULL, *later = NULL;
	uint32_t room;

	become(f, room_id, BEA, BEA, "join");
	client_skip(f, &ann);
	assert_int_equal(room_db_find(&f->call, mx_slice(room_id), &room), 0);
	typing_set(f->hs.typing, room, mx_slice(BEA), 10000);
	answer = client_sync(f, &ann);
	assert_true(ann.news);
	assert_events(room_of(answer, "join", room_id), "ephemeral", "m.typing");
	typing_set(f->hs.typing, room, mx_slice(BEA), 0);
	stopped = client_sync(f, &ann);
	assert_events(room_of(stopped, "join", room_id), "ephemeral", "m.typing");
	later = client_sync(f, &ann);
	assert_says_nothing(later);
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
	json_auto_t *answer = NULL;
	json_auto_t *content = json_pack("{s:s}", "body", "x");
	const struct event_wish wish = { .sender = ANN,
					 .type = "m.room.message",
					 .content = content };
	const struct event *event;
	struct room_turn *turn;

	client_skip(f, &ann);
	assert_int_equal(turn_begin(&f->call, room_id, &turn, NULL), 0);
	for (int i = 0; i < SYNC_SCAN_MAX + 1; i++)
		assert_int_equal(turn_send(turn, &wish, &event, NULL), 0);
	assert_int_equal(turn_commit(turn, NULL), 0);
	answer = client_sync(f, &ann);
	assert_joined(answer, room_id, "", "");
	assert_true(is_limited(answer, "join", room_id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sync_test(a_first_sync_shows_rooms_from_their_beginning),
		sync_test(a_first_sync_of_nobody_in_particular_has_the_default_rules_only),
		sync_test(what_is_before_the_limit_is_state),
		sync_test(with_state_after_all_of_the_state_is_there),
		sync_test(nothing_new_says_nothing),
		sync_test(only_what_is_new_is_shown),
		sync_test(a_gap_leaves_out_messages_and_tells_state),
		sync_test(full_state_is_all_of_it_again),
		sync_test(state_that_the_timeline_leaves_out_is_told_apart),
		sync_test(rooms_types_and_senders_are_filtered),
		sync_test(a_room_without_a_name_has_heroes),
		sync_test(account_data_is_told_when_it_changed),
		sync_test(who_types_is_told),
		sync_test(fields_that_are_not_wanted_are_left_out),
		sync_test(a_long_timeline_that_is_not_wanted_is_not_read_to_its_end),
	};

	return cmocka_run_group_tests_name("sync/sync", tests, NULL, NULL);
}

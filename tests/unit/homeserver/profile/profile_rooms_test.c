#include "homeserver/profile/profile_rooms.h"

#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/profile/profile.h"
#include "homeserver/profile/profile_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/hs_fixture.h"

#define ANN    "@ann:here.example"
#define AVATAR "mxc://here.example/abc"

/* ---- rooms, and who is called how in them */

static const char *room_of(struct hs_fixture *f, json_t *member)
{
	json_auto_t *create = json_object();
	const struct room_birth birth = {
		.version = room_version_find(MX_SLICE(ROOM_VERSION_DEFAULT)),
		.create = { .sender = ANN,
			    .type = TYPE_CREATE,
			    .state_key = "",
			    .content = create },
	};
	struct room_turn *turn;
	const char *room_id;

	assert_int_equal(turn_create(&f->call, &birth, &turn, NULL), 0);
	assert_int_equal(hs_fixture_send(turn, ANN, TYPE_MEMBER, ANN, member), 0);
	room_id = mx_arena_slice(f->call.mem, turn_head(turn)->id).ptr;
	assert_int_equal(turn_commit(turn, NULL), 0);
	return room_id;
}

static void send_member(struct hs_fixture *f, const char *room_id, json_t *content)
{
	struct room_turn *turn;

	assert_int_equal(turn_begin(&f->call, room_id, &turn, NULL), 0);
	assert_int_equal(hs_fixture_send(turn, ANN, TYPE_MEMBER, ANN, content), 0);
	assert_int_equal(turn_commit(turn, NULL), 0);
}

static void set(struct hs_fixture *f, const char *key, const char *text)
{
	json_auto_t *value = text ? json_string(text) : NULL;

	hs_fixture_write(f);
	assert_int_equal(profile_set(&f->call, ANN, key, value, NULL), 0);
	hs_fixture_write(f);
}

static void tell(struct hs_fixture *f)
{
	static const _Atomic bool goes_on;
	struct profile_change_list list;

	assert_int_equal(profile_rooms_tell(&f->hs, &goes_on), 0);
	hs_fixture_read(f);
	assert_int_equal(profile_change_db_list(&f->call, 10, &list), 0);
	assert_int_equal(list.len, 0);
}

/* The membership is this; the number of the room's newest event. */
static int64_t assert_member(struct hs_fixture *f, const char *room_id, const char *expected)
{
	json_auto_t *wanted = json_loads(expected, 0, NULL), *content = NULL;
	struct room_turn *turn;
	const struct event *event;
	int64_t rseq;

	assert_int_equal(turn_begin(&f->call, room_id, &turn, NULL), 0);
	event = turn_state(turn, TYPE_MEMBER, ANN);
	assert_non_null(event);
	assert_int_equal(mx_json_parse(mx_json_raw(&event->doc, event->content),
				       &mx_json_default_limits, f->call.mem, &content, NULL),
			 0);
	assert_true(json_equal(content, wanted));
	rseq = turn_head(turn)->last_rseq;
	turn_abort(turn);
	return rseq;
}

static json_t *joined(void)
{
	return json_pack("{s:s}", "membership", "join");
}

/* ---- */

static void all_rooms_are_told_of_a_new_name(void **state)
{
	struct hs_fixture *f = *state;
	const char *one = room_of(f, joined()), *two = room_of(f, joined());

	set(f, "displayname", "Ann");
	set(f, "avatar_url", AVATAR);
	tell(f);
	assert_member(f, one,
		      "{\"membership\":\"join\",\"displayname\":\"Ann\",\"avatar_url\":\"" AVATAR
		      "\"}");
	assert_member(f, two,
		      "{\"membership\":\"join\",\"displayname\":\"Ann\",\"avatar_url\":\"" AVATAR
		      "\"}");
	set(f, "avatar_url", NULL);
	tell(f);
	assert_member(f, one, "{\"membership\":\"join\",\"displayname\":\"Ann\"}");
}

static void a_room_that_knows_is_left_alone(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = room_of(
		f, json_pack("{s:s, s:s}", "membership", "join", "displayname", "Ann"));
	const char *content = "{\"membership\":\"join\",\"displayname\":\"Ann\"}";
	int64_t before = assert_member(f, room_id, content);

	set(f, "displayname", "Ann");
	tell(f);
	assert_int_equal(assert_member(f, room_id, content), before);
}

static void only_what_belongs_to_the_profile_changes(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = room_of(f, joined());

	send_member(f, room_id,
		    json_pack("{s:s, s:s, s:s}", "membership", "join", "org.example.x", "kept",
			      "reason", "not said again"));
	set(f, "displayname", "Ann");
	tell(f);
	assert_member(
		f, room_id,
		"{\"membership\":\"join\",\"displayname\":\"Ann\",\"org.example.x\":\"kept\"}");
}

static void who_has_left_stays_away(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = room_of(f, joined());

	send_member(f, room_id, json_pack("{s:s}", "membership", "leave"));
	set(f, "displayname", "Ann");
	tell(f);
	assert_member(f, room_id, "{\"membership\":\"leave\"}");
}

static void what_is_stopped_is_still_to_be_done(void **state)
{
	static const _Atomic bool stopping = true;
	struct hs_fixture *f = *state;
	const char *room_id = room_of(f, joined());

	set(f, "displayname", "Ann");
	assert_int_equal(profile_rooms_tell(&f->hs, &stopping), 0);
	assert_member(f, room_id, "{\"membership\":\"join\"}");
	tell(f);
	assert_member(f, room_id, "{\"membership\":\"join\",\"displayname\":\"Ann\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(all_rooms_are_told_of_a_new_name),
		hs_test(a_room_that_knows_is_left_alone),
		hs_test(only_what_belongs_to_the_profile_changes),
		hs_test(who_has_left_stays_away),
		hs_test(what_is_stopped_is_still_to_be_done),
	};

	return cmocka_run_group_tests_name("profile/profile_rooms", tests, NULL, NULL);
}

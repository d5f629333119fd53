/* wrap: stream_tick stream_wake_sharers */
#include "homeserver/ephemeral/presence.h"

#include "homeserver/ephemeral/presence_table.h"
#include "homeserver/room/room_db.h"
#include "homeserver/stream/stream.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/hs_fixture.h"

#include <stdatomic.h>

#define ANN "@ann:here.example"
#define BOB "@bob:here.example"
#define EVE "@eve:here.example"

static _Atomic uint64_t tick;
static _Atomic int wakes;

uint64_t __wrap_stream_tick(struct stream *stream);
uint64_t __wrap_stream_tick(struct stream *stream)
{
	(void)stream;
	return ++tick;
}

void __wrap_stream_wake_sharers(struct stream *stream, struct mx_slice user);
void __wrap_stream_wake_sharers(struct stream *stream, struct mx_slice user)
{
	(void)stream;
	assert_true(mx_slice_is(user, BOB));
	wakes++;
}

static void is_in(struct hs_fixture *f, const char *user_id, uint32_t room,
		  enum membership membership)
{
	const struct user_room row = { .room = room, .membership = membership };

	user_room_db_put(f->call.txn, mx_slice(user_id), &row);
}

/* Ann and Bob share room 7; Eve was there once, and is in another one. */
static int setup(void **state)
{
	struct hs_fixture *f;

	hs_fixture_setup(state);
	f = *state;
	tick = 100;
	wakes = 0;
	is_in(f, ANN, 5, MEMBERSHIP_JOIN);
	is_in(f, ANN, 7, MEMBERSHIP_JOIN);
	is_in(f, BOB, 7, MEMBERSHIP_JOIN);
	is_in(f, BOB, 9, MEMBERSHIP_LEAVE);
	is_in(f, EVE, 7, MEMBERSHIP_LEAVE);
	is_in(f, EVE, 9, MEMBERSHIP_JOIN);
	hs_fixture_read(f);
	f->hs.presence = presence_start(&f->hs);
	return 0;
}

static int teardown(void **state)
{
	struct hs_fixture *f = *state;

	presence_stop(f->hs.presence);
	return hs_fixture_teardown(state);
}

static void assert_events(struct hs_fixture *f, const char *viewer, uint64_t after,
			  const char *expected)
{
	const struct presence_ask ask = { .viewer = viewer, .after = after };
	struct presence_events events;
	mx_str_auto text = { 0 };

	assert_int_equal(presence_events(&f->call, &ask, &events), 0);
	for (size_t i = 0; i < events.len; i++)
		mx_str_add_slice(&text, events.items[i]);
	assert_string_equal(text.ptr ? text.ptr : "", expected);
}

#define BOB_IS_HERE                                                                   \
	"{\"content\":{\"presence\":\"online\",\"currently_active\":true,"            \
	"\"last_active_ago\":0,\"status_msg\":\"in \\\"town\\\"\"},\"sender\":\"" BOB \
	"\",\"type\":\"m.presence\"}"

static void a_change_is_shown_to_who_shares_a_room(void **state)
{
	struct hs_fixture *f = *state;

	presence_set(&f->call, BOB, PRESENCE_ONLINE, "in \"town\"");
	assert_int_equal(wakes, 1);
	assert_events(f, ANN, 100, BOB_IS_HERE);
	assert_events(f, BOB, 100, BOB_IS_HERE);
	assert_events(f, EVE, 100, "");
	assert_events(f, ANN, 0, BOB_IS_HERE);
	assert_events(f, ANN, tick, "");
}

static void a_first_sync_shows_who_is_there(void **state)
{
	struct hs_fixture *f = *state;

	presence_set(&f->call, BOB, PRESENCE_ONLINE, NULL);
	presence_set(&f->call, BOB, PRESENCE_OFFLINE, NULL);
	assert_events(f, ANN, 0, "");
	assert_events(
		f, ANN, 100,
		"{\"content\":{\"presence\":\"offline\",\"last_active_ago\":0},\"sender\":\"" BOB
		"\",\"type\":\"m.presence\"}");
}

static void who_shares_no_room_is_told_nothing(void **state)
{
	struct hs_fixture *f = *state;
	struct presence_status status;

	presence_set(&f->call, BOB, PRESENCE_UNAVAILABLE, NULL);
	assert_int_equal(presence_load(&f->call, EVE, BOB, &status), -MX_FORBIDDEN);
	assert_int_equal(presence_load(&f->call, ANN, "@zoe:here.example", &status), -MX_FORBIDDEN);
	assert_int_equal(presence_load(&f->call, ANN, BOB, &status), 0);
	assert_int_equal(status.state, PRESENCE_UNAVAILABLE);
	assert_int_equal(presence_load(&f->call, BOB, ANN, &status), 0);
	assert_int_equal(status.state, PRESENCE_OFFLINE);
	assert_int_equal(status.last_active_ago, -1);
}

static void what_ends_wakes_others(void **state)
{
	struct hs_fixture *f = *state;

	presence_syncing(&f->call, BOB, PRESENCE_ONLINE, 1000);
	assert_int_equal(wakes, 1);
	hs_fixture_at(f, HS_FIXTURE_NOW + 1000 + PRESENCE_GRACE_MS);
	presence_run(f->hs.presence, HS_FIXTURE_NOW + 1000 + PRESENCE_GRACE_MS);
	assert_int_equal(wakes, 2);
	assert_events(f, ANN, 0, "");
}

static void an_invisible_sync_changes_nothing(void **state)
{
	struct hs_fixture *f = *state;

	presence_syncing(&f->call, BOB, PRESENCE_OFFLINE, 1000);
	assert_int_equal(wakes, 0);
	assert_events(f, ANN, 100, "");
}

static void presence_that_is_off_is_offline(void **state)
{
	struct hs_fixture *f = *state;
	struct presence_status status;
	bool enabled = false;

	f->conf.presence.enabled = &enabled;
	presence_set(&f->call, BOB, PRESENCE_ONLINE, "here");
	presence_active(&f->call, BOB);
	presence_syncing(&f->call, BOB, PRESENCE_ONLINE, 1000);
	assert_int_equal(wakes, 0);
	assert_events(f, ANN, 0, "");
	assert_int_equal(presence_load(&f->call, ANN, BOB, &status), 0);
	assert_int_equal(status.state, PRESENCE_OFFLINE);
	assert_null(status.status);
}

#define presence_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		presence_test(a_change_is_shown_to_who_shares_a_room),
		presence_test(a_first_sync_shows_who_is_there),
		presence_test(who_shares_no_room_is_told_nothing),
		presence_test(what_ends_wakes_others),
		presence_test(an_invisible_sync_changes_nothing),
		presence_test(presence_that_is_off_is_offline),
	};

	return cmocka_run_group_tests_name("profile/presence", tests, NULL, NULL);
}

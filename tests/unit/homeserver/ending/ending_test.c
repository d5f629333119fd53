#include "homeserver/ending/ending.h"

#include "homeserver/account/account.h"
#include "homeserver/account/erased.h"
#include "homeserver/creation/room_create.h"
#include "homeserver/ending/ending_db.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/member.h"
#include "homeserver/registration/register.h"
#include "homeserver/room/room_db.h"
#include "homeserver/userdata/filter_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "tests/support/hs_fixture.h"

#define ANN "@ann:" HS_FIXTURE_SERVER
#define BEA "@bea:" HS_FIXTURE_SERVER

/* ---- a room of ann's with bea in it */

static void make_account(struct hs_fixture *f, const char *user)
{
	const struct account account = { .user = user, .created_ms = HS_FIXTURE_NOW };

	hs_fixture_write(f);
	assert_int_equal(register_account(&f->call, &account, NULL), 0);
	hs_fixture_write(f);
}

static const char *make_room(struct hs_fixture *f)
{
	json_auto_t *body = json_pack("{s:s}", "preset", "public_chat");
	const struct room_wish wish = { ANN, HS_FIXTURE_SERVER, body };
	struct room_creation creation = { .creator = ANN };
	struct room_turn *turn;
	struct room_plan plan;
	const char *room_id;

	assert_int_equal(room_plan_make(&wish, &plan, NULL), 0);
	creation.plan = &plan;
	assert_int_equal(room_create(&f->call, &creation, &turn, NULL), 0);
	room_id = mx_arena_slice(f->call.mem, turn_head(turn)->id).ptr;
	assert_int_equal(turn_commit(turn, NULL), 0);
	room_plan_done(&plan);
	return room_id;
}

static void join(struct hs_fixture *f, const char *room_id)
{
	const struct member_change wanted = {
		.room_id = room_id, .sender = BEA, .target = BEA, .membership = MEMBERSHIP_JOIN
	};

	assert_int_equal(member_change_now(&f->call, &wanted, NULL), 0);
}

static enum membership membership(struct hs_fixture *f, const char *room_id)
{
	struct member_row row;
	uint32_t room;

	hs_fixture_read(f);
	assert_int_equal(room_db_find(&f->call, mx_slice(room_id), &room), 0);
	assert_int_equal(member_db_load(&f->call, room, MX_SLICE(BEA), &row), 0);
	return row.membership;
}

/* ---- ends */

static void begin(struct hs_fixture *f, bool erase)
{
	const struct ending ending = { .user = BEA, .erase = erase };

	hs_fixture_write(f);
	assert_int_equal(ending_begin(&f->call, &ending, NULL), 0);
	hs_fixture_read(f);
}

/* Bea's end begins in a room of ann's, which is returned. */
static const char *begin_in_room(struct hs_fixture *f)
{
	const char *room_id;

	make_account(f, BEA);
	room_id = make_room(f);
	join(f, room_id);
	begin(f, false);
	return room_id;
}

static void an_end_that_was_cut_short_goes_on_at_the_next_start(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = begin_in_room(f);

	assert_int_equal(membership(f, room_id), MEMBERSHIP_JOIN);
	/* Of this start: somebody is about it. */
	assert_int_equal(endings_finish(&f->hs, HS_FIXTURE_NOW + 1), 0);
	assert_int_equal(membership(f, room_id), MEMBERSHIP_JOIN);
	f->hs.started_ms = HS_FIXTURE_NOW + 1;
	assert_int_equal(endings_finish(&f->hs, HS_FIXTURE_NOW + 2), 1);
	assert_int_equal(membership(f, room_id), MEMBERSHIP_LEAVE);
	assert_int_equal(endings_finish(&f->hs, HS_FIXTURE_NOW + 3), 0);
}

static void an_end_that_nobody_finishes_is_finished_in_time(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = begin_in_room(f);

	assert_int_equal(endings_finish(&f->hs, HS_FIXTURE_NOW + MX_HOUR_MS), 1);
	assert_int_equal(membership(f, room_id), MEMBERSHIP_LEAVE);
}

static void what_ends_twice_keeps_what_is_to_be_done(void **state)
{
	struct hs_fixture *f = *state;
	struct threepid_binding binding = { { "email", "bea@example.org" }, "id.example" };
	const struct ending_row unfinished = { HS_FIXTURE_NOW - 5, { &binding, 1 } };
	struct ending_row row;

	make_account(f, BEA);
	ending_db_put(&f->call, BEA, &unfinished);
	begin(f, true);
	assert_int_equal(ending_db_get(&f->call, BEA, &row), 0);
	assert_int_equal(row.begun_ms, HS_FIXTURE_NOW - 5);
	assert_int_equal(row.bindings.len, 1);
}

/* ---- who is erased */

static void who_is_erased_is_known_at_once_and_after_a_start(void **state)
{
	struct hs_fixture *f = *state;

	make_account(f, ANN);
	make_account(f, BEA);
	assert_int_equal(erased_open(&f->hs, NULL), 0);
	begin(f, true);
	assert_int_equal(erased_since(&f->hs, MX_SLICE(BEA)), HS_FIXTURE_NOW);
	assert_int_equal(erased_since(&f->hs, MX_SLICE(ANN)), 0);
	erased_close(&f->hs);
	assert_int_equal(erased_since(&f->hs, MX_SLICE(BEA)), 0);
	assert_int_equal(erased_open(&f->hs, NULL), 0);
	assert_int_equal(erased_since(&f->hs, MX_SLICE(BEA)), HS_FIXTURE_NOW);
	erased_close(&f->hs);
}

static void the_first_wish_counts(void **state)
{
	struct hs_fixture *f = *state;

	make_account(f, BEA);
	assert_int_equal(erased_open(&f->hs, NULL), 0);
	begin(f, true);
	hs_fixture_at(f, HS_FIXTURE_NOW + 5000);
	begin(f, true);
	assert_int_equal(erased_since(&f->hs, MX_SLICE(BEA)), HS_FIXTURE_NOW);
	erased_close(&f->hs);
}

static void filters_go_with_who_is_erased(void **state)
{
	struct hs_fixture *f = *state;
	struct mx_slice json;

	make_account(f, BEA);
	filter_db_add(&f->call, BEA, "one", MX_SLICE("{}"), NULL);
	filter_db_add(&f->call, ANN, "one", MX_SLICE("{}"), NULL);
	begin(f, true);
	assert_int_equal(filter_db_load(&f->call, BEA, "one", &json), -MX_NOT_FOUND);
	assert_int_equal(filter_db_load(&f->call, ANN, "one", &json), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(an_end_that_was_cut_short_goes_on_at_the_next_start),
		hs_test(an_end_that_nobody_finishes_is_finished_in_time),
		hs_test(what_ends_twice_keeps_what_is_to_be_done),
		hs_test(who_is_erased_is_known_at_once_and_after_a_start),
		hs_test(the_first_wish_counts),
		hs_test(filters_go_with_who_is_erased),
	};
	return cmocka_run_group_tests_name("account/ending", tests, NULL, NULL);
}

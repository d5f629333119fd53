#include "homeserver/member/member.h"

#include "homeserver/creation/room_create.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/room/block_db.h"
#include "homeserver/room/room_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/hs_fixture.h"

#define ANN "@ann:here.example"
#define BEA "@bea:here.example"
#define CID "@cid:here.example"

/* The room that Ann asks for with this body; its id. */
static const char *make_room(struct hs_fixture *f, const char *text)
{
	json_auto_t *body = json_loads(text, 0, NULL);
	const struct room_wish wish = { ANN, HS_FIXTURE_SERVER, body };
	struct room_creation creation = { .creator = ANN };
	struct mx_error err = { 0 };
	struct room_turn *turn;
	struct room_plan plan;
	const char *room_id;

	assert_non_null(body);
	assert_int_equal(room_plan_make(&wish, &plan, &err), 0);
	creation.plan = &plan;
	assert_int_equal(room_create(&f->call, &creation, &turn, &err), 0);
	room_id = mx_arena_slice(f->call.mem, turn_head(turn)->id).ptr;
	assert_int_equal(turn_commit(turn, &err), 0);
	room_plan_done(&plan);
	return room_id;
}

static int change(struct hs_fixture *f, const char *room_id, const char *sender, const char *target,
		  enum membership membership)
{
	const struct member_change wanted = {
		.room_id = room_id,
		.sender = sender,
		.target = target,
		.membership = membership,
	};

	return member_change_now(&f->call, &wanted, NULL);
}

static int join(struct hs_fixture *f, const char *room_id, const char *user_id)
{
	return change(f, room_id, user_id, user_id, MEMBERSHIP_JOIN);
}

static enum membership now(struct hs_fixture *f, const char *room_id, const char *user_id)
{
	struct user_room row;
	uint32_t room;

	hs_fixture_read(f);
	assert_int_equal(room_db_find(&f->call, mx_slice(room_id), &room), 0);
	return user_room_db_load(&f->call, mx_slice(user_id), room, &row) ? MEMBERSHIP_NONE
									  : row.membership;
}

static void a_private_room_is_entered_by_invite(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_room(f, "{}");

	assert_int_equal(join(f, room_id, BEA), -MX_FORBIDDEN);
	assert_int_equal(change(f, room_id, ANN, BEA, MEMBERSHIP_INVITE), 0);
	assert_int_equal(join(f, room_id, BEA), 0);
	assert_int_equal(now(f, room_id, BEA), MEMBERSHIP_JOIN);
}

static void nobody_enters_a_blocked_room(void **state)
{
	struct hs_fixture *f = *state;
	struct room_block block = { .reason = "" };

	block.room_id = make_room(f, "{\"preset\": \"public_chat\"}");
	hs_fixture_write(f);
	block_db_put(&f->call, &block);
	hs_fixture_read(f);
	assert_int_equal(join(f, block.room_id, BEA), -MX_FORBIDDEN);
	assert_int_equal(change(f, block.room_id, ANN, BEA, MEMBERSHIP_INVITE), 0);
	assert_int_equal(join(f, block.room_id, BEA), -MX_FORBIDDEN);
}

static void others_cannot_be_reached_yet(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_room(f, "{}");

	assert_int_equal(change(f, room_id, ANN, "@far:there", MEMBERSHIP_INVITE),
			 -MX_REMOTE_FAILED);
	assert_int_equal(join(f, "!nowhere:there", BEA), -MX_NOT_FOUND);
	assert_int_equal(change(f, "!nowhere:there", ANN, BEA, MEMBERSHIP_INVITE), -MX_FORBIDDEN);
}

static void a_member_of_one_room_enters_the_other(void **state)
{
	struct hs_fixture *f = *state;
	const char *club = make_room(f, "{\"preset\": \"public_chat\"}");
	mx_str_auto body = { 0 };
	const char *room_id;

	mx_str_addf(&body,
		    "{\"initial_state\": [{\"type\": \"m.room.join_rules\", \"content\": "
		    "{\"join_rule\": \"restricted\", \"allow\": [{\"type\": "
		    "\"m.room_membership\", \"room_id\": \"%s\"}]}}]}",
		    club);
	room_id = make_room(f, body.ptr);
	assert_int_equal(join(f, room_id, BEA), -MX_FORBIDDEN);
	assert_int_equal(join(f, club, BEA), 0);
	assert_int_equal(join(f, room_id, BEA), 0);
	/* Ann has gone, but in a private room everybody may invite. */
	assert_int_equal(join(f, club, CID), 0);
	assert_int_equal(change(f, room_id, ANN, ANN, MEMBERSHIP_LEAVE), 0);
	assert_int_equal(join(f, room_id, CID), 0);
}

static void who_goes_for_good_leaves_every_room(void **state)
{
	struct hs_fixture *f = *state;
	const char *open = make_room(f, "{\"preset\": \"public_chat\"}");
	const char *invited = make_room(f, "{\"invite\": [\"" BEA "\"]}");
	const char *banned = make_room(f, "{\"preset\": \"public_chat\"}");

	assert_int_equal(join(f, open, BEA), 0);
	assert_int_equal(join(f, open, CID), 0);
	assert_int_equal(change(f, banned, ANN, BEA, MEMBERSHIP_BAN), 0);
	assert_true(member_leave_all(&f->hs, BEA));
	assert_int_equal(now(f, open, BEA), MEMBERSHIP_LEAVE);
	assert_int_equal(now(f, invited, BEA), MEMBERSHIP_LEAVE);
	assert_int_equal(now(f, banned, BEA), MEMBERSHIP_BAN);
	assert_int_equal(now(f, open, CID), MEMBERSHIP_JOIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_private_room_is_entered_by_invite),
		hs_test(nobody_enters_a_blocked_room),
		hs_test(others_cannot_be_reached_yet),
		hs_test(a_member_of_one_room_enters_the_other),
		hs_test(who_goes_for_good_leaves_every_room),
	};

	return cmocka_run_group_tests_name("member/member", tests, NULL, NULL);
}

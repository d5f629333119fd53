#include "homeserver/room/room_db.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/hs_fixture.h"

#define ROOM 7

static void put(struct hs_fixture *f, const char *user_id, enum membership membership)
{
	const struct member_row row = { user_id, membership, 5 };

	member_db_put(f->call.txn, ROOM, &row);
}

static void assert_list(struct hs_fixture *f, enum membership membership, const char *after,
			size_t limit, const char *expected)
{
	struct member_list list;
	mx_str_auto ids = { 0 };

	assert_int_equal(member_db_list(&f->call, ROOM, membership, mx_slice(after), limit, &list),
			 0);
	for (size_t i = 0; i < list.len; i++)
		mx_str_addf(&ids, "%s ", list.items[i].user_id);
	assert_true(mx_slice_is(mx_str_slice(&ids), expected));
}

static void somebody_is_what_they_became_last(void **state)
{
	struct hs_fixture *f = *state;
	struct member_row row;

	put(f, "@ann:x", MEMBERSHIP_INVITE);
	put(f, "@ann:x", MEMBERSHIP_JOIN);
	hs_fixture_read(f);
	assert_int_equal(member_db_load(&f->call, ROOM, MX_SLICE("@ann:x"), &row), 0);
	assert_string_equal(row.user_id, "@ann:x");
	assert_int_equal(row.membership, MEMBERSHIP_JOIN);
	assert_int_equal(row.event, 5);
}

static void who_never_was_a_member_is_not_found(void **state)
{
	struct hs_fixture *f = *state;
	struct member_row row;
	char long_id[2000];

	put(f, "@ann:x", MEMBERSHIP_JOIN);
	memset(long_id, '@', sizeof(long_id));
	assert_int_equal(member_db_load(&f->call, ROOM, MX_SLICE("@ann:"), &row), -MX_NOT_FOUND);
	assert_int_equal(member_db_load(&f->call, ROOM + 1, MX_SLICE("@ann:x"), &row),
			 -MX_NOT_FOUND);
	assert_int_equal(
		member_db_load(&f->call, ROOM, mx_slice_of(long_id, sizeof(long_id)), &row),
		-MX_NOT_FOUND);
}

static void an_id_that_no_user_has_breaks_nothing(void **state)
{
	struct hs_fixture *f = *state;
	char long_id[2000];

	memset(long_id, '@', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	put(f, long_id, MEMBERSHIP_INVITE);
	put(f, "@ann:x", MEMBERSHIP_JOIN);
	hs_fixture_read(f);
	assert_list(f, MEMBERSHIP_NONE, "", 10, "@ann:x ");
	assert_list(f, MEMBERSHIP_NONE, long_id, 10, "");
}

static void members_come_in_the_order_of_their_ids(void **state)
{
	struct hs_fixture *f = *state;

	put(f, "@cat:x", MEMBERSHIP_JOIN);
	put(f, "@ann:x", MEMBERSHIP_JOIN);
	put(f, "@bob:x", MEMBERSHIP_LEAVE);
	put(f, "@dan:x", MEMBERSHIP_JOIN);
	member_db_put(f->call.txn, ROOM + 1, &(struct member_row){ "@eve:x", MEMBERSHIP_JOIN, 1 });
	hs_fixture_read(f);
	assert_list(f, MEMBERSHIP_NONE, "", 10, "@ann:x @bob:x @cat:x @dan:x ");
	assert_list(f, MEMBERSHIP_JOIN, "", 10, "@ann:x @cat:x @dan:x ");
	assert_list(f, MEMBERSHIP_JOIN, "", 2, "@ann:x @cat:x ");
	assert_list(f, MEMBERSHIP_JOIN, "@ann:x", 10, "@cat:x @dan:x ");
	assert_list(f, MEMBERSHIP_JOIN, "@bob", 10, "@cat:x @dan:x ");
	assert_list(f, MEMBERSHIP_BAN, "", 10, "");
	assert_list(f, MEMBERSHIP_JOIN, "", 0, "");
}

static void a_crowd_is_read_to_its_end(void **state)
{
	struct hs_fixture *f = *state;
	struct member_list list;

	for (int i = 0; i < 2500; i++) {
		mx_autofree char *user_id = mx_strf("@u%04d:x", i);

		put(f, user_id, i % 2 ? MEMBERSHIP_JOIN : MEMBERSHIP_LEAVE);
	}
	hs_fixture_read(f);
	assert_int_equal(
		member_db_list(&f->call, ROOM, MEMBERSHIP_JOIN, MX_SLICE(""), SIZE_MAX, &list), 0);
	assert_int_equal(list.len, 1250);
	assert_string_equal(list.items[1249].user_id, "@u2499:x");
	assert_int_equal(member_db_list(&f->call, ROOM, MEMBERSHIP_NONE, MX_SLICE(""), 2000, &list),
			 0);
	assert_int_equal(list.len, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(somebody_is_what_they_became_last),
		hs_test(who_never_was_a_member_is_not_found),
		hs_test(an_id_that_no_user_has_breaks_nothing),
		hs_test(members_come_in_the_order_of_their_ids),
		hs_test(a_crowd_is_read_to_its_end),
	};
	return cmocka_run_group_tests_name("room/member_db", tests, NULL, NULL);
}

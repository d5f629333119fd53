#include "homeserver/room/room_db.h"
#include "shared/core/error.h"
#include "tests/support/hs_fixture.h"

static const struct user_room joined = {
	.room = 300, .membership = MEMBERSHIP_JOIN, .event = 4, .rseq = 5
};

static void a_row_is_read_as_it_was(void **state)
{
	struct hs_fixture *f = *state;
	struct user_room row = joined, found;

	row.forgotten = true;
	user_room_db_put(f->call.txn, MX_SLICE("@ann:x"), &row);
	hs_fixture_read(f);
	assert_int_equal(user_room_db_load(&f->call, MX_SLICE("@ann:x"), 300, &found), 0);
	assert_int_equal(found.room, 300);
	assert_int_equal(found.membership, MEMBERSHIP_JOIN);
	assert_true(found.forgotten);
	assert_int_equal(found.event, 4);
	assert_int_equal(found.rseq, 5);
	assert_int_equal(found.position, store_view_stamp(f->call.view));
}

static void nobody_has_the_rooms_of_others(void **state)
{
	struct hs_fixture *f = *state;
	struct user_room_list list;
	struct user_room row;
	char long_id[2000];

	memset(long_id, '@', sizeof(long_id));
	user_room_db_put(f->call.txn, MX_SLICE("@ann:x"), &joined);
	assert_int_equal(user_room_db_load(&f->call, MX_SLICE("@ann:"), 300, &row), -MX_NOT_FOUND);
	assert_int_equal(user_room_db_load(&f->call, MX_SLICE("@ann:x"), 3, &row), -MX_NOT_FOUND);
	assert_int_equal(
		user_room_db_load(&f->call, mx_slice_of(long_id, sizeof(long_id)), 300, &row),
		-MX_NOT_FOUND);
	assert_int_equal(user_room_db_list(&f->call, MX_SLICE("@ann:"), &list), 0);
	assert_int_equal(list.len, 0);
	assert_int_equal(user_room_db_list(&f->call, mx_slice_of(long_id, sizeof(long_id)), &list),
			 0);
	assert_int_equal(list.len, 0);
}

static void all_rooms_of_a_user_are_listed(void **state)
{
	struct hs_fixture *f = *state;
	struct user_room row = joined;
	struct user_room_list list;

	for (row.room = 1; row.room <= 1500; row.room++)
		user_room_db_put(f->call.txn, MX_SLICE("@ann:x"), &row);
	user_room_db_put(f->call.txn, MX_SLICE("@bob:x"), &row);
	hs_fixture_read(f);
	assert_int_equal(user_room_db_list(&f->call, MX_SLICE("@ann:x"), &list), 0);
	assert_int_equal(list.len, 1500);
	for (size_t i = 0; i < list.len; i++)
		assert_int_equal(list.items[i].room, i + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_row_is_read_as_it_was),
		hs_test(nobody_has_the_rooms_of_others),
		hs_test(all_rooms_of_a_user_are_listed),
	};
	return cmocka_run_group_tests_name("room/user_room_db", tests, NULL, NULL);
}

#include "homeserver/room/room_db.h"

#include "homeserver/event/room_version.h"
#include "shared/core/error.h"
#include "tests/support/hs_fixture.h"

#define ROOM 7
#define ID   "!cats:here.example"

static struct room_head head_of(const char *id)
{
	struct room_head head = {
		.version = room_version_find(MX_SLICE("11")),
		.id = mx_slice(id),
		.state = { 3, 4 },
		.extremities = { 8, 9 },
		.extremities_len = 2,
		.next_event = 10,
		.next_state = 11,
		.next_slot = 12,
		.next_member_slot = 13,
		.next_node = 14,
		.last_rseq = 15,
		.first_rseq = -16,
		.depth = INT64_MAX,
		.joined = 1,
		.invited = 2,
		.knocked = 3,
		.is_published = true,
	};

	return head;
}

static void assert_same_numbers(const struct room_head *a, const struct room_head *b)
{
	assert_int_equal(a->next_event, b->next_event);
	assert_int_equal(a->next_state, b->next_state);
	assert_int_equal(a->next_slot, b->next_slot);
	assert_int_equal(a->next_member_slot, b->next_member_slot);
	assert_int_equal(a->next_node, b->next_node);
	assert_true(a->last_rseq == b->last_rseq);
	assert_true(a->first_rseq == b->first_rseq);
	assert_true(a->depth == b->depth);
	assert_int_equal(a->joined, b->joined);
	assert_int_equal(a->invited, b->invited);
	assert_int_equal(a->knocked, b->knocked);
	assert_int_equal(a->is_published, b->is_published);
}

static void a_head_is_read_as_it_was(void **state)
{
	struct hs_fixture *f = *state;
	struct room_head head = head_of(ID), found;
	uint32_t room;

	room_db_add(f->call.txn, ROOM, &head);
	hs_fixture_read(f);
	assert_int_equal(room_db_find(&f->call, MX_SLICE(ID), &room), 0);
	assert_int_equal(room, ROOM);
	assert_int_equal(room_db_head(&f->call, ROOM, &found), 0);
	assert_true(mx_slice_is(found.id, ID));
	assert_int_equal(found.position, store_view_stamp(f->call.view));
	assert_same_numbers(&found, &head);
	assert_ptr_equal(found.version, head.version);
	assert_memory_equal(&found.state, &head.state, sizeof(head.state));
	assert_int_equal(found.extremities_len, 2);
	assert_memory_equal(found.extremities, head.extremities, 2 * sizeof(*head.extremities));
}

static void positions_grow_with_commits(void **state)
{
	struct hs_fixture *f = *state;
	struct room_head head = head_of(ID), first, second;

	room_db_add(f->call.txn, ROOM, &head);
	hs_fixture_write(f);
	assert_int_equal(room_db_head(&f->call, ROOM, &first), 0);
	room_db_put_head(f->call.txn, ROOM, &first);
	hs_fixture_read(f);
	assert_int_equal(room_db_head(&f->call, ROOM, &second), 0);
	assert_true(first.position > 0);
	assert_int_equal(second.position, first.position + 1);
}

static void what_is_not_there_is_not_found(void **state)
{
	struct hs_fixture *f = *state;
	struct room_head head = head_of(ID), found;
	char long_id[2000];
	uint32_t room;

	room_db_add(f->call.txn, ROOM, &head);
	memset(long_id, '!', sizeof(long_id));
	assert_int_equal(room_db_find(&f->call, MX_SLICE("!dogs:here.example"), &room),
			 -MX_NOT_FOUND);
	assert_int_equal(room_db_find(&f->call, mx_slice_of(long_id, sizeof(long_id)), &room),
			 -MX_NOT_FOUND);
	assert_int_equal(room_db_head(&f->call, ROOM + 1, &found), -MX_NOT_FOUND);
}

static void an_id_names_one_room(void **state)
{
	struct hs_fixture *f = *state;
	struct room_head head = head_of(ID);
	struct store_txn *txn;

	room_db_add(f->call.txn, ROOM, &head);
	hs_fixture_write(f);
	txn = store_txn_begin(f->hs.store);
	room_db_add(txn, ROOM + 1, &head);
	assert_int_equal(store_txn_commit(txn, NULL), -MX_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_head_is_read_as_it_was),
		hs_test(positions_grow_with_commits),
		hs_test(what_is_not_there_is_not_found),
		hs_test(an_id_names_one_room),
	};
	return cmocka_run_group_tests_name("room/room_db", tests, NULL, NULL);
}

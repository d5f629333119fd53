#include "homeserver/room/event_db.h"

#include "homeserver/event/room_version.h"
#include "shared/core/error.h"
#include "tests/support/hs_fixture.h"

#define ROOM 7

static struct stored_event stored(struct hs_fixture *f, uint32_t number, json_t *line)
{
	struct stored_event event = {
		.room = ROOM,
		.header = { .number = number,
			    .state_number = 3,
			    .slot = 1u << 31 | 5,
			    .flags = EVENT_SOFT_FAILED,
			    .rseq = -4,
			    .received_ms = HS_FIXTURE_NOW,
			    .before = { 11, 12 },
			    .after = { 11, 13 },
			    .redacted_by = 9,
			    .device = MX_SLICE("PHONE"),
			    .txn_id = MX_SLICE("m1") },
		.event = hs_fixture_event(f, line),
	};

	return event;
}

static void assert_same(const struct stored_event *a, const struct stored_event *b)
{
	assert_int_equal(a->room, b->room);
	assert_int_equal(a->header.number, b->header.number);
	assert_int_equal(a->header.state_number, b->header.state_number);
	assert_int_equal(a->header.slot, b->header.slot);
	assert_int_equal(a->header.flags, b->header.flags);
	assert_int_equal(a->header.rseq, b->header.rseq);
	assert_int_equal(a->header.received_ms, b->header.received_ms);
	assert_memory_equal(&a->header.before, &b->header.before, sizeof(a->header.before));
	assert_memory_equal(&a->header.after, &b->header.after, sizeof(a->header.after));
	assert_int_equal(a->header.redacted_by, b->header.redacted_by);
	assert_true(mx_slice_eq(a->header.device, b->header.device));
	assert_true(mx_slice_eq(a->header.txn_id, b->header.txn_id));
	assert_true(mx_slice_eq(a->event.json, b->event.json));
	assert_true(mx_slice_eq(a->event.id, b->event.id));
	assert_true(mx_slice_eq(a->event.room_id, b->event.room_id));
	assert_true(mx_slice_eq(a->event.type, b->event.type));
	assert_ptr_equal(a->event.version, b->event.version);
	assert_int_equal(a->event.content, b->event.content);
}

static void an_event_of_any_version_is_read_as_it_was(void **state)
{
	struct hs_fixture *f = *state;
	struct stored_event event, found;

	for (size_t i = 0; room_version_at(i); i++) {
		event = stored(f, (uint32_t)i + 1,
			       json_pack("{s:s, s:s, s:s, s:i}", "version", room_version_at(i)->id,
					 "type", "m.room.topic", "key", "", "ts", (int)i));
		event_db_add(f->call.txn, &event);
		hs_fixture_read(f);
		assert_int_equal(event_db_load(&f->call, ROOM, (uint32_t)i + 1, &found), 0);
		assert_same(&found, &event);
		assert_int_equal(event_db_load_id(&f->call, ROOM, event.event.id, &found), 0);
		assert_same(&found, &event);
		hs_fixture_write(f);
	}
}

static void a_create_event_names_its_room_again(void **state)
{
	struct hs_fixture *f = *state;
	struct stored_event event = stored(
		f, 1, json_pack("{s:s, s:s}", "type", "m.room.create", "key", ""));
	struct stored_event found;

	event_db_add(f->call.txn, &event);
	assert_int_equal(event_db_load(&f->call, ROOM, 1, &found), 0);
	assert_same(&found, &event);
	assert_int_equal(found.event.room_id.ptr[0], '!');
}

static void what_is_not_there_is_not_found(void **state)
{
	struct hs_fixture *f = *state;
	struct stored_event event = stored(f, 1, json_object()), found;
	uint32_t room, number;
	char long_id[2000];

	event_db_add(f->call.txn, &event);
	memset(long_id, '$', sizeof(long_id));
	assert_int_equal(event_db_load(&f->call, ROOM, 2, &found), -MX_NOT_FOUND);
	assert_int_equal(event_db_load(&f->call, ROOM + 1, 1, &found), -MX_NOT_FOUND);
	assert_int_equal(event_db_find(&f->call, MX_SLICE("$other"), &room, &number),
			 -MX_NOT_FOUND);
	assert_int_equal(
		event_db_find(&f->call, mx_slice_of(long_id, sizeof(long_id)), &room, &number),
		-MX_NOT_FOUND);
}

static void an_event_of_another_room_is_not_this_rooms(void **state)
{
	struct hs_fixture *f = *state;
	struct stored_event event = stored(f, 1, json_object()), found;
	uint32_t room, number;

	event_db_add(f->call.txn, &event);
	assert_int_equal(event_db_load_id(&f->call, ROOM + 1, event.event.id, &found),
			 -MX_NOT_FOUND);
	assert_int_equal(event_db_find(&f->call, event.event.id, &room, &number), 0);
	assert_int_equal(room, ROOM);
	assert_int_equal(number, 1);
}

static void a_header_changes(void **state)
{
	struct hs_fixture *f = *state;
	struct stored_event event = stored(f, 1, json_object()), found;

	event_db_add(f->call.txn, &event);
	hs_fixture_write(f);
	event.header.redacted_by = 77;
	event.header.flags = 0;
	event.header.device = event.header.txn_id = MX_SLICE("");
	event_db_put(f->call.txn, &event);
	hs_fixture_read(f);
	assert_int_equal(event_db_load(&f->call, ROOM, 1, &found), 0);
	assert_same(&found, &event);
}

static void an_id_is_taken_once(void **state)
{
	struct hs_fixture *f = *state;
	struct stored_event event = stored(f, 1, json_object());
	struct store_txn *txn;

	event_db_add(f->call.txn, &event);
	hs_fixture_write(f);
	txn = store_txn_begin(f->hs.store);
	event.header.number = 2;
	event_db_add(txn, &event);
	assert_int_equal(store_txn_commit(txn, NULL), -MX_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(an_event_of_any_version_is_read_as_it_was),
		hs_test(a_create_event_names_its_room_again),
		hs_test(what_is_not_there_is_not_found),
		hs_test(an_event_of_another_room_is_not_this_rooms),
		hs_test(a_header_changes),
		hs_test(an_id_is_taken_once),
	};
	return cmocka_run_group_tests_name("event/event_db", tests, NULL, NULL);
}

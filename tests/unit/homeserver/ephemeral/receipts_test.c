#include "homeserver/ephemeral/receipts.h"

#include "homeserver/room/event_db.h"
#include "homeserver/room/room_db.h"
#include "homeserver/stream/stream_db.h"
#include "homeserver/userdata/account_data.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/hs_fixture.h"

#define ANN  "@ann:here.example"
#define BOB  "@bob:here.example"
#define ROOM 7

/* Events of the room: "one" to "five" in this order, their ids by name. */
static const char *ids[5];

/* ---- a room to read in */

static void add_member(struct hs_fixture *f, const char *user_id, enum membership membership)
{
	const struct member_row row = { .user_id = user_id, .membership = membership, .event = 1 };

	member_db_put(f->call.txn, ROOM, &row);
}

static const char *add_event(struct hs_fixture *f, uint32_t number, json_t *content)
{
	struct stored_event stored = {
		.room = ROOM,
		.header = { .number = number, .rseq = number },
		.event = hs_fixture_event(
			f, json_pack("{s:o, s:i}", "content", content, "depth", (int)number)),
	};

	event_db_add(f->call.txn, &stored);
	return mx_arena_slice(f->call.mem, stored.event.id).ptr;
}

static json_t *relation(const char *type, const char *parent)
{
	return json_pack("{s:{s:s, s:s}}", "m.relates_to", "rel_type", type, "event_id", parent);
}

/* 1 and 2: messages; 3: an edit of 2; 4: in the thread of 1; 5: a reaction to 4. */
static void add_room(struct hs_fixture *f)
{
	add_member(f, ANN, MEMBERSHIP_JOIN);
	add_member(f, BOB, MEMBERSHIP_JOIN);
	ids[0] = add_event(f, 1, json_object());
	ids[1] = add_event(f, 2, json_object());
	ids[2] = add_event(f, 3, relation("m.replace", ids[1]));
	ids[3] = add_event(f, 4, relation("m.thread", ids[0]));
	ids[4] = add_event(f, 5, relation("m.annotation", ids[3]));
	hs_fixture_write(f);
}

static int mark_in(struct hs_fixture *f, const char *type, const char *user_id, int event,
		   const char *thread)
{
	const struct receipt receipt = {
		.type = mx_slice(type),
		.user_id = mx_slice(user_id),
		.event_id = mx_slice(ids[event - 1]),
		.thread_id = mx_slice(thread),
	};
	int rc = receipts_mark(&f->call, ROOM, &receipt, NULL);

	hs_fixture_write(f);
	return rc;
}

static int mark(struct hs_fixture *f, const char *type, const char *user_id, int event)
{
	return mark_in(f, type, user_id, event, NULL);
}

static int number_of(struct mx_slice event_id)
{
	for (int i = 0; i < 5; i++)
		if (mx_slice_is(event_id, ids[i]))
			return i + 1;
	return 0;
}

/* "ann m.read 2, bob m.read.private 1"; where the last one is. */
static uint64_t assert_changed(struct hs_fixture *f, const char *viewer, uint64_t after,
			       const char *expected)
{
	struct receipt_list list;
	mx_str_auto text = { 0 };

	assert_int_equal(receipts_changed(&f->call, ROOM, viewer, after, &list), 0);
	for (size_t i = 0; i < list.len; i++)
		mx_str_addf(&text, "%s%.3s %.*s %d", i ? ", " : "", list.items[i].user_id.ptr + 1,
			    MX_SLICE_ARG(list.items[i].type), number_of(list.items[i].event_id));
	assert_string_equal(text.ptr ? text.ptr : "", expected);
	return list.len ? list.items[list.len - 1].position : after;
}

/* ---- */

static void everybody_sees_how_far_somebody_has_read(void **state)
{
	struct hs_fixture *f = *state;
	uint64_t position;

	add_room(f);
	assert_int_equal(mark(f, RECEIPT_READ, BOB, 1), 0);
	assert_int_equal(mark(f, RECEIPT_READ, ANN, 2), 0);
	position = assert_changed(f, ANN, 0, "bob m.read 1, ann m.read 2");
	assert_int_equal(mark(f, RECEIPT_READ, BOB, 3), 0);
	assert_changed(f, ANN, position, "bob m.read 3");
	assert_changed(f, ANN, 0, "ann m.read 2, bob m.read 3");
}

static void private_receipts_are_their_users_only(void **state)
{
	struct hs_fixture *f = *state;

	add_room(f);
	assert_int_equal(mark(f, RECEIPT_READ_PRIVATE, BOB, 2), 0);
	assert_int_equal(mark(f, RECEIPT_READ, BOB, 1), 0);
	assert_changed(f, ANN, 0, "bob m.read 1");
	assert_changed(f, ANN, 1, "bob m.read 1");
	assert_changed(f, BOB, 0, "bob m.read.private 2, bob m.read 1");
}

static void the_stream_tells_private_ones_from_others(void **state)
{
	struct hs_fixture *f = *state;
	struct stream_rows rows;

	add_room(f);
	mark(f, RECEIPT_READ, BOB, 2);
	mark(f, RECEIPT_READ_PRIVATE, BOB, 2);
	assert_int_equal(stream_db_scan(&f->call, 0, 10, &rows), 0);
	assert_int_equal(rows.len, 2);
	for (size_t i = 0; i < rows.len; i++) {
		assert_int_equal(rows.items[i].entry.kind, STREAM_RECEIPT);
		assert_int_equal(rows.items[i].entry.room, ROOM);
		assert_int_equal(rows.items[i].entry.is_private, i == 1);
		assert_true(mx_slice_is(rows.items[i].entry.user, BOB));
	}
}

static void marks_never_go_back(void **state)
{
	struct hs_fixture *f = *state;
	uint64_t position;

	add_room(f);
	mark(f, RECEIPT_READ, BOB, 3);
	position = assert_changed(f, ANN, 0, "bob m.read 3");
	assert_int_equal(mark(f, RECEIPT_READ, BOB, 2), 0);
	assert_int_equal(mark(f, RECEIPT_READ, BOB, 3), 0);
	assert_changed(f, ANN, position, "");
	assert_changed(f, ANN, 0, "bob m.read 3");
}

static void who_is_not_in_the_room_marks_nothing(void **state)
{
	struct hs_fixture *f = *state;

	add_room(f);
	add_member(f, "@eve:here.example", MEMBERSHIP_LEAVE);
	add_member(f, "@ina:here.example", MEMBERSHIP_INVITE);
	hs_fixture_write(f);
	assert_int_equal(mark(f, RECEIPT_READ, "@zoe:here.example", 1), -MX_FORBIDDEN);
	assert_int_equal(mark(f, RECEIPT_READ, "@eve:here.example", 1), -MX_FORBIDDEN);
	assert_int_equal(mark(f, RECEIPT_FULLY_READ, "@ina:here.example", 1), -MX_FORBIDDEN);
	assert_changed(f, ANN, 0, "");
}

static void only_events_that_are_there_are_marked(void **state)
{
	struct hs_fixture *f = *state;
	struct stored_event hidden = {
		.room = ROOM,
		.header = { .number = 9, .rseq = 9, .flags = EVENT_SOFT_FAILED },
	};

	add_room(f);
	hidden.event = hs_fixture_event(f, json_pack("{s:i}", "depth", 9));
	event_db_add(f->call.txn, &hidden);
	hs_fixture_write(f);
	ids[0] = mx_arena_slice(f->call.mem, hidden.event.id).ptr;
	assert_int_equal(mark(f, RECEIPT_READ, ANN, 1), -MX_NOT_FOUND);
	ids[0] = "$unknown";
	assert_int_equal(mark(f, RECEIPT_READ, ANN, 1), -MX_NOT_FOUND);
	assert_int_equal(mark(f, RECEIPT_FULLY_READ, ANN, 1), -MX_NOT_FOUND);
}

static void threads_are_marked_apart(void **state)
{
	struct hs_fixture *f = *state;

	add_room(f);
	assert_int_equal(mark_in(f, RECEIPT_READ, BOB, 3, "main"), 0);
	assert_int_equal(mark_in(f, RECEIPT_READ, BOB, 4, ids[0]), 0);
	assert_int_equal(mark(f, RECEIPT_READ, BOB, 2), 0);
	assert_int_equal(mark_in(f, RECEIPT_READ, BOB, 5, ids[0]), 0);
	assert_changed(f, ANN, 0, "bob m.read 3, bob m.read 2, bob m.read 5");
}

static void an_event_of_another_thread_is_refused(void **state)
{
	struct hs_fixture *f = *state;

	add_room(f);
	assert_int_equal(mark_in(f, RECEIPT_READ, BOB, 4, "main"), -MX_INVALID_PARAM);
	assert_int_equal(mark_in(f, RECEIPT_READ, BOB, 5, "main"), -MX_INVALID_PARAM);
	assert_int_equal(mark_in(f, RECEIPT_READ, BOB, 2, ids[0]), -MX_INVALID_PARAM);
	assert_int_equal(mark_in(f, RECEIPT_READ, BOB, 3, ids[1]), -MX_INVALID_PARAM);
	assert_int_equal(mark_in(f, RECEIPT_READ, BOB, 1, ids[0]), 0);
	assert_int_equal(mark_in(f, RECEIPT_READ, BOB, 1, "main"), 0);
	assert_int_equal(mark_in(f, RECEIPT_FULLY_READ, BOB, 1, "main"), -MX_INVALID_PARAM);
}

static void assert_contents(struct hs_fixture *f, const char *const *expected, size_t len)
{
	struct receipt_contents contents;
	struct receipt_list list;

	assert_int_equal(receipts_changed(&f->call, ROOM, ANN, 0, &list), 0);
	assert_int_equal(receipts_contents(&f->call, &list, &contents), 0);
	assert_int_equal(contents.len, len);
	for (size_t i = 0; i < len; i++)
		assert_string_equal(contents.items[i].ptr, expected[i]);
}

static void contents_are_one_for_each_thread(void **state)
{
	struct hs_fixture *f = *state;
	const char *expected[2];

	add_room(f);
	mark(f, RECEIPT_READ, BOB, 2);
	mark(f, RECEIPT_READ, ANN, 2);
	mark(f, RECEIPT_READ_PRIVATE, ANN, 2);
	mark_in(f, RECEIPT_READ, BOB, 2, "main");
	expected[0] = mx_arena_strf(f->call.mem,
				    "{\"%s\":{\"m.read\":{\"" ANN "\":{\"ts\":1700000000000},"
				    "\"" BOB "\":{\"ts\":1700000000000}},"
				    "\"m.read.private\":{\"" ANN "\":{\"ts\":1700000000000}}}}",
				    ids[1]);
	expected[1] = mx_arena_strf(f->call.mem,
				    "{\"%s\":{\"m.read\":{\"" BOB "\":{\"ts\":1700000000000,"
				    "\"thread_id\":\"main\"}}}}",
				    ids[1]);
	assert_contents(f, expected, 2);
}

static void contents_part_events_from_each_other(void **state)
{
	struct hs_fixture *f = *state;
	struct receipt_contents contents;
	struct receipt_list list;
	json_auto_t *json = NULL;

	add_room(f);
	mark(f, RECEIPT_READ, BOB, 1);
	mark(f, RECEIPT_READ, ANN, 2);
	assert_int_equal(receipts_changed(&f->call, ROOM, ANN, 0, &list), 0);
	assert_int_equal(receipts_contents(&f->call, &list, &contents), 0);
	assert_int_equal(contents.len, 1);
	json = json_loads(contents.items[0].ptr, 0, NULL);
	assert_int_equal(json_object_size(json), 2);
	assert_non_null(
		json_object_get(json_object_get(json_object_get(json, ids[0]), "m.read"), BOB));
	list.len = 0;
	assert_int_equal(receipts_contents(&f->call, &list, &contents), 0);
	assert_int_equal(contents.len, 0);
}

static void assert_marker(struct hs_fixture *f, int event)
{
	const struct account_data_key key = { BOB, ROOM, RECEIPT_FULLY_READ };
	struct mx_slice content;

	assert_int_equal(account_data_load(&f->call, &key, &content), 0);
	assert_true(mx_slice_is(
		content, mx_arena_strf(f->call.mem, "{\"event_id\":\"%s\"}", ids[event - 1])));
}

static void the_marker_is_account_data_and_goes_forward_only(void **state)
{
	struct hs_fixture *f = *state;

	add_room(f);
	assert_int_equal(mark(f, RECEIPT_FULLY_READ, BOB, 2), 0);
	assert_marker(f, 2);
	assert_int_equal(mark(f, RECEIPT_FULLY_READ, BOB, 1), 0);
	assert_marker(f, 2);
	assert_int_equal(mark(f, RECEIPT_FULLY_READ, BOB, 4), 0);
	assert_marker(f, 4);
	assert_changed(f, BOB, 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(everybody_sees_how_far_somebody_has_read),
		hs_test(private_receipts_are_their_users_only),
		hs_test(the_stream_tells_private_ones_from_others),
		hs_test(marks_never_go_back),
		hs_test(who_is_not_in_the_room_marks_nothing),
		hs_test(only_events_that_are_there_are_marked),
		hs_test(threads_are_marked_apart),
		hs_test(an_event_of_another_thread_is_refused),
		hs_test(contents_are_one_for_each_thread),
		hs_test(contents_part_events_from_each_other),
		hs_test(the_marker_is_account_data_and_goes_forward_only),
	};

	return cmocka_run_group_tests_name("ephemeral/receipts", tests, NULL, NULL);
}

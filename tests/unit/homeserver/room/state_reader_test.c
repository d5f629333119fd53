#include "homeserver/room/state_reader.h"

#include "homeserver/event/event_types.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/record_room.h"

#define ANN MX_SLICE("@ann:" HS_FIXTURE_SERVER)
#define BOB MX_SLICE("@bob:" HS_FIXTURE_SERVER)

/* State numbers: 1 the create event, 2 ann, 3 the topic. */
static void begin(struct record_room *room, struct hs_fixture *f)
{
	record_room_begin(room, f, "11");
	record_room_add(room, json_pack("{s:s, s:s}", "type", TYPE_CREATE, "key", ""));
	record_room_member(room, "ann", "join", NULL);
	record_room_add(room, json_pack("{s:s, s:s}", "type", "m.room.topic", "key", ""));
}

/* The next event of state. */
static struct stored_event add(struct record_room *room, const char *type)
{
	return record_room_add(room, json_pack("{s:s, s:s}", "type", type, "key", ""));
}

static void read_it(struct record_room *room, struct state_reader *reader)
{
	record_room_end(room);
	state_reader_init(reader, &room->f->call, room->room);
}

/* The state before an event of this type came. */
static struct room_state read_after(struct record_room *room, const char *type,
				    struct state_reader *reader)
{
	struct room_state before = room->head.state;

	add(room, type);
	read_it(room, reader);
	return before;
}

static uint32_t topic_in(struct state_reader *reader, const struct room_state *state)
{
	struct stored_event event;

	assert_int_equal(state_reader_load(reader, state, "m.room.topic", MX_SLICE(""), &event), 0);
	return event.header.state_number;
}

static void state_is_found_as_it_was_then(void **state)
{
	struct state_reader reader;
	struct stored_event event;
	struct record_room room;
	struct room_state then;

	begin(&room, *state);
	then = read_after(&room, "m.room.topic", &reader);
	/* Asked twice: what was read is kept. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(topic_in(&reader, &then), 3);
		assert_int_equal(topic_in(&reader, &room.head.state), 4);
		assert_int_equal(
			state_reader_load(&reader, &then, "m.room.name", MX_SLICE(""), &event),
			-MX_NOT_FOUND);
	}
	state_reader_done(&reader);
}

static void a_slot_that_came_later_is_not_found(void **state)
{
	struct state_reader reader;
	struct stored_event event;
	struct record_room room;
	struct room_state then;

	begin(&room, *state);
	then = read_after(&room, "m.room.name", &reader);
	assert_int_equal(state_reader_load(&reader, &then, "m.room.name", MX_SLICE(""), &event),
			 -MX_NOT_FOUND);
	state_reader_done(&reader);
}

static void memberships_are_those_of_the_state(void **state)
{
	struct state_reader reader;
	struct record_room room;
	struct room_state then;

	begin(&room, *state);
	record_room_member(&room, "bob", "friend", NULL);
	then = room.head.state;
	record_room_member(&room, "ann", "ban", NULL);
	read_it(&room, &reader);
	assert_int_equal(state_reader_membership(&reader, &then, ANN), MEMBERSHIP_JOIN);
	assert_int_equal(state_reader_membership(&reader, &room.head.state, ANN), MEMBERSHIP_BAN);
	assert_int_equal(state_reader_membership(&reader, &then, BOB), MEMBERSHIP_NONE);
	assert_int_equal(state_reader_membership(&reader, &then, MX_SLICE("@eve:x")),
			 MEMBERSHIP_NONE);
	state_reader_done(&reader);
}

static void assert_numbers(const struct state_numbers *numbers, const char *expected)
{
	mx_str_auto text = { 0 };

	for (size_t i = 0; i < numbers->len; i++)
		mx_str_addf(&text, "%u ", numbers->items[i]);
	assert_true(mx_slice_is(mx_str_slice(&text), expected));
}

static void members_and_others_are_listed_apart(void **state)
{
	static const struct {
		enum state_part part;
		const char *numbers;
	} parts[] = { { STATE_MEMBERS, "2 4 " },
		      { STATE_OTHERS, "1 3 " },
		      { STATE_ALL, "1 3 2 4 " } };
	struct state_numbers numbers;
	struct state_reader reader;
	struct record_room room;

	begin(&room, *state);
	record_room_member(&room, "bob", "invite", "ann");
	read_it(&room, &reader);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		assert_int_equal(
			state_reader_list(&reader, &room.head.state, parts[i].part, &numbers), 0);
		assert_numbers(&numbers, parts[i].numbers);
	}
	state_reader_done(&reader);
}

static void changes_are_what_is_there_now(void **state)
{
	struct state_reader reader;
	struct state_numbers numbers;
	struct room_state then, now;
	struct record_room room;

	begin(&room, *state);
	then = room.head.state;
	record_room_member(&room, "bob", "join", NULL);
	add(&room, "m.room.topic");
	now = room.head.state;
	read_it(&room, &reader);
	assert_int_equal(state_reader_changes(&reader, &then, &now, STATE_ALL, &numbers), 0);
	assert_numbers(&numbers, "5 4 ");
	assert_int_equal(state_reader_changes(&reader, &now, &then, STATE_ALL, &numbers), 0);
	assert_numbers(&numbers, "3 ");
	assert_int_equal(state_reader_changes(&reader, &then, &then, STATE_ALL, &numbers), 0);
	assert_int_equal(numbers.len, 0);
	state_reader_done(&reader);
}

static void a_missing_node_is_a_broken_store(void **state)
{
	const struct room_state nowhere = { 900, 900 };
	struct state_numbers numbers;
	struct state_reader reader;
	struct stored_event event;
	struct record_room room;

	begin(&room, *state);
	read_it(&room, &reader);
	assert_int_equal(state_reader_list(&reader, &nowhere, STATE_OTHERS, &numbers), -MX_STORE);
	state_reader_done(&reader);
	state_reader_init(&reader, &room.f->call, room.room);
	assert_int_equal(state_reader_load(&reader, &nowhere, TYPE_CREATE, MX_SLICE(""), &event),
			 -MX_STORE);
	assert_int_equal(state_reader_event(&reader, 99, &event), -MX_STORE);
	state_reader_done(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(state_is_found_as_it_was_then),
		hs_test(a_slot_that_came_later_is_not_found),
		hs_test(memberships_are_those_of_the_state),
		hs_test(members_and_others_are_listed_apart),
		hs_test(changes_are_what_is_there_now),
		hs_test(a_missing_node_is_a_broken_store),
	};
	return cmocka_run_group_tests_name("state/state_reader", tests, NULL, NULL);
}

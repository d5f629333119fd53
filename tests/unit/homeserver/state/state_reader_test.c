#include "homeserver/state/state_reader.h"

#include "homeserver/event/event_types.h"
#include "homeserver/state/state_db.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/hs_fixture.h"

#define ROOM 7
#define ANN  "@ann:here.example"
#define BOB  "@bob:here.example"

/* A room that grows by an event of state at a time. */
struct growing {
	struct hs_fixture *f;
	struct trie_nodes nodes;
	struct room_state state;
	uint32_t len, slots, member_slots;
};

static uint32_t slot_of(struct growing *room, const char *type, const char *key)
{
	bool member = streq(type, TYPE_MEMBER);
	uint32_t slot;

	if (slot_db_find(&room->f->call, ROOM, mx_slice(type), mx_slice(key), &slot) == 0)
		return slot;
	slot = member ? SLOT_MEMBER | room->member_slots++ : room->slots++;
	slot_db_add(room->f->call.txn, ROOM, slot, mx_slice(type), mx_slice(key));
	return slot;
}

static uint32_t grow(struct growing *room, const char *type, const char *key, json_t *content)
{
	uint32_t slot = slot_of(room, type, key), number = ++room->len;
	const struct state_event row = { .event = number + 50, .slot = slot };
	const struct stored_event event = {
		.room = ROOM,
		.header = { .number = number + 50, .state_number = number, .slot = slot },
		.event = hs_fixture_event(room->f,
					  json_pack("{s:s, s:s, s:o, s:i}", "type", type, "key",
						    key, "content", content, "ts", (int)number)),
	};

	event_db_add(room->f->call.txn, &event);
	state_db_add(room->f->call.txn, ROOM, number, &row);
	room_state_put(&room->nodes, &room->state, slot, number);
	return number;
}

static json_t *membership(const char *name)
{
	return json_pack("{s:s}", "membership", name);
}

static void begin(struct growing *room, struct hs_fixture *f)
{
	*room = (struct growing){ .f = f };
	trie_nodes_init(&room->nodes, 1);
	grow(room, TYPE_CREATE, "", json_object());
	grow(room, TYPE_MEMBER, ANN, membership("join"));
	grow(room, "m.room.topic", "", json_pack("{s:s}", "topic", "cats"));
}

/* All is written down; the reader is another call's. */
static void read_it(struct growing *room, struct state_reader *reader)
{
	for (uint32_t i = 0; i < room->nodes.len; i++)
		node_db_add(room->f->call.txn, ROOM, i + 1, room->nodes.items[i]);
	trie_nodes_done(&room->nodes);
	hs_fixture_read(room->f);
	state_reader_init(reader, &room->f->call, ROOM);
}

static void state_is_found_as_it_was_then(void **state)
{
	struct state_reader reader;
	struct stored_event event;
	struct growing room;
	struct room_state then;

	begin(&room, *state);
	then = room.state;
	grow(&room, "m.room.topic", "", json_pack("{s:s}", "topic", "dogs"));
	read_it(&room, &reader);
	assert_int_equal(state_reader_load(&reader, &then, "m.room.topic", MX_SLICE(""), &event),
			 0);
	assert_int_equal(event.header.number, 53);
	assert_int_equal(
		state_reader_load(&reader, &room.state, "m.room.topic", MX_SLICE(""), &event), 0);
	assert_int_equal(event.header.number, 54);
	assert_int_equal(state_reader_load(&reader, &then, "m.room.name", MX_SLICE(""), &event),
			 -MX_NOT_FOUND);
	state_reader_done(&reader);
}

static void a_slot_that_came_later_is_not_found(void **state)
{
	struct state_reader reader;
	struct stored_event event;
	struct growing room;
	struct room_state then;

	begin(&room, *state);
	then = room.state;
	grow(&room, "m.room.name", "", json_object());
	read_it(&room, &reader);
	assert_int_equal(state_reader_load(&reader, &then, "m.room.name", MX_SLICE(""), &event),
			 -MX_NOT_FOUND);
	state_reader_done(&reader);
}

static void memberships_are_those_of_the_state(void **state)
{
	struct state_reader reader;
	struct growing room;
	struct room_state then;

	begin(&room, *state);
	grow(&room, TYPE_MEMBER, BOB, json_pack("{s:i}", "membership", 3));
	then = room.state;
	grow(&room, TYPE_MEMBER, ANN, membership("ban"));
	read_it(&room, &reader);
	assert_int_equal(state_reader_membership(&reader, &then, MX_SLICE(ANN)), MEMBERSHIP_JOIN);
	assert_int_equal(state_reader_membership(&reader, &room.state, MX_SLICE(ANN)),
			 MEMBERSHIP_BAN);
	assert_int_equal(state_reader_membership(&reader, &then, MX_SLICE(BOB)), MEMBERSHIP_NONE);
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
	struct state_reader reader;
	struct state_numbers numbers;
	struct growing room;

	begin(&room, *state);
	grow(&room, TYPE_MEMBER, BOB, membership("invite"));
	read_it(&room, &reader);
	assert_int_equal(state_reader_list(&reader, &room.state, STATE_MEMBERS, &numbers), 0);
	assert_numbers(&numbers, "2 4 ");
	assert_int_equal(state_reader_list(&reader, &room.state, STATE_OTHERS, &numbers), 0);
	assert_numbers(&numbers, "1 3 ");
	assert_int_equal(state_reader_list(&reader, &room.state, STATE_ALL, &numbers), 0);
	assert_numbers(&numbers, "1 3 2 4 ");
	state_reader_done(&reader);
}

static void changes_are_what_is_there_now(void **state)
{
	struct state_reader reader;
	struct state_numbers numbers;
	struct room_state then;
	struct growing room;

	begin(&room, *state);
	then = room.state;
	grow(&room, TYPE_MEMBER, BOB, membership("join"));
	grow(&room, "m.room.topic", "", json_pack("{s:s}", "topic", "dogs"));
	read_it(&room, &reader);
	assert_int_equal(state_reader_changes(&reader, &then, &room.state, STATE_ALL, &numbers), 0);
	assert_numbers(&numbers, "5 4 ");
	assert_int_equal(state_reader_changes(&reader, &room.state, &then, STATE_ALL, &numbers), 0);
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
	struct growing room;

	begin(&room, *state);
	read_it(&room, &reader);
	assert_int_equal(state_reader_list(&reader, &nowhere, STATE_OTHERS, &numbers), -MX_STORE);
	state_reader_done(&reader);
	state_reader_init(&reader, &room.f->call, ROOM);
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

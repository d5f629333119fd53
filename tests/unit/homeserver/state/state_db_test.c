#include "homeserver/state/state_db.h"

#include "homeserver/state/trie.h"
#include "shared/core/error.h"
#include "tests/support/hs_fixture.h"

#define ROOM 7

static const uint32_t cited[] = { 1, 2, UINT32_MAX };
static const struct state_event power = { .event = 9,
					  .slot = SLOT_MEMBER | 3,
					  .origin_server_ts = -5,
					  .flags = GRAPH_POWER,
					  .cited = cited,
					  .cited_len = 3 };
static const struct state_event plain = { .event = 10 };

static void assert_power(const struct state_event *event)
{
	assert_int_equal(event->event, 9);
	assert_int_equal(event->slot, SLOT_MEMBER | 3);
	assert_int_equal(event->origin_server_ts, -5);
	assert_int_equal(event->cited_len, 3);
	assert_memory_equal(event->cited, cited, sizeof(cited));
}

static void a_state_event_is_read_as_it_was(void **state)
{
	struct hs_fixture *f = *state;
	struct state_event found;

	state_db_add(f->call.txn, ROOM, 4, &power);
	hs_fixture_read(f);
	assert_int_equal(state_db_load(&f->call, ROOM, 4, &found), 0);
	assert_power(&found);
	assert_int_equal(found.flags, GRAPH_POWER);
	assert_int_equal(state_db_load(&f->call, ROOM, 5, &found), -MX_NOT_FOUND);
	assert_int_equal(state_db_load(&f->call, ROOM + 1, 4, &found), -MX_NOT_FOUND);
}

static void flags_change(void **state)
{
	struct hs_fixture *f = *state;
	struct state_event found;

	state_db_add(f->call.txn, ROOM, 4, &power);
	hs_fixture_write(f);
	assert_int_equal(state_db_load(&f->call, ROOM, 4, &found), 0);
	found.flags |= GRAPH_REJECTED;
	state_db_put_flags(f->call.txn, ROOM, 4, &found);
	hs_fixture_read(f);
	assert_int_equal(state_db_load(&f->call, ROOM, 4, &found), 0);
	assert_power(&found);
	assert_int_equal(found.flags, GRAPH_POWER | GRAPH_REJECTED);
}

static void a_graph_is_read_in_pieces(void **state)
{
	struct hs_fixture *f = *state;
	struct state_event_list list;

	for (uint32_t number = 1; number <= 300; number++)
		state_db_add(f->call.txn, ROOM, number, number == 300 ? &power : &plain);
	state_db_add(f->call.txn, ROOM + 1, 1, &plain);
	hs_fixture_read(f);
	assert_int_equal(state_db_scan(&f->call, ROOM, 1, 200, &list), 0);
	assert_int_equal(list.len, 200);
	assert_int_equal(state_db_scan(&f->call, ROOM, 201, 200, &list), 0);
	assert_int_equal(list.len, 100);
	assert_power(&list.items[99]);
	assert_int_equal(state_db_scan(&f->call, ROOM, 301, 200, &list), 0);
	assert_int_equal(list.len, 0);
}

static void a_hole_in_the_graph_is_damage(void **state)
{
	struct hs_fixture *f = *state;
	struct state_event_list list;

	state_db_add(f->call.txn, ROOM, 1, &plain);
	state_db_add(f->call.txn, ROOM, 3, &plain);
	assert_int_equal(state_db_scan(&f->call, ROOM, 1, 0, &list), -MX_STORE);
	assert_int_equal(state_db_scan(&f->call, ROOM, 1, 1, &list), 0);
}

/* ---- slots */

static void assert_slot(struct hs_fixture *f, uint32_t slot, struct mx_slice type,
			struct mx_slice state_key)
{
	struct mx_slice found_type, found_key;
	uint32_t found;

	assert_int_equal(slot_db_find(&f->call, ROOM, type, state_key, &found), 0);
	assert_int_equal(found, slot);
	assert_int_equal(slot_db_key(&f->call, ROOM, slot, &found_type, &found_key), 0);
	assert_true(mx_slice_eq(found_type, type));
	assert_true(mx_slice_eq(found_key, state_key));
}

static void slots_are_found_both_ways(void **state)
{
	struct hs_fixture *f = *state;
	char long_text[1020] = { 0 }, other_text[1020] = { 'x' };
	const struct mx_slice texts[] = { MX_SLICE(""), MX_SLICE("a"), MX_SLICE("a\0b"),
					  mx_slice_of(long_text, sizeof(long_text)),
					  mx_slice_of(other_text, sizeof(other_text)) };
	uint32_t slot = 0, found;

	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++)
			slot_db_add(f->call.txn, ROOM, slot++, texts[i], texts[j]);
	hs_fixture_read(f);
	slot = 0;
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++)
			assert_slot(f, slot++, texts[i], texts[j]);
	assert_int_equal(slot_db_find(&f->call, ROOM, MX_SLICE("b"), MX_SLICE(""), &found),
			 -MX_NOT_FOUND);
	assert_int_equal(slot_db_find(&f->call, ROOM + 1, MX_SLICE("a"), MX_SLICE(""), &found),
			 -MX_NOT_FOUND);
}

/* ---- nodes */

static void assert_same_node(const struct trie_node *a, const struct trie_node *b)
{
	assert_int_equal(a->level, b->level);
	assert_true(a->bitmap == b->bitmap);
	assert_memory_equal(a->items, b->items, trie_node_size(b) - sizeof(*b));
}

static void nodes_are_read_as_they_were(void **state)
{
	struct hs_fixture *f = *state;
	const struct trie_node *found;
	struct trie_nodes nodes;
	uint32_t root = 0;

	trie_nodes_init(&nodes, 1);
	for (uint32_t slot = 0; slot < 5000; slot += 7)
		root = trie_put(&nodes, root, slot, slot + 1);
	for (uint32_t i = 0; i < nodes.len; i++)
		node_db_add(f->call.txn, ROOM, i + 1, nodes.items[i]);
	hs_fixture_read(f);
	for (uint32_t i = 0; i < nodes.len; i += 100) {
		assert_int_equal(node_db_load(&f->call, ROOM, i + 1, &found), 0);
		assert_same_node(found, nodes.items[i]);
	}
	assert_int_equal(node_db_load(&f->call, ROOM, root, &found), 0);
	assert_int_equal(node_db_load(&f->call, ROOM, (uint32_t)nodes.len + 1, &found),
			 -MX_NOT_FOUND);
	trie_nodes_done(&nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_state_event_is_read_as_it_was), hs_test(flags_change),
		hs_test(a_graph_is_read_in_pieces),       hs_test(a_hole_in_the_graph_is_damage),
		hs_test(slots_are_found_both_ways),       hs_test(nodes_are_read_as_they_were),
	};
	return cmocka_run_group_tests_name("state/state_db", tests, NULL, NULL);
}

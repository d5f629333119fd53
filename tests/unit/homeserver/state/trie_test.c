#include "homeserver/state/trie.h"

#include "shared/core/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SLOTS 3000

static void an_empty_map_has_nothing(void **state)
{
	struct trie_nodes nodes;

	(void)state;
	trie_nodes_init(&nodes, 1);
	assert_int_equal(trie_find(&nodes, 0, 0), 0);
	assert_int_equal(trie_find(&nodes, 0, UINT32_MAX), 0);
	assert_int_equal(trie_put(&nodes, 0, 5, 0), 0);
	assert_int_equal(nodes.len, 0);
	trie_nodes_done(&nodes);
}

static void old_roots_keep_what_they_had(void **state)
{
	struct trie_nodes nodes;
	uint32_t one, two, three;

	(void)state;
	trie_nodes_init(&nodes, 1);
	one = trie_put(&nodes, 0, 7, 70);
	two = trie_put(&nodes, one, 7, 71);
	three = trie_put(&nodes, two, 7, 0);
	assert_int_equal(trie_find(&nodes, one, 7), 70);
	assert_int_equal(trie_find(&nodes, two, 7), 71);
	assert_int_equal(trie_find(&nodes, three, 7), 0);
	assert_int_equal(three, 0);
	assert_int_equal(trie_put(&nodes, two, 7, 71), two);
	trie_nodes_done(&nodes);
}

static void slots_up_to_the_last_are_found(void **state)
{
	static const uint32_t slots[] = { 0,        63,       64,        4095,     4096,
					  262143,   262144,   16777215,  16777216, 1073741823,
					  1u << 30, 1u << 31, UINT32_MAX };
	struct trie_nodes nodes;
	uint32_t root = 0;

	(void)state;
	trie_nodes_init(&nodes, 1);
	for (uint32_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		root = trie_put(&nodes, root, slots[i], i + 1);
		for (uint32_t j = 0; j <= i; j++)
			assert_int_equal(trie_find(&nodes, root, slots[j]), j + 1);
	}
	assert_int_equal(trie_find(&nodes, root, 1), 0);
	trie_nodes_done(&nodes);
}

/* ---- against plain arrays */

struct plain {
	uint32_t values[SLOTS];
};

struct seen {
	const struct plain *a, *b;
	uint32_t next;
	size_t count;
};

static uint32_t slot_of(uint32_t index)
{
	/* Some of them far away. */
	return index % 10 == 9 ? index * 7919u : index;
}

static void see(void *ctx, uint32_t slot, uint32_t a, uint32_t b)
{
	struct seen *seen = ctx;
	uint32_t index = slot % 7919u == 0 && slot ? slot / 7919u : slot;

	if (index >= SLOTS || slot_of(index) != slot)
		index = slot;
	assert_true(seen->count == 0 || slot >= seen->next);
	assert_int_equal(a, seen->a->values[index]);
	assert_int_equal(b, seen->b->values[index]);
	assert_true(a != b);
	seen->next = slot + 1;
	seen->count++;
}

static size_t differences(const struct plain *a, const struct plain *b)
{
	size_t count = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		count += a->values[i] != b->values[i];
	return count;
}

static void assert_differ(struct trie_nodes *nodes, const uint32_t roots[2],
			  const struct plain plains[2])
{
	struct seen seen = { .a = &plains[0], .b = &plains[1] };

	trie_diff(nodes, roots[0], roots[1], see, &seen);
	assert_int_equal(seen.count, differences(&plains[0], &plains[1]));
}

static void change(struct trie_nodes *nodes, uint32_t *root, struct plain *plain, unsigned changes)
{
	for (unsigned i = 0; i < changes; i++) {
		uint32_t index = (uint32_t)rand() % SLOTS, value = (uint32_t)rand() % 5;

		*root = trie_put(nodes, *root, slot_of(index), value);
		plain->values[index] = value;
	}
}

static void maps_and_their_differences_are_those_of_arrays(void **state)
{
	struct plain plains[2] = { 0 };
	uint32_t roots[2] = { 0, 0 };
	struct trie_nodes nodes;

	(void)state;
	srand(11);
	trie_nodes_init(&nodes, 1);
	for (int round = 0; round < 60; round++) {
		change(&nodes, &roots[round % 2], &plains[round % 2], (unsigned)rand() % 200);
		assert_differ(&nodes, roots, plains);
		if (round % 20 != 19)
			continue;
		roots[0] = roots[1];
		plains[0] = plains[1];
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		assert_int_equal(trie_find(&nodes, roots[1], slot_of(i)), plains[1].values[i]);
	assert_false(nodes.broken);
	trie_nodes_done(&nodes);
}

static void a_change_costs_a_few_nodes(void **state)
{
	struct trie_nodes nodes;
	uint32_t root = 0;
	size_t before;

	(void)state;
	trie_nodes_init(&nodes, 1);
	for (uint32_t i = 0; i < 50000; i++)
		root = trie_put(&nodes, root, i, i + 1);
	before = nodes.len;
	trie_put(&nodes, root, 31415, 1);
	assert_int_equal(nodes.len - before, 3);
	trie_nodes_done(&nodes);
}

/* ---- nodes from elsewhere */

static const struct trie_node *load(void *ctx, uint32_t number)
{
	struct trie_nodes *old = ctx;

	return number < 40 ? old->items[number - 1] : NULL;
}

static void old_nodes_are_loaded_and_lost_ones_are_noticed(void **state)
{
	struct trie_nodes old, new;
	uint32_t root = 0, lost, next;

	(void)state;
	trie_nodes_init(&old, 1);
	while (old.len < 39)
		root = trie_put(&old, root, (uint32_t)old.len, 9);
	lost = trie_put(&old, root, 5000, 1);
	trie_nodes_init(&new, (uint32_t)old.len + 1);
	new.load = load;
	new.ctx = &old;
	next = trie_put(&new, root, 6000, 7);
	assert_int_equal(trie_find(&new, next, 6000), 7);
	assert_int_equal(trie_find(&new, next, 0), 9);
	assert_false(new.broken);
	assert_int_equal(trie_find(&new, lost, 5000), 0);
	assert_true(new.broken);
	trie_nodes_done(&new);
	trie_nodes_done(&old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(old_roots_keep_what_they_had),
		cmocka_unit_test(slots_up_to_the_last_are_found),
		cmocka_unit_test(maps_and_their_differences_are_those_of_arrays),
		cmocka_unit_test(a_change_costs_a_few_nodes),
		cmocka_unit_test(old_nodes_are_loaded_and_lost_ones_are_noticed),
	};
	return cmocka_run_group_tests_name("state/trie", tests, NULL, NULL);
}

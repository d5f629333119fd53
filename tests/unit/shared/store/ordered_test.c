#include "shared/store/ordered.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "tests/support/store_fixture.h"

#include <stdlib.h>

#define KEYS   64
#define ROUNDS 4000

static struct mx_slice key_of(unsigned number, char buffer[4])
{
	buffer[0] = (char)('a' + number / 16);
	buffer[1] = (char)('a' + number % 16);
	return mx_slice_of(buffer, 2);
}

static void put(struct store_ordered *map, struct mx_arena *mem, unsigned key, uint64_t position)
{
	char bytes[4];

	store_ordered_put(map, mem,
			  &(struct store_ordered_row){ .key = key_of(key, bytes),
						       .value = MX_SLICE("v"),
						       .position = position,
						       .present = true });
}

static void is_in_order(const struct store_ordered *map)
{
	const struct store_ordered_node *node = map->head[0];
	size_t len = node != NULL;

	for (; node && node->next[0]; node = node->next[0]) {
		int order = mx_slice_cmp(node->key, node->next[0]->key);

		assert_true(order < 0 || (order == 0 && node->position < node->next[0]->position));
		len++;
	}
	assert_int_equal(len, map->len);
}

/* Against an array of flags. */
static void rows_come_and_go_as_in_a_plain_array(void **state)
{
	bool there[KEYS] = { false };
	struct store_ordered map = { 0 };
	unsigned random = 7;
	char bytes[4];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned key = (random = random * 1103515245 + 12345) >> 16;
		struct store_ordered_node *node;

		key %= KEYS;
		node = store_ordered_find(&map, key_of(key, bytes), 5);
		assert_int_equal(node != NULL, there[key]);
		if (node && i % 3) {
			store_ordered_remove(&map, node);
			mx_free(node);
			there[key] = false;
		} else {
			put(&map, NULL, key, 5);
			there[key] = true;
		}
	}
	is_in_order(&map);
	for (unsigned key = 0; key < KEYS; key++) {
		struct store_ordered_node *node = store_ordered_from(&map, key_of(key, bytes), 0);
		unsigned next = key;

		while (next < KEYS && !there[next])
			next++;
		if (next == KEYS)
			assert_null(node);
		else
			assert_true(mx_slice_eq(node->key, key_of(next, bytes)));
	}
	store_ordered_done(&map);
}

static void one_key_stands_in_the_order_of_positions(void **state)
{
	struct store_ordered map = { 0 };
	struct mx_arena *mem = mx_arena_new(0);
	char bytes[4];

	(void)state;
	put(&map, mem, 3, 9);
	put(&map, mem, 3, 4);
	put(&map, mem, 4, 1);
	put(&map, mem, 3, 6);
	is_in_order(&map);
	assert_int_equal(store_ordered_from(&map, key_of(3, bytes), 5)->position, 6);
	assert_int_equal(store_ordered_from(&map, key_of(3, bytes), 10)->position, 1);
	assert_null(store_ordered_find(&map, key_of(3, bytes), 5));
	mx_arena_free(mem);
}

static void a_row_put_again_is_replaced(void **state)
{
	struct store_ordered map = { 0 };
	struct store_ordered_row row = { .key = MX_SLICE("k"), .value = MX_SLICE("old") };

	(void)state;
	store_ordered_put(&map, NULL, &row);
	row.value = MX_SLICE("new");
	store_ordered_put(&map, NULL, &row);
	assert_int_equal(map.len, 1);
	assert_true(mx_slice_is(map.head[0]->value, "new"));
	store_ordered_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_and_go_as_in_a_plain_array),
		cmocka_unit_test(one_key_stands_in_the_order_of_positions),
		cmocka_unit_test(a_row_put_again_is_replaced),
	};
	return cmocka_run_group_tests_name("store/ordered", tests, NULL, NULL);
}

#include "shared/core/due.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define THINGS 500

struct thing {
	int name;
	struct mx_due due;
};

/* The same numbers in every run, in no order. */
static int64_t mixed(int64_t i)
{
	return i * 7919 % 1009;
}

static struct thing *take_first(struct mx_due_heap *heap)
{
	struct mx_due *first = mx_due_first(heap);

	mx_due_remove(heap, first);
	return mx_due_entry(first, struct thing, due);
}

static void things_come_out_in_the_order_of_their_times(void **state)
{
	struct thing things[THINGS] = { 0 };
	struct mx_due_heap heap = { 0 };
	int64_t before = -1;

	(void)state;
	assert_null(mx_due_first(&heap));
	for (int i = 0; i < THINGS; i++)
		mx_due_add(&heap, &things[i].due, mixed(i));
	assert_int_equal(heap.len, THINGS);
	for (int i = 0; i < THINGS; i++) {
		const struct thing *thing = take_first(&heap);

		assert_true(thing->due.at >= before);
		assert_int_equal(thing->due.place, 0);
		before = thing->due.at;
	}
	assert_null(mx_due_first(&heap));
	mx_due_heap_done(&heap);
}

static void what_is_taken_out_of_the_middle_leaves_the_others_in_order(void **state)
{
	struct thing things[THINGS] = { 0 };
	struct mx_due_heap heap = { 0 };
	int64_t before = -1;

	(void)state;
	for (int i = 0; i < THINGS; i++)
		mx_due_add(&heap, &things[i].due, mixed(i));
	for (int i = 0; i < THINGS; i += 3)
		mx_due_remove(&heap, &things[i].due);
	mx_due_remove(&heap, &things[0].due); /* a second time */
	while (heap.len > 0) {
		const struct thing *thing = take_first(&heap);

		assert_int_not_equal((thing - things) % 3, 0);
		assert_true(thing->due.at >= before);
		before = thing->due.at;
	}
	mx_due_heap_done(&heap);
}

static void a_thing_that_is_added_again_moves(void **state)
{
	struct thing early = { .name = 1 }, late = { .name = 2 };
	struct mx_due_heap heap = { 0 };

	(void)state;
	mx_due_add(&heap, &early.due, 10);
	mx_due_add(&heap, &late.due, 20);
	mx_due_add(&heap, &early.due, 30);
	assert_int_equal(heap.len, 2);
	assert_int_equal(take_first(&heap)->name, 2);
	assert_int_equal(take_first(&heap)->name, 1);
	mx_due_heap_done(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(things_come_out_in_the_order_of_their_times),
		cmocka_unit_test(what_is_taken_out_of_the_middle_leaves_the_others_in_order),
		cmocka_unit_test(a_thing_that_is_added_again_moves),
	};

	return cmocka_run_group_tests_name("shared/core/due", tests, NULL, NULL);
}

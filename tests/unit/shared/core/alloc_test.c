#include "shared/core/alloc.h"
#include "shared/core/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

static void nothing_asked_is_still_a_block(void **state)
{
	mx_autofree char *none = mx_alloc(0);
	mx_autofree char *zero = mx_calloc(0, 8);

	(void)state;
	assert_non_null(none);
	assert_non_null(zero);
	none = mx_realloc(none, 0);
	assert_non_null(none);
}

static void copies_are_their_own(void **state)
{
	char text[] = "alias";
	mx_autofree char *whole = mx_strdup(text);
	mx_autofree char *part = mx_strndup(text, 2);
	mx_autofree char *bytes = mx_memdup(text, sizeof(text));

	(void)state;
	text[0] = 'X';
	assert_string_equal(whole, "alias");
	assert_string_equal(part, "al");
	assert_string_equal(bytes, "alias");
}

static void an_empty_copy_needs_no_source(void **state)
{
	mx_autofree char *text = mx_strndup(NULL, 0);

	(void)state;
	assert_string_equal(text, "");
}

static void what_is_stolen_leaves_its_variable_empty(void **state)
{
	mx_autofree char *owned = mx_strdup("a");
	char *taken = mx_steal(&owned);

	(void)state;
	assert_null(owned);
	assert_string_equal(taken, "a");
	mx_free(taken);
}

static void jansson_allocates_through_us(void **state)
{
	json_malloc_t allocate;
	json_free_t release;

	(void)state;
	mx_alloc_hook_jansson();
	json_get_alloc_funcs(&allocate, &release);
	assert_ptr_equal(allocate, mx_alloc);
	assert_ptr_equal(release, mx_free);
}

static void a_vector_keeps_order_while_it_grows(void **state)
{
	struct mx_vec(int) numbers = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		mx_vec_push(&numbers, i);
	assert_int_equal(numbers.len, 1000);
	assert_true(numbers.cap >= numbers.len);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(numbers.items[i], i);
	mx_vec_done(&numbers);
	assert_null(numbers.items);
	assert_int_equal(numbers.len, 0);
}

static void a_vector_takes_struct_literals(void **state)
{
	struct point {
		int x, y;
	};
	struct mx_vec(struct point) points = { 0 };

	(void)state;
	mx_vec_push(&points, (struct point){ .x = 1, .y = 2 });
	assert_int_equal(points.items[0].y, 2);
	mx_vec_done(&points);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_asked_is_still_a_block),
		cmocka_unit_test(copies_are_their_own),
		cmocka_unit_test(an_empty_copy_needs_no_source),
		cmocka_unit_test(what_is_stolen_leaves_its_variable_empty),
		cmocka_unit_test(jansson_allocates_through_us),
		cmocka_unit_test(a_vector_keeps_order_while_it_grows),
		cmocka_unit_test(a_vector_takes_struct_literals),
	};
	return cmocka_run_group_tests_name("core/alloc", tests, NULL, NULL);
}

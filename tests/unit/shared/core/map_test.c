#include "shared/core/map.h"

#include "shared/core/alloc.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char one[] = "one", two[] = "two";

static void an_empty_map_holds_nothing(void **state)
{
	struct mx_map map = { 0 };
	struct mx_slice key;
	size_t cursor = 0;
	void *value;

	(void)state;
	assert_null(mx_map_find(&map, MX_SLICE("a")));
	assert_null(mx_map_remove(&map, MX_SLICE("a")));
	assert_false(mx_map_next(&map, &cursor, &key, &value));
	mx_map_done(&map, NULL);
}

static void keys_are_bytes_and_are_copied(void **state)
{
	struct mx_map map = { 0 };
	char key[] = "a\0b";

	(void)state;
	assert_null(mx_map_put(&map, mx_slice_of(key, 3), one));
	key[2] = 'c';
	assert_string_equal(mx_map_find(&map, MX_SLICE("a\0b")), "one");
	assert_null(mx_map_find(&map, MX_SLICE("a\0c")));
	assert_null(mx_map_find(&map, MX_SLICE("a")));
	mx_map_done(&map, NULL);
}

static void the_empty_key_is_a_key(void **state)
{
	struct mx_map map = { 0 };

	(void)state;
	mx_map_put(&map, MX_SLICE(""), one);
	assert_string_equal(mx_map_find(&map, MX_SLICE("")), "one");
	assert_string_equal(mx_map_remove(&map, MX_SLICE("")), "one");
	assert_int_equal(map.len, 0);
	mx_map_done(&map, NULL);
}

static void putting_again_gives_the_old_value_back(void **state)
{
	struct mx_map map = { 0 };

	(void)state;
	mx_map_put(&map, MX_SLICE("k"), one);
	assert_string_equal(mx_map_put(&map, MX_SLICE("k"), two), "one");
	assert_string_equal(mx_map_find(&map, MX_SLICE("k")), "two");
	assert_int_equal(map.len, 1);
	mx_map_done(&map, NULL);
}

static int freed;

static void count_free(void *value)
{
	freed++;
	mx_free(value);
}

static void the_end_frees_every_value(void **state)
{
	struct mx_map map = { 0 };

	(void)state;
	freed = 0;
	for (int i = 0; i < 100; i++)
		mx_map_put(&map, mx_slice_of(&i, sizeof(i)), mx_strf("%d", i));
	mx_map_done(&map, count_free);
	assert_int_equal(freed, 100);
	assert_int_equal(map.len, 0);
}

/* ---- against an array: the key is the index */

#define KEYS 300

struct model {
	struct mx_map map;
	void *values[KEYS];
	size_t len;
};

static struct mx_slice key_of(unsigned i, char text[8])
{
	snprintf(text, 8, "k%u", i);
	return mx_slice(text);
}

static void random_step(struct model *model)
{
	static char marks[16];
	unsigned i = mx_random_below(KEYS);
	void *value = &marks[mx_random_below(sizeof(marks))];
	char text[8];
	struct mx_slice key = key_of(i, text);

	switch (mx_random_below(4)) {
	case 0:
		assert_ptr_equal(mx_map_remove(&model->map, key), model->values[i]);
		model->len -= model->values[i] != NULL;
		model->values[i] = NULL;
		break;
	case 1: assert_ptr_equal(mx_map_find(&model->map, key), model->values[i]); break;
	default:
		assert_ptr_equal(mx_map_put(&model->map, key, value), model->values[i]);
		model->len += model->values[i] == NULL;
		model->values[i] = value;
	}
	assert_int_equal(model->map.len, model->len);
}

static void compare_all(const struct model *model)
{
	size_t cursor = 0, seen = 0;
	struct mx_slice key;
	void *value;

	while (mx_map_next(&model->map, &cursor, &key, &value)) {
		int64_t i;

		assert_true(mx_parse_i64(mx_slice_of(key.ptr + 1, key.len - 1), &i));
		assert_ptr_equal(value, model->values[i]);
		seen++;
	}
	assert_int_equal(seen, model->len);
	for (unsigned i = 0; i < KEYS; i++) {
		char text[8];

		assert_ptr_equal(mx_map_find(&model->map, key_of(i, text)), model->values[i]);
	}
}

static void random_operations_agree_with_an_array(void **state)
{
	struct model model = { 0 };

	(void)state;
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 100; i++)
			random_step(&model);
		compare_all(&model);
	}
	mx_map_done(&model.map, NULL);
}

static void an_emptied_map_can_be_filled_again(void **state)
{
	struct mx_map map = { 0 };

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5000; i++)
			mx_map_put(&map, mx_slice_of(&i, sizeof(i)), one);
		for (int i = 0; i < 5000; i++)
			assert_non_null(mx_map_remove(&map, mx_slice_of(&i, sizeof(i))));
		assert_int_equal(map.len, 0);
	}
	assert_true(map.cap <= 16384);
	mx_map_done(&map, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_holds_nothing),
		cmocka_unit_test(keys_are_bytes_and_are_copied),
		cmocka_unit_test(the_empty_key_is_a_key),
		cmocka_unit_test(putting_again_gives_the_old_value_back),
		cmocka_unit_test(the_end_frees_every_value),
		cmocka_unit_test(random_operations_agree_with_an_array),
		cmocka_unit_test(an_emptied_map_can_be_filled_again),
	};
	return cmocka_run_group_tests_name("core/map", tests, NULL, NULL);
}

#include "shared/core/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void every_piece_is_aligned_and_apart(void **state)
{
	mx_arena_auto *arena = mx_arena_new(256);
	unsigned char *pieces[200];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		pieces[i] = mx_arena_alloc(arena, i);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i);
}

static void a_piece_larger_than_a_block_is_given(void **state)
{
	mx_arena_auto *arena = mx_arena_new(64);
	char *large = mx_arena_alloc(arena, 100000);

	(void)state;
	memset(large, 1, 100000);
	assert_true(mx_arena_size(arena) >= 100000);
	memset(mx_arena_alloc(arena, 10), 2, 10);
	assert_int_equal(large[99999], 1);
}

static void a_reset_keeps_only_the_first_block(void **state)
{
	mx_arena_auto *arena = mx_arena_new(1024);
	const void *first = mx_arena_alloc(arena, 8);

	(void)state;
	for (int i = 0; i < 100; i++)
		memset(mx_arena_alloc(arena, 512), 0, 512);
	assert_true(mx_arena_size(arena) > 1024);
	mx_arena_reset(arena);
	assert_int_equal(mx_arena_size(arena), 1024);
	assert_ptr_equal(mx_arena_alloc(arena, 8), first);
}

static void zeroed_memory_is_zero_after_a_reset_too(void **state)
{
	mx_arena_auto *arena = mx_arena_new(0);
	char *dirty = mx_arena_alloc(arena, 128);
	const char *clean;

	(void)state;
	memset(dirty, 0xFF, 128);
	mx_arena_reset(arena);
	clean = mx_arena_calloc(arena, 16, 8);
	for (int i = 0; i < 128; i++)
		assert_int_equal(clean[i], 0);
}

static void texts_are_copied_with_an_end(void **state)
{
	mx_arena_auto *arena = mx_arena_new(0);
	struct mx_slice slice = mx_arena_slice(arena, MX_SLICE("a\0b"));

	(void)state;
	assert_string_equal(mx_arena_strdup(arena, "room"), "room");
	assert_string_equal(mx_arena_strndup(arena, "room", 2), "ro");
	assert_string_equal(mx_arena_strndup(arena, NULL, 0), "");
	assert_int_equal(slice.len, 3);
	assert_memory_equal(slice.ptr, "a\0b", 4);
}

static void formatted_text_may_be_long(void **state)
{
	mx_arena_auto *arena = mx_arena_new(64);
	const char *text = mx_arena_strf(arena, "%05000d|%s", 7, "end");

	(void)state;
	assert_int_equal(strlen(text), 5004);
	assert_string_equal(text + 4999, "7|end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_piece_is_aligned_and_apart),
		cmocka_unit_test(a_piece_larger_than_a_block_is_given),
		cmocka_unit_test(a_reset_keeps_only_the_first_block),
		cmocka_unit_test(zeroed_memory_is_zero_after_a_reset_too),
		cmocka_unit_test(texts_are_copied_with_an_end),
		cmocka_unit_test(formatted_text_may_be_long),
	};
	return cmocka_run_group_tests_name("core/arena", tests, NULL, NULL);
}

#include "shared/core/arena.h"

#include "shared/core/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_BLOCK 4096
#define ALIGNMENT     16

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ALIGNMENT) char bytes[];
};

struct mx_arena {
	struct block *first; /* kept by reset */
	struct block *current;
	size_t block_size;
};

static struct block *block_new(size_t size)
{
	struct block *block;
	size_t bytes;

	if (__builtin_add_overflow(size, sizeof(*block), &bytes))
		abort();
	block = mx_alloc(bytes);
	block->next = NULL;
	block->size = size;
	block->used = 0;
	return block;
}

static void blocks_free(struct block *block)
{
	while (block) {
		struct block *next = block->next;

		mx_free(block);
		block = next;
	}
}

struct mx_arena *mx_arena_new(size_t block_size)
{
	struct mx_arena *arena = mx_alloc(sizeof(*arena));

	arena->block_size = block_size ? block_size : DEFAULT_BLOCK;
	arena->first = arena->current = block_new(arena->block_size);
	return arena;
}

void mx_arena_free(struct mx_arena *arena)
{
	if (!arena)
		return;
	blocks_free(arena->first);
	mx_free(arena);
}

void mx_arena_reset(struct mx_arena *arena)
{
	blocks_free(arena->first->next);
	arena->first->next = NULL;
	arena->first->used = 0;
	arena->current = arena->first;
}

void *mx_arena_alloc(struct mx_arena *arena, size_t size)
{
	struct block *block = arena->current;
	size_t need;
	void *ptr;

	if (__builtin_add_overflow(size, ALIGNMENT - 1, &need))
		abort();
	need &= ~(size_t)(ALIGNMENT - 1);
	if (block->size - block->used < need) {
		block->next = block_new(need > arena->block_size ? need : arena->block_size);
		block = arena->current = block->next;
	}
	ptr = block->bytes + block->used;
	block->used += need;
	return ptr;
}

void *mx_arena_calloc(struct mx_arena *arena, size_t count, size_t size)
{
	size_t total;
	void *ptr;

	if (__builtin_mul_overflow(count, size, &total))
		abort();
	ptr = mx_arena_alloc(arena, total);
	memset(ptr, 0, total);
	return ptr;
}

char *mx_arena_strndup(struct mx_arena *arena, const char *text, size_t len)
{
	char *copy = mx_arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *mx_arena_strdup(struct mx_arena *arena, const char *text)
{
	return mx_arena_strndup(arena, text, strlen(text));
}

char *mx_arena_strf(struct mx_arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		abort();
	text = mx_arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}

struct mx_slice mx_arena_slice(struct mx_arena *arena, struct mx_slice bytes)
{
	return mx_slice_of(mx_arena_strndup(arena, bytes.ptr, bytes.len), bytes.len);
}

size_t mx_arena_size(const struct mx_arena *arena)
{
	size_t total = 0;

	for (const struct block *block = arena->first; block; block = block->next)
		total += block->size;
	return total;
}

void mx_arena_cleanup(struct mx_arena **arena)
{
	mx_arena_free(*arena);
}

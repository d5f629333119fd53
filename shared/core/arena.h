/* An arena: many small allocations, one release. Not thread-safe. */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>

struct mx_arena;

/* block_size: how much is taken from the heap at a time; 0 = 4 KiB. */
struct mx_arena *mx_arena_new(size_t block_size);
void mx_arena_free(struct mx_arena *arena);

/* Forgets everything but keeps the first block for the next use. */
void mx_arena_reset(struct mx_arena *arena);

/* Aligned for any type; not zeroed. Lives until reset or free. */
void *mx_arena_alloc(struct mx_arena *arena, size_t size)
	__attribute__((malloc, warn_unused_result));
void *mx_arena_calloc(struct mx_arena *arena, size_t count, size_t size)
	__attribute__((malloc, warn_unused_result));
char *mx_arena_strndup(struct mx_arena *arena, const char *text, size_t len);
char *mx_arena_strdup(struct mx_arena *arena, const char *text);
char *mx_arena_strf(struct mx_arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A copy of the bytes, with a NUL behind them. */
struct mx_slice mx_arena_slice(struct mx_arena *arena, struct mx_slice bytes);

/* Bytes taken from the heap so far. */
size_t mx_arena_size(const struct mx_arena *arena);

void mx_arena_cleanup(struct mx_arena **arena);
#define mx_arena_auto __attribute__((cleanup(mx_arena_cleanup))) struct mx_arena

/* A typed growable array: `struct mx_vec(int) ids = { 0 }; mx_vec_push(&ids, 3);` */
#pragma once

#include "shared/core/alloc.h"

#include <stdlib.h>

#define mx_vec(type)             \
	{                        \
		type *items;     \
		size_t len, cap; \
	}

#define mx_vec_push(vec, ...)                                                     \
	do {                                                                      \
		(vec)->items = mx_vec_grow((vec)->items, (vec)->len, &(vec)->cap, \
					   sizeof(*(vec)->items));                \
		(vec)->items[(vec)->len++] = __VA_ARGS__;                         \
	} while (0)

#define mx_vec_done(vec)                     \
	do {                                 \
		mx_free((vec)->items);       \
		(vec)->items = NULL;         \
		(vec)->len = (vec)->cap = 0; \
	} while (0)

/* Room for one more item of `size` bytes. */
static inline void *mx_vec_grow(void *items, size_t len, size_t *cap, size_t size)
{
	size_t bytes;

	if (len < *cap)
		return items;
	*cap = *cap ? *cap * 2 : 8;
	if (__builtin_mul_overflow(*cap, size, &bytes))
		abort();
	return mx_realloc(items, bytes);
}

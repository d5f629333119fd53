/* A borrowed run of bytes; never NUL-terminated by promise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct mx_slice {
	const char *ptr;
	size_t len;
};

#define MX_SLICE(literal) ((struct mx_slice){ "" literal, sizeof(literal) - 1 })

/* printf("%.*s", MX_SLICE_ARG(s)) */
#define MX_SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct mx_slice mx_slice(const char *text)
{
	return (struct mx_slice){ text, text ? strlen(text) : 0 };
}

static inline struct mx_slice mx_slice_of(const void *ptr, size_t len)
{
	return (struct mx_slice){ ptr, len };
}

static inline bool mx_slice_eq(struct mx_slice a, struct mx_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool mx_slice_is(struct mx_slice a, const char *text)
{
	return mx_slice_eq(a, mx_slice(text));
}

/* Byte order, shorter first: for UTF-8 this is code-point order. */
static inline int mx_slice_cmp(struct mx_slice a, struct mx_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int diff = n ? memcmp(a.ptr, b.ptr, n) : 0;

	if (diff)
		return diff;
	return a.len < b.len ? -1 : a.len > b.len;
}

/* Strings: a growing builder, formatting, strict numbers. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `{ 0 }` is an empty builder. The text is NUL-terminated after the first append. */
struct mx_str {
	char *ptr;
	size_t len, cap;
};

void mx_str_done(struct mx_str *str);
void mx_str_clear(struct mx_str *str);
void mx_str_reserve(struct mx_str *str, size_t more);
void mx_str_add(struct mx_str *str, const void *bytes, size_t len);
void mx_str_add_text(struct mx_str *str, const char *text);
void mx_str_add_slice(struct mx_str *str, struct mx_slice slice);
void mx_str_add_char(struct mx_str *str, char c);
void mx_str_addf(struct mx_str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text, owned by the caller (mx_free); the builder is empty again. Never NULL. */
char *mx_str_steal(struct mx_str *str) __attribute__((warn_unused_result));

static inline struct mx_slice mx_str_slice(const struct mx_str *str)
{
	return mx_slice_of(str->ptr ? str->ptr : "", str->len);
}

#define mx_str_auto __attribute__((cleanup(mx_str_done))) struct mx_str

/* A new string, owned by the caller. */
char *mx_strf(const char *format, ...)
	__attribute__((format(printf, 1, 2), malloc, warn_unused_result));

static inline bool streq(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

bool mx_starts_with(const char *text, const char *prefix);
bool mx_ends_with(const char *text, const char *suffix);

/* Decimal, optional '-', nothing else; false on overflow or anything odd. */
bool mx_parse_i64(struct mx_slice text, int64_t *ret_value);

/* The piece before the next `separator`; `rest` moves behind it. False when rest is used up
 * (ptr NULL). "a,,b" gives "a", "", "b". */
bool mx_split_next(struct mx_slice *rest, char separator, struct mx_slice *ret_piece);

/* Without blanks and tabs at both ends. */
struct mx_slice mx_trim(struct mx_slice text);

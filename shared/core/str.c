#include "shared/core/str.h"

#include "shared/core/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void mx_str_done(struct mx_str *str)
{
	mx_free(str->ptr);
	*str = (struct mx_str){ 0 };
}

void mx_str_clear(struct mx_str *str)
{
	str->len = 0;
	if (str->ptr)
		str->ptr[0] = '\0';
}

void mx_str_reserve(struct mx_str *str, size_t more)
{
	size_t need, cap = str->cap ? str->cap : 64;

	if (__builtin_add_overflow(str->len + 1, more, &need))
		abort();
	if (need <= str->cap)
		return;
	while (cap < need)
		if (__builtin_mul_overflow(cap, (size_t)2, &cap))
			abort();
	str->ptr = mx_realloc(str->ptr, cap);
	str->cap = cap;
}

void mx_str_add(struct mx_str *str, const void *bytes, size_t len)
{
	mx_str_reserve(str, len);
	if (len)
		memcpy(str->ptr + str->len, bytes, len);
	str->len += len;
	str->ptr[str->len] = '\0';
}

void mx_str_add_text(struct mx_str *str, const char *text)
{
	mx_str_add(str, text, strlen(text));
}

void mx_str_add_slice(struct mx_str *str, struct mx_slice slice)
{
	mx_str_add(str, slice.ptr, slice.len);
}

void mx_str_add_char(struct mx_str *str, char c)
{
	mx_str_add(str, &c, 1);
}

__attribute__((format(printf, 2, 0))) static void add_formatted(struct mx_str *str,
								const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len < 0)
		abort();
	mx_str_reserve(str, (size_t)len);
	vsnprintf(str->ptr + str->len, (size_t)len + 1, format, again);
	va_end(again);
	str->len += (size_t)len;
}

void mx_str_addf(struct mx_str *str, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_formatted(str, format, args);
	va_end(args);
}

char *mx_str_steal(struct mx_str *str)
{
	char *text = str->ptr ? str->ptr : mx_strdup("");

	*str = (struct mx_str){ 0 };
	return text;
}

char *mx_strf(const char *format, ...)
{
	struct mx_str str = { 0 };
	va_list args;

	va_start(args, format);
	add_formatted(&str, format, args);
	va_end(args);
	return mx_str_steal(&str);
}

bool mx_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool mx_ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len >= tail && memcmp(text + len - tail, suffix, tail) == 0;
}

bool mx_parse_i64(struct mx_slice text, int64_t *ret_value)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	int64_t value = 0;

	if (text.len == (size_t)negative)
		return false;
	for (size_t i = negative; i < text.len; i++) {
		int digit = text.ptr[i] - '0';

		if (digit < 0 || digit > 9)
			return false;
		/* Downwards for negatives, so that INT64_MIN is reached without overflow. */
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, negative ? -digit : digit, &value))
			return false;
	}
	*ret_value = value;
	return true;
}

bool mx_split_next(struct mx_slice *rest, char separator, struct mx_slice *ret_piece)
{
	const char *end;

	if (!rest->ptr)
		return false;
	end = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
	if (!end) {
		*ret_piece = *rest;
		*rest = (struct mx_slice){ 0 };
		return true;
	}
	*ret_piece = mx_slice_of(rest->ptr, (size_t)(end - rest->ptr));
	rest->len -= ret_piece->len + 1;
	rest->ptr = end + 1;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct mx_slice mx_trim(struct mx_slice text)
{
	while (text.len && is_blank(text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	while (text.len && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

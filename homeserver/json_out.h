/* Writing JSON objects and lists into a buffer, whose end says whether a comma is due. */
#pragma once

#include "shared/core/str.h"

#include <stdbool.h>

/* Before an item of a list. The buffer is not empty. */
static inline void json_next(struct mx_str *out)
{
	char last = out->ptr[out->len - 1];

	if (last != '{' && last != '[' && last != ':')
		mx_str_add_char(out, ',');
}

/* Before a member's value; the key needs no escapes. */
static inline void json_key(struct mx_str *out, const char *key)
{
	json_next(out);
	mx_str_add_char(out, '"');
	mx_str_add_text(out, key);
	mx_str_add(out, "\":", 2);
}

/* An object that is left out if nothing comes into it. */
struct json_object {
	size_t start, inside;
};

static inline struct json_object json_begin(struct mx_str *out, const char *key)
{
	struct json_object object = { .start = out->len };

	json_key(out, key);
	mx_str_add_char(out, '{');
	object.inside = out->len;
	return object;
}

/* What was written since is gone. */
static inline void json_cut(struct mx_str *out, size_t len)
{
	out->len = len;
	out->ptr[len] = '\0';
}

static inline bool json_end(struct mx_str *out, struct json_object object)
{
	bool any = out->len > object.inside;

	if (any)
		mx_str_add_char(out, '}');
	else
		json_cut(out, object.start);
	return any;
}

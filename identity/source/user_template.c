#include "identity/source/user_template.h"

#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"

/* The places of the braces; false if they are not there once each, in their order. */
static bool find_braces(const char *text, const char **ret_open, const char **ret_close)
{
	const char *open = strchr(text, '{'), *close = strchr(text, '}');

	if (!open || !close || close < open + 2)
		return false;
	if (strchr(open + 1, '{') || strchr(close + 1, '}'))
		return false;
	*ret_open = open;
	*ret_close = close;
	return true;
}

static bool is_whole_id(const char *open, const char *close, const char *text)
{
	return open == text && close[1] == '\0';
}

bool user_template_is_valid(const char *text)
{
	const char *open, *close;
	mx_str_auto tried = { 0 };
	struct mx_id id;

	if (!find_braces(text, &open, &close))
		return false;
	if (is_whole_id(open, close, text))
		return true;
	mx_str_addf(&tried, "%.*sa%s", (int)(open - text), text, close + 1);
	return mx_user_id_parse(mx_str_slice(&tried), true, &id);
}

struct mx_slice user_template_attribute(const char *text)
{
	const char *open = strchr(text, '{') + 1;

	return mx_slice_of(open, (size_t)(strchr(open, '}') - open));
}

static void add_small(struct mx_str *out, struct mx_slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		mx_str_add_char(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
}

/* A ':' in a value would choose the server: it is never part of a name. */
const char *user_template_fill(const char *text, struct mx_slice value, struct mx_arena *mem)
{
	const char *open, *close;
	mx_str_auto filled = { 0 };
	struct mx_id id;
	bool whole;

	if (!find_braces(text, &open, &close) || value.len == 0 || value.len > MX_ID_MAX)
		return NULL;
	whole = is_whole_id(open, close, text);
	if (!whole && memchr(value.ptr, ':', value.len))
		return NULL;
	mx_str_add(&filled, text, (size_t)(open - text));
	if (whole)
		mx_str_add_slice(&filled, value);
	else
		add_small(&filled, value);
	mx_str_add_text(&filled, close + 1);
	if (memchr(filled.ptr, '\0', filled.len))
		return NULL;
	if (!mx_user_id_parse(mx_str_slice(&filled), !whole, &id))
		return NULL;
	return mx_arena_strndup(mem, filled.ptr, filled.len);
}

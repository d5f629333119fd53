#include "shared/http/form.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/http/target.h"

#include <strings.h>

/* Parameters such as charset may follow the type. */
static bool is_type(struct mx_slice content_type, const char *type)
{
	size_t len = strlen(type);

	return content_type.len >= len && strncasecmp(content_type.ptr, type, len) == 0;
}

/* JSON sent with the type that curl gives to everything is meant as JSON: a form has these bytes
 * only encoded. */
static bool begins_as_json(struct mx_slice body)
{
	struct mx_slice text = mx_trim(body);

	while (text.len > 0 && (text.ptr[0] == '\n' || text.ptr[0] == '\r'))
		text = mx_trim(mx_slice_of(text.ptr + 1, text.len - 1));
	return text.len > 0 && (text.ptr[0] == '{' || text.ptr[0] == '[' || text.ptr[0] == '"');
}

bool form_is_json(struct mx_slice content_type, struct mx_slice body)
{
	if (body.len == 0)
		return false;
	return is_type(content_type, "application/json") || begins_as_json(body);
}

static char *copy_decoded(struct mx_slice piece, struct mx_arena *mem)
{
	char *text = mx_arena_strndup(mem, piece.ptr, piece.len);

	for (char *at = text; *at; at++)
		if (*at == '+')
			*at = ' ';
	return target_decode(text) && mx_utf8_valid(mx_slice(text)) ? text : NULL;
}

static void add_new(json_t *object, const char *name, const char *value)
{
	if (!json_object_get(object, name))
		json_object_set_new(object, name, json_string(value));
}

static bool read_pair(struct mx_slice pair, struct mx_arena *mem, json_t *object)
{
	struct mx_slice value = pair, name = { 0 };
	char *name_text, *value_text;

	mx_split_next(&value, '=', &name);
	if (!value.ptr)
		value = mx_slice("");
	name_text = copy_decoded(name, mem);
	value_text = copy_decoded(value, mem);
	if (!name_text || !value_text)
		return false;
	add_new(object, name_text, value_text);
	return true;
}

int form_read(struct mx_slice body, struct mx_arena *mem, json_t *object, struct mx_error *err)
{
	struct mx_slice pair;
	unsigned count = 0;

	/* A NUL would cut the copies short. */
	if (body.len > 0 && memchr(body.ptr, '\0', body.len))
		return mx_fail(err, MX_INVALID_PARAM, "The form is not encoded correctly");
	while (body.len > 0 && mx_split_next(&body, '&', &pair)) {
		if (pair.len == 0)
			continue;
		if (++count > FORM_PAIRS_MAX)
			return mx_fail(err, MX_INVALID_PARAM, "The form has too many fields");
		if (!read_pair(pair, mem, object))
			return mx_fail(err, MX_INVALID_PARAM, "The form is not encoded correctly");
	}
	return 0;
}

void form_fill(json_t *object, const struct target *target)
{
	for (unsigned i = 0; i < target->pairs_len; i++)
		add_new(object, target->pairs[i].name, target->pairs[i].value);
}

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/core/vec.h"
#include "shared/schema/rule.h"
#include "shared/schema/schema.h"

#define POINTER_MAX 120 /* bytes of a place that are shown */

/* A container whose children are being looked at. */
struct frame {
	const struct mx_schema_rule *rule;
	json_t *json;
	void *member; /* of an object, the next one */
	size_t item; /* of an array, the index of the next one */
	const char *key; /* of the child that is looked at; NULL in an array */
};

struct checker {
	struct mx_vec(struct frame) frames;
	struct mx_error *err;
};

/* Spec: RFC 6901, 3. Cut between characters: keys come from outside and may be long. */
static void name_add(struct mx_str *pointer, const char *name)
{
	struct mx_slice rest = mx_slice(name);

	mx_str_add_char(pointer, '/');
	while (rest.len && pointer->len < POINTER_MAX) {
		size_t len = mx_utf8_step(rest);

		if (!len)
			return;
		if (*rest.ptr == '~' || *rest.ptr == '/')
			mx_str_add_text(pointer, *rest.ptr == '~' ? "~0" : "~1");
		else
			mx_str_add(pointer, rest.ptr, len);
		rest = mx_slice_of(rest.ptr + len, rest.len - len);
	}
}

/* The place of the value that is looked at, then `child` unless it is NULL. */
static void pointer_format(const struct checker *c, const char *child, struct mx_str *ret_pointer)
{
	for (size_t i = 0; i < c->frames.len && ret_pointer->len < POINTER_MAX; i++) {
		const struct frame *frame = &c->frames.items[i];

		if (frame->key)
			name_add(ret_pointer, frame->key);
		else
			mx_str_addf(ret_pointer, "/%zu", frame->item - 1);
	}
	if (child && ret_pointer->len < POINTER_MAX)
		name_add(ret_pointer, child);
	if (ret_pointer->len >= POINTER_MAX)
		mx_str_add_text(ret_pointer, "\xE2\x80\xA6");
	if (!ret_pointer->len)
		mx_str_add_text(ret_pointer, "The JSON");
}

/* `child` is the member it is about, NULL for the value itself. */
static int violation(const struct checker *c, enum mx_code code, const char *child,
		     const char *what)
{
	mx_str_auto pointer = { 0 };

	pointer_format(c, child, &pointer);
	return mx_fail(c->err, code, "%s %s", pointer.ptr, what);
}

static unsigned type_bit(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT: return RULE_OBJECT;
	case JSON_ARRAY: return RULE_ARRAY;
	case JSON_STRING: return RULE_STRING;
	case JSON_INTEGER: return RULE_INTEGER;
	case JSON_REAL: return RULE_REAL;
	case JSON_TRUE:
	case JSON_FALSE: return RULE_BOOLEAN;
	case JSON_NULL: return RULE_NULL;
	}
	return 0;
}

static int wrong_type(const struct checker *c, unsigned types)
{
	static const struct {
		unsigned bits;
		const char *name;
	} names[] = {
		{ RULE_OBJECT, "an object" },   { RULE_ARRAY, "an array" },
		{ RULE_STRING, "a string" },    { RULE_REAL, "a number" },
		{ RULE_INTEGER, "an integer" }, { RULE_BOOLEAN, "a boolean" },
		{ RULE_NULL, "null" },
	};
	mx_str_auto what = { 0 };

	mx_str_add_text(&what, "must be ");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(types & names[i].bits))
			continue;
		mx_str_add_text(&what, what.len > 8 ? " or " : "");
		mx_str_add_text(&what, names[i].name);
		if (names[i].bits == RULE_REAL)
			types &= ~RULE_NUMBER;
	}
	return violation(c, MX_BAD_JSON, NULL, what.ptr);
}

static bool is_choice(const json_t *choices, const json_t *json)
{
	for (size_t i = 0; i < json_array_size(choices); i++)
		if (json_equal(json_array_get(choices, i), json))
			return true;
	return false;
}

static int number_check(const struct checker *c, const struct mx_schema_rule *rule,
			const json_t *json)
{
	bool low, high;

	if (json_is_integer(json)) {
		low = json_integer_value(json) < rule->minimum;
		high = json_integer_value(json) > rule->maximum;
	} else {
		low = json_real_value(json) < (double)rule->minimum;
		high = json_real_value(json) > (double)rule->maximum;
	}
	if (low || high)
		return violation(c, MX_INVALID_PARAM, NULL, low ? "is too small" : "is too big");
	return 0;
}

/* A string, or a key of an object. */
static int text_check(const struct checker *c, const struct mx_schema_rule *rule,
		      struct mx_slice text)
{
	size_t length = mx_utf8_count(text);

	if (length > rule->max_length)
		return violation(c, MX_TOO_LARGE, NULL, "is too long");
	if (length < rule->min_length)
		return violation(c, MX_INVALID_PARAM, NULL, "is too short");
	if (rule->format && !rule->format->holds(text))
		return violation(c, MX_INVALID_PARAM, NULL, "is not of the required form");
	return 0;
}

/* Handlers read what a schema calls a string as C does: a NUL would hide the rest from them. */
static int string_check(const struct checker *c, const struct mx_schema_rule *rule,
			const json_t *json)
{
	struct mx_slice text = mx_slice_of(json_string_value(json), json_string_length(json));

	if ((rule->types & RULE_STRING) && memchr(text.ptr, '\0', text.len))
		return violation(c, MX_INVALID_PARAM, NULL, "holds a NUL character");
	return text_check(c, rule, text);
}

static int array_check(const struct checker *c, const struct mx_schema_rule *rule,
		       const json_t *json)
{
	if (json_array_size(json) > rule->max_items)
		return violation(c, MX_TOO_LARGE, NULL, "has too many items");
	if (json_array_size(json) < rule->min_items)
		return violation(c, MX_INVALID_PARAM, NULL, "has too few items");
	return 0;
}

static int object_check(const struct checker *c, const struct mx_schema_rule *rule,
			const json_t *json)
{
	if (json_object_size(json) > rule->max_members)
		return violation(c, MX_TOO_LARGE, NULL, "has too many members");
	for (size_t i = 0; i < json_array_size(rule->required); i++) {
		const char *name = json_string_value(json_array_get(rule->required, i));

		if (!json_object_get(json, name))
			return violation(c, MX_MISSING_PARAM, name, "is missing");
	}
	return 0;
}

/* The value apart from its children. */
static int value_check(const struct checker *c, const struct mx_schema_rule *rule,
		       const json_t *json)
{
	if (rule->types && !(rule->types & type_bit(json)))
		return wrong_type(c, rule->types);
	if (rule->choices && !is_choice(rule->choices, json))
		return violation(c, MX_INVALID_PARAM, NULL, "is not one of the allowed values");
	if (rule->constant && !json_equal(rule->constant, json))
		return violation(c, MX_INVALID_PARAM, NULL, "is not the required value");
	if (json_is_number(json))
		return number_check(c, rule, json);
	if (json_is_array(json))
		return array_check(c, rule, json);
	if (json_is_object(json))
		return object_check(c, rule, json);
	if (json_is_string(json))
		return string_check(c, rule, json);
	return 0;
}

/* Checks the value; its children are left to their frame. */
static int value_enter(struct checker *c, const struct mx_schema_rule *rule, json_t *json)
{
	struct frame frame = { .rule = rule, .json = json };
	int rc = value_check(c, rule, json);

	if (rc || !(json_is_array(json) || json_is_object(json)))
		return rc;
	if (json_is_object(json))
		frame.member = json_object_iter(json);
	mx_vec_push(&c->frames, frame);
	return 0;
}

/* False if the schema does not know the member. */
static bool member_rule(const struct mx_schema_rule *rule, const char *key,
			const struct mx_schema_rule **ret_rule)
{
	for (size_t i = 0; i < rule->member_count; i++) {
		if (!streq(rule->members[i].name, key))
			continue;
		*ret_rule = rule->members[i].rule;
		return true;
	}
	*ret_rule = rule->others;
	return !rule->closed;
}

static int member_step(struct checker *c, struct frame *frame)
{
	void *at = frame->member;
	const struct mx_schema_rule *rule;
	int rc;

	frame->key = json_object_iter_key(at);
	frame->member = json_object_iter_next(frame->json, at);
	if (frame->rule->names) {
		const struct mx_slice key = { frame->key, json_object_iter_key_len(at) };

		rc = text_check(c, frame->rule->names, key);
		if (rc)
			return rc;
	}
	if (!member_rule(frame->rule, frame->key, &rule))
		return violation(c, MX_BAD_JSON, NULL, "is not known here");
	return rule ? value_enter(c, rule, json_object_iter_value(at)) : 0;
}

static int item_step(struct checker *c, struct frame *frame)
{
	json_t *item = json_array_get(frame->json, frame->item++);

	return value_enter(c, frame->rule->items, item);
}

/* The next child of the innermost container, or out of it. */
static int frame_step(struct checker *c)
{
	struct frame *frame = &c->frames.items[c->frames.len - 1];

	if (frame->member)
		return member_step(c, frame);
	if (frame->rule->items && frame->item < json_array_size(frame->json))
		return item_step(c, frame);
	c->frames.len--;
	return 0;
}

int mx_schema_check(const struct mx_schema *schema, const json_t *json, struct mx_error *err)
{
	struct checker c = { .err = err };
	/* jansson's iterators take no const trees, though they change nothing. */
	int rc = value_enter(&c, mx_schema_root(schema), (json_t *)(uintptr_t)json);

	while (!rc && c.frames.len)
		rc = frame_step(&c);
	mx_vec_done(&c.frames);
	return rc;
}

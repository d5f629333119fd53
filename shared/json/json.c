#include "shared/json/json.h"

#include "shared/core/error.h"

/* jansson holds integers in 64 bits. */
static bool integers_fit(const struct mx_json_doc *doc)
{
	for (uint32_t i = 0; i < doc->nodes[0].end; i++) {
		int64_t value;

		if (mx_json_type(doc, i) == MX_JSON_INTEGER && !mx_json_i64(doc, i, &value))
			return false;
	}
	return true;
}

/* What the scanner let through and jansson did not. */
static int refused(const struct mx_json_doc *doc, const json_error_t *why, struct mx_error *err)
{
	switch (json_error_code(why)) {
	case json_error_null_byte_in_key:
		return mx_fail(err, MX_BAD_JSON, "A key holds a NUL character");
	case json_error_stack_overflow:
		return mx_fail(err, MX_BAD_JSON, "The JSON has too many levels");
	case json_error_numeric_overflow:
		if (!integers_fit(doc))
			return mx_fail(err, MX_BAD_JSON, "An integer is beyond 64 bits");
		return mx_fail(err, MX_NOT_JSON, "A number is beyond all limits");
	default: return mx_fail(err, MX_NOT_JSON, "Not JSON at byte %d", why->position);
	}
}

int mx_json_parse(struct mx_slice text, const struct mx_json_limits *limits, struct mx_arena *mem,
		  json_t **ret_json, struct mx_error *err)
{
	struct mx_json_doc doc;
	json_error_t why;
	json_t *json;
	int rc = mx_json_scan(text, limits, mem, &doc, err);

	if (rc)
		return rc;
	json = json_loadb(doc.text, doc.len,
			  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &why);
	if (!json)
		return refused(&doc, &why, err);
	*ret_json = json;
	return 0;
}

const char *jstr(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

const char *jstr_or(const json_t *object, const char *key, const char *other)
{
	const char *text = jstr(object, key);

	return text ? text : other;
}

struct mx_slice jslice(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return mx_slice_of(json_string_value(value), json_string_length(value));
}

int64_t jint(const json_t *object, const char *key, int64_t other)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : other;
}

bool jbool(const json_t *object, const char *key, bool other)
{
	const json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : other;
}

json_t *jobj(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_object(value) ? value : NULL;
}

json_t *jarr(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_array(value) ? value : NULL;
}

char *mx_json_text(const json_t *json)
{
	return json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
}

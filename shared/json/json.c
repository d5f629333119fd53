#include "shared/json/json.h"

#include "shared/json/tree.h"

int mx_json_parse(struct mx_slice text, const struct mx_json_limits *limits, struct mx_arena *mem,
		  json_t **ret_json, struct mx_error *err)
{
	struct mx_json_doc doc;
	int rc = mx_json_scan(text, limits, mem, &doc, err);

	return rc ? rc : mx_json_tree(&doc, mem, ret_json, err);
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

#include "shared/json/tree.h"

#include "shared/core/error.h"
#include "shared/core/vec.h"

/* An open container. */
struct level {
	json_t *container;
	uint32_t end; /* the first node behind it */
	struct mx_slice key; /* of the next value; ptr NULL: a key comes, or it is a list */
};

struct builder {
	const struct mx_json_doc *doc;
	struct mx_arena *mem;
	struct mx_error *err;
	struct mx_vec(struct level) levels;
	json_t *root;
};

static int add_integer(struct builder *builder, uint32_t node, json_t **ret_value)
{
	int64_t value;

	if (!mx_json_i64(builder->doc, node, &value))
		return mx_fail(builder->err, MX_BAD_JSON, "An integer is beyond 64 bits");
	*ret_value = json_integer(value);
	return 0;
}

/* Rare, and its reading depends on the locale: jansson knows how. */
static int add_real(struct builder *builder, uint32_t node, json_t **ret_value)
{
	struct mx_slice text = mx_json_raw(builder->doc, node);

	*ret_value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
	if (!*ret_value)
		return mx_fail(builder->err, MX_NOT_JSON, "A number is beyond all limits");
	return 0;
}

static json_t *string_of(struct builder *builder, uint32_t node)
{
	struct mx_slice text = mx_json_string(builder->doc, node, builder->mem);

	return json_stringn_nocheck(text.ptr, text.len);
}

/* *ret_value: a new reference. */
static int make(struct builder *builder, uint32_t node, json_t **ret_value)
{
	switch (mx_json_type(builder->doc, node)) {
	case MX_JSON_NULL: *ret_value = json_null(); break;
	case MX_JSON_FALSE: *ret_value = json_false(); break;
	case MX_JSON_TRUE: *ret_value = json_true(); break;
	case MX_JSON_STRING: *ret_value = string_of(builder, node); break;
	case MX_JSON_ARRAY: *ret_value = json_array(); break;
	case MX_JSON_OBJECT: *ret_value = json_object(); break;
	case MX_JSON_INTEGER: return add_integer(builder, node, ret_value);
	case MX_JSON_REAL: return add_real(builder, node, ret_value);
	}
	return 0;
}

/* The innermost container that is still open; NULL at the document's root. */
static struct level *level_at(struct builder *builder, uint32_t node)
{
	while (builder->levels.len > 0 &&
	       builder->levels.items[builder->levels.len - 1].end <= node)
		builder->levels.len--;
	return builder->levels.len ? &builder->levels.items[builder->levels.len - 1] : NULL;
}

static int take_key(struct builder *builder, struct level *level, uint32_t node)
{
	level->key = mx_json_string(builder->doc, node, builder->mem);
	if (memchr(level->key.ptr, '\0', level->key.len))
		return mx_fail(builder->err, MX_BAD_JSON, "A key holds a NUL character");
	return 0;
}

/* Takes the reference. */
static void attach(struct builder *builder, struct level *level, json_t *value)
{
	if (!level) {
		builder->root = value;
	} else if (level->key.ptr) {
		json_object_setn_new_nocheck(level->container, level->key.ptr, level->key.len,
					     value);
		level->key.ptr = NULL;
	} else {
		json_array_append_new(level->container, value);
	}
}

static int open_level(struct builder *builder, uint32_t node, json_t *container)
{
	if (builder->levels.len == MX_JSON_LEVELS_MAX)
		return mx_fail(builder->err, MX_BAD_JSON, "The JSON has too many levels");
	mx_vec_push(&builder->levels, (struct level){ .container = container,
						      .end = mx_json_end(builder->doc, node) });
	return 0;
}

static int add_node(struct builder *builder, uint32_t node)
{
	struct level *level = level_at(builder, node);
	json_t *value = NULL;
	int rc;

	if (level && json_is_object(level->container) && !level->key.ptr)
		return take_key(builder, level, node);
	rc = make(builder, node, &value);
	if (rc)
		return rc;
	attach(builder, level, value);
	if (json_is_array(value) || json_is_object(value))
		return open_level(builder, node, value);
	return 0;
}

int mx_json_tree(const struct mx_json_doc *doc, struct mx_arena *mem, json_t **ret_json,
		 struct mx_error *err)
{
	struct builder builder = { .doc = doc, .mem = mem, .err = err };
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < doc->nodes[0].end; i++)
		rc = add_node(&builder, i);
	mx_vec_done(&builder.levels);
	if (rc) {
		json_decref(builder.root);
		return rc;
	}
	*ret_json = builder.root;
	return 0;
}

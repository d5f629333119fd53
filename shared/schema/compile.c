#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/map.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"
#include "shared/json/json.h"
#include "shared/schema/rule.h"
#include "shared/schema/schema.h"

/* Schemas that one schema may refer to, itself included. */
#define FILES_MAX 16

struct file {
	const char *name; /* "" is the schema itself */
	json_t *json;
};

struct mx_schema {
	struct mx_arena *mem;
	struct file files[FILES_MAX];
	size_t file_count;
	const struct mx_schema_rule *root;
};

struct compiler {
	struct mx_schema *schema;
	struct mx_map rules; /* "file#/pointer" -> rule; `busy` while it is looked for */
	const struct file *file;
	struct mx_error *err;
};

struct keyword {
	const char *name;
	int (*compile)(struct compiler *c, struct mx_schema_rule *rule, const json_t *value);
};

static struct mx_schema_rule busy;

static int rule_compile(struct compiler *c, const json_t *json,
			const struct mx_schema_rule **ret_rule);

static int bad_value(struct compiler *c, const char *keyword)
{
	return mx_fail(c->err, MX_BAD_JSON, "Bad value of \"%s\" in a schema", keyword);
}

static int types_add(struct compiler *c, struct mx_schema_rule *rule, const json_t *name)
{
	static const struct {
		const char *name;
		unsigned bits;
	} types[] = {
		{ "null", RULE_NULL },     { "boolean", RULE_BOOLEAN }, { "integer", RULE_INTEGER },
		{ "number", RULE_NUMBER }, { "string", RULE_STRING },   { "array", RULE_ARRAY },
		{ "object", RULE_OBJECT },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!streq(types[i].name, json_string_value(name)))
			continue;
		rule->types |= types[i].bits;
		return 0;
	}
	return bad_value(c, "type");
}

static int type_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	if (!json_is_array(value))
		return types_add(c, rule, value);
	if (!json_array_size(value))
		return bad_value(c, "type");
	for (size_t i = 0; i < json_array_size(value); i++) {
		int rc = types_add(c, rule, json_array_get(value, i));

		if (rc)
			return rc;
	}
	return 0;
}

static int enum_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	if (!json_array_size(value))
		return bad_value(c, "enum");
	rule->choices = value;
	return 0;
}

static int const_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	(void)c;
	rule->constant = value;
	return 0;
}

static int minimum_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	if (!json_is_integer(value))
		return bad_value(c, "minimum");
	rule->minimum = json_integer_value(value);
	return 0;
}

static int maximum_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	if (!json_is_integer(value))
		return bad_value(c, "maximum");
	rule->maximum = json_integer_value(value);
	return 0;
}

static int size_read(struct compiler *c, const char *keyword, const json_t *value, size_t *ret_size)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return bad_value(c, keyword);
	*ret_size = (size_t)json_integer_value(value);
	return 0;
}

static int min_length_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	return size_read(c, "minLength", value, &rule->min_length);
}

static int max_length_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	return size_read(c, "maxLength", value, &rule->max_length);
}

static int min_items_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	return size_read(c, "minItems", value, &rule->min_items);
}

static int max_items_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	return size_read(c, "maxItems", value, &rule->max_items);
}

static int max_members_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	return size_read(c, "maxProperties", value, &rule->max_members);
}

static int format_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	rule->format = mx_schema_format_find(json_string_value(value));
	return rule->format ? 0 : bad_value(c, "format");
}

static int items_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	return rule_compile(c, value, &rule->items);
}

static int names_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	return rule_compile(c, value, &rule->names);
}

static int others_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	rule->closed = json_is_false(value);
	if (json_is_boolean(value))
		return 0;
	return rule_compile(c, value, &rule->others);
}

static int required_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	if (!json_is_array(value))
		return bad_value(c, "required");
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_string(json_array_get(value, i)))
			return bad_value(c, "required");
	rule->required = value;
	return 0;
}

static int members_compile(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	struct mx_schema_member *members;
	json_t *member;
	const char *name;

	if (!json_is_object(value))
		return bad_value(c, "properties");
	members = mx_arena_calloc(c->schema->mem, json_object_size(value), sizeof(*members));
	rule->members = members;
	json_object_foreach ((json_t *)(uintptr_t)value, name, member) {
		struct mx_schema_member *slot = &members[rule->member_count++];
		int rc = rule_compile(c, member, &slot->rule);

		if (rc)
			return rc;
		slot->name = name;
	}
	return 0;
}

/* Says something to people, or is found by references only. */
static int ignored(struct compiler *c, struct mx_schema_rule *rule, const json_t *value)
{
	(void)c;
	(void)rule;
	(void)value;
	return 0;
}

static int keyword_compile(struct compiler *c, struct mx_schema_rule *rule, const char *name,
			   const json_t *value)
{
	static const struct keyword keywords[] = {
		{ "type", type_compile },
		{ "enum", enum_compile },
		{ "const", const_compile },
		{ "minimum", minimum_compile },
		{ "maximum", maximum_compile },
		{ "minLength", min_length_compile },
		{ "maxLength", max_length_compile },
		{ "format", format_compile },
		{ "items", items_compile },
		{ "minItems", min_items_compile },
		{ "maxItems", max_items_compile },
		{ "properties", members_compile },
		{ "additionalProperties", others_compile },
		{ "propertyNames", names_compile },
		{ "required", required_compile },
		{ "maxProperties", max_members_compile },
		{ "title", ignored },
		{ "description", ignored },
		{ "$defs", ignored },
	};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (streq(keywords[i].name, name))
			return keywords[i].compile(c, rule, value);
	return mx_fail(c->err, MX_BAD_JSON, "Unknown keyword \"%s\" in a schema", name);
}

static int rule_fill(struct compiler *c, struct mx_schema_rule *rule, const json_t *json)
{
	const char *name;
	json_t *value;

	*rule = (struct mx_schema_rule){
		.minimum = INT64_MIN,
		.maximum = INT64_MAX,
		.max_length = SIZE_MAX,
		.max_items = SIZE_MAX,
		.max_members = SIZE_MAX,
	};
	json_object_foreach ((json_t *)(uintptr_t)json, name, value) {
		int rc = keyword_compile(c, rule, name, value);

		if (rc)
			return rc;
	}
	return 0;
}

static json_t *text_load(const struct mx_schema_text *text)
{
	mx_arena_auto *mem = mx_arena_new(0);
	json_t *json = NULL;

	if (mx_json_parse(mx_slice_of(text->bytes, text->len), &mx_json_default_limits, mem, &json,
			  NULL))
		return NULL;
	return json;
}

/* The file "types" of "types.json"; the current one for "". NULL if there is none. */
static const struct file *file_find(struct compiler *c, struct mx_slice name)
{
	struct mx_schema *schema = c->schema;
	const struct mx_schema_text *text;
	json_t *json;

	if (!name.len)
		return c->file;
	if (name.len < 5 || memcmp(name.ptr + name.len - 5, ".json", 5) != 0)
		return NULL;
	name.len -= 5;
	for (size_t i = 0; i < schema->file_count; i++)
		if (mx_slice_is(name, schema->files[i].name))
			return &schema->files[i];
	text = mx_schema_text_find(name);
	json = text && schema->file_count < FILES_MAX ? text_load(text) : NULL;
	if (!json)
		return NULL;
	schema->files[schema->file_count] = (struct file){ text->name, json };
	return &schema->files[schema->file_count++];
}

/* Follows a JSON pointer of plain names: "" or "/$defs/x". */
static const json_t *pointer_follow(const json_t *json, struct mx_slice pointer)
{
	struct mx_slice name;

	if (!pointer.len)
		return json;
	if (pointer.ptr[0] != '/')
		return NULL;
	pointer = mx_slice_of(pointer.ptr + 1, pointer.len - 1);
	while (json && mx_split_next(&pointer, '/', &name))
		json = json_object_getn(json, name.ptr, name.len);
	return json;
}

/* Compiles what is at the pointer in c->file; refers to it by the label only once. */
static int labelled_compile(struct compiler *c, struct mx_slice label, struct mx_slice pointer,
			    const struct mx_schema_rule **ret_rule)
{
	const json_t *json = pointer_follow(c->file->json, pointer);
	struct mx_schema_rule *rule;
	int rc;

	if (!json_is_object(json))
		return mx_fail(c->err, MX_BAD_JSON, "A schema refers to \"%.*s\", which is absent",
			       MX_SLICE_ARG(label));
	mx_map_put(&c->rules, label, &busy);
	if (json_object_get(json, "$ref")) {
		rc = rule_compile(c, json, ret_rule);
		if (!rc)
			mx_map_put(&c->rules, label, (void *)(uintptr_t)*ret_rule);
		return rc;
	}
	/* Known before it is filled: a schema may refer to itself from inside. */
	rule = mx_arena_alloc(c->schema->mem, sizeof(*rule));
	mx_map_put(&c->rules, label, rule);
	*ret_rule = rule;
	return rule_fill(c, rule, json);
}

static int reference_compile(struct compiler *c, const char *reference,
			     const struct mx_schema_rule **ret_rule)
{
	const struct file *here = c->file, *there;
	const char *hash = reference ? strchr(reference, '#') : NULL;
	mx_str_auto label = { 0 };
	struct mx_schema_rule *known;
	int rc;

	if (!hash)
		return bad_value(c, "$ref");
	there = file_find(c, mx_slice_of(reference, (size_t)(hash - reference)));
	if (!there)
		return mx_fail(c->err, MX_BAD_JSON, "A schema refers to the unknown \"%s\"",
			       reference);
	mx_str_addf(&label, "%s%s", there->name, hash);
	known = mx_map_find(&c->rules, mx_str_slice(&label));
	if (known == &busy)
		return mx_fail(c->err, MX_BAD_JSON, "\"%s\" refers to itself", reference);
	if (known) {
		*ret_rule = known;
		return 0;
	}
	c->file = there;
	rc = labelled_compile(c, mx_str_slice(&label), mx_slice(hash + 1), ret_rule);
	c->file = here;
	return rc;
}

/* Recursion is as deep as our own schema files. */
static int rule_compile(struct compiler *c, const json_t *json,
			const struct mx_schema_rule **ret_rule)
{
	const json_t *reference = json_object_get(json, "$ref");
	struct mx_schema_rule *rule;

	if (!json_is_object(json))
		return mx_fail(c->err, MX_BAD_JSON, "A schema is not an object");
	if (reference && json_object_size(json) > 1)
		return mx_fail(c->err, MX_BAD_JSON, "A $ref stands beside other keywords");
	if (reference)
		return reference_compile(c, json_string_value(reference), ret_rule);
	rule = mx_arena_alloc(c->schema->mem, sizeof(*rule));
	*ret_rule = rule;
	return rule_fill(c, rule, json);
}

struct mx_schema *mx_schema_compile(const json_t *text, struct mx_error *err)
{
	struct mx_schema *schema = mx_calloc(1, sizeof(*schema));
	struct compiler c = { .schema = schema, .file = &schema->files[0], .err = err };
	int rc;

	schema->mem = mx_arena_new(0);
	schema->files[0] = (struct file){ "", json_deep_copy(text) };
	schema->file_count = 1;
	rc = reference_compile(&c, "#", &schema->root);
	mx_map_done(&c.rules, NULL);
	if (!rc)
		return schema;
	mx_schema_free(schema);
	return NULL;
}

void mx_schema_free(struct mx_schema *schema)
{
	if (!schema)
		return;
	for (size_t i = 0; i < schema->file_count; i++)
		json_decref(schema->files[i].json);
	mx_arena_free(schema->mem);
	mx_free(schema);
}

const struct mx_schema_rule *mx_schema_root(const struct mx_schema *schema)
{
	return schema->root;
}

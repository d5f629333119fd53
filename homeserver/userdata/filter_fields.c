#include "homeserver/userdata/filter_fields.h"

#include "shared/core/arena.h"
#include "shared/core/str.h"

struct filter_fields {
	struct mx_slice name;
	bool whole; /* with everything below */
	struct filter_fields *children, *next;
};

static struct filter_fields *child_of(const struct filter_fields *parent, struct mx_slice name)
{
	struct filter_fields *child = parent->children;

	while (child && !mx_slice_eq(child->name, name))
		child = child->next;
	return child;
}

static struct filter_fields *child_add(struct filter_fields *parent, struct mx_slice name,
				       struct mx_arena *mem)
{
	struct filter_fields *child = child_of(parent, name);

	if (child)
		return child;
	child = mx_arena_calloc(mem, 1, sizeof(*child));
	child->name = mx_arena_slice(mem, name);
	child->next = parent->children;
	parent->children = child;
	return child;
}

/* Takes the name before the next dot out of the path; false behind the last one. */
static bool name_take(struct mx_slice *path, struct mx_str *name)
{
	size_t at = 0;

	mx_str_clear(name);
	for (; at < path->len && path->ptr[at] != '.'; at++) {
		bool escapes = path->ptr[at] == '\\' && at + 1 < path->len &&
			       (path->ptr[at + 1] == '.' || path->ptr[at + 1] == '\\');

		at += escapes;
		mx_str_add_char(name, path->ptr[at]);
	}
	if (at == path->len)
		return false;
	*path = mx_slice_of(path->ptr + at + 1, path->len - at - 1);
	return true;
}

static void path_add(struct filter_fields *root, struct mx_slice path, struct mx_arena *mem)
{
	struct filter_fields *field = root;
	mx_str_auto name = { 0 };
	bool more = true;

	for (int depth = 0; more && depth < FILTER_FIELDS_DEPTH; depth++) {
		more = name_take(&path, &name);
		field = child_add(field, mx_str_slice(&name), mem);
	}
	field->whole = true;
}

const struct filter_fields *filter_fields_new(const struct mx_json_doc *doc, uint32_t list,
					      struct mx_arena *mem)
{
	struct filter_fields *root = mx_arena_calloc(mem, 1, sizeof(*root));

	for (uint32_t i = mx_json_first(doc, list); i < mx_json_end(doc, list);
	     i = mx_json_next(doc, i))
		path_add(root, mx_json_string(doc, i, mem), mem);
	return root;
}

/* An object that is being copied. */
struct level {
	const struct filter_fields *fields;
	uint32_t key, end;
	bool any; /* something is in it already */
};

struct projection {
	const struct mx_json_doc *doc;
	struct mx_arena *mem;
	struct mx_str *out;
	struct level levels[FILTER_FIELDS_DEPTH + 1];
	size_t depth;
};

static void object_begin(struct projection *p, const struct filter_fields *fields, uint32_t node)
{
	p->levels[p->depth++] = (struct level){
		.fields = fields,
		.key = mx_json_first(p->doc, node),
		.end = mx_json_end(p->doc, node),
	};
	mx_str_add_char(p->out, '{');
}

static void key_write(struct projection *p, struct level *level, uint32_t key)
{
	if (level->any)
		mx_str_add_char(p->out, ',');
	level->any = true;
	mx_str_add_slice(p->out, mx_json_raw(p->doc, key));
	mx_str_add_char(p->out, ':');
}

static void member_write(struct projection *p, struct level *level, uint32_t key)
{
	uint32_t value = mx_json_next(p->doc, key);
	const struct filter_fields *field = child_of(level->fields,
						     mx_json_string(p->doc, key, p->mem));

	if (field && field->whole) {
		key_write(p, level, key);
		mx_str_add_slice(p->out, mx_json_raw(p->doc, value));
		return;
	}
	if (!field || mx_json_type(p->doc, value) != MX_JSON_OBJECT)
		return;
	key_write(p, level, key);
	object_begin(p, field, value);
}

void filter_fields_project(const struct filter_fields *fields, struct mx_slice object,
			   struct mx_str *out)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_json_doc doc;
	struct projection p = { .doc = &doc, .mem = mem, .out = out };

	if (mx_json_scan(object, &mx_json_default_limits, mem, &doc, NULL) != 0) {
		mx_str_add_text(out, "{}");
		return;
	}
	object_begin(&p, fields, 0);
	while (p.depth) {
		struct level *level = &p.levels[p.depth - 1];
		uint32_t key = level->key;

		if (key >= level->end) {
			mx_str_add_char(out, '}');
			p.depth--;
			continue;
		}
		level->key = mx_json_next(&doc, mx_json_next(&doc, key));
		member_write(&p, level, key);
	}
}

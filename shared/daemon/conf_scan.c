#include "shared/daemon/conf_scan.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <yaml.h>

#define DEPTH_MAX  8
#define FIELDS_MAX 64
#define KEY_SHOWN  60

struct level {
	const cyaml_schema_value_t *schema; /* CYAML_MAPPING or CYAML_SEQUENCE */
	const cyaml_schema_field_t *field; /* of the value that comes next */
	uint64_t seen; /* a bit for each field */
	unsigned entries; /* of a sequence, so far */
};

struct scan {
	const char *file;
	struct mx_slice text;
	const cyaml_schema_value_t *root;
	struct level levels[DEPTH_MAX];
	unsigned depth, documents;
	size_t line;
	yaml_emitter_t plain; /* writes what libcyaml reads */
	struct mx_error *err;
};

/* "http.trusted_proxies[2]": where the scan stands. */
static void add_path(const struct scan *scan, struct mx_str *out)
{
	for (unsigned i = 0; i < scan->depth; i++) {
		const struct level *level = &scan->levels[i];

		if (level->schema->type != CYAML_MAPPING)
			mx_str_addf(out, "[%u]", level->entries + 1);
		else if (level->field)
			mx_str_addf(out, "%s%s", out->len ? "." : "", level->field->key);
	}
}

__attribute__((format(printf, 2, 3))) static int refuse(const struct scan *scan, const char *format,
							...)
{
	mx_str_auto path = { 0 };
	char why[160];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	add_path(scan, &path);
	return mx_fail(scan->err, MX_BAD_CONFIG, "%s:%zu: %s%s%s", scan->file, scan->line,
		       path.len ? path.ptr : "", path.len ? ": " : "", why);
}

/* ---- unknown keys */

/* Edit distance, by rows; both texts are at most KEY_SHOWN long. */
static unsigned distance(struct mx_slice a, struct mx_slice b)
{
	unsigned row[KEY_SHOWN + 1];

	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			unsigned best = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.len];
}

static const char *nearest_key(const cyaml_schema_field_t *fields, struct mx_slice key)
{
	unsigned best = key.len < 4 ? 1 : key.len < 6 ? 2 : 3;
	const char *found = NULL;

	if (key.len > KEY_SHOWN)
		return NULL;
	for (; fields->key; fields++) {
		struct mx_slice known = mx_slice(fields->key);
		unsigned far;

		if (known.len > KEY_SHOWN)
			continue;
		far = distance(key, known);
		if (far > best || (found && far == best))
			continue;
		best = far;
		found = fields->key;
	}
	return found;
}

static int refuse_unknown(const struct scan *scan, const struct level *level, struct mx_slice key)
{
	const char *hint = nearest_key(level->schema->mapping.fields, key);
	mx_str_auto shown = { 0 };

	for (size_t i = 0; i < key.len && i < KEY_SHOWN; i++)
		mx_str_add_char(&shown, key.ptr[i] > ' ' && key.ptr[i] < 0x7F ? key.ptr[i] : '?');
	if (hint)
		return refuse(scan, "%s: unknown key; did you mean \"%s\"?",
			      mx_str_slice(&shown).ptr, hint);
	return refuse(scan, "%s: unknown key", mx_str_slice(&shown).ptr);
}

static int take_key(struct scan *scan, struct level *level, struct mx_slice key)
{
	const cyaml_schema_field_t *fields = level->schema->mapping.fields;

	for (unsigned i = 0; fields[i].key; i++) {
		assert(i < FIELDS_MAX);
		if (!mx_slice_is(key, fields[i].key))
			continue;
		level->field = &fields[i];
		if (level->seen & UINT64_C(1) << i)
			return refuse(scan, "is there twice");
		level->seen |= UINT64_C(1) << i;
		return 0;
	}
	return refuse_unknown(scan, level, key);
}

/* ---- values */

static int check_integer(const struct scan *scan, const cyaml_schema_value_t *schema,
			 struct mx_slice text)
{
	bool is_signed = schema->type == CYAML_INT;
	unsigned bits = schema->data_size * 8 - (is_signed ? 1 : 0);
	int64_t max = bits >= 63 ? INT64_MAX : (INT64_C(1) << bits) - 1;
	int64_t value;

	if (!mx_parse_i64(text, &value))
		return refuse(scan, "must be a whole number in decimal digits");
	if (value > max || value < (is_signed ? -max - 1 : 0))
		return refuse(scan, "must be from %lld to %lld",
			      is_signed ? (long long)(-max - 1) : 0LL, (long long)max);
	/* libcyaml would take it for octal. */
	if (text.len > 1 && text.ptr[0] == '0')
		return refuse(scan, "must not begin with 0");
	return 0;
}

static int check_bool(const struct scan *scan, struct mx_slice text)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (mx_slice_is(text, words[i]))
			return 0;
	return refuse(scan, "must be true or false");
}

static int check_enum(const struct scan *scan, const cyaml_schema_value_t *schema,
		      struct mx_slice text)
{
	mx_str_auto list = { 0 };

	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		if (mx_slice_is(text, schema->enumeration.strings[i].str))
			return 0;
		mx_str_addf(&list, "%s%s", i ? ", " : "", schema->enumeration.strings[i].str);
	}
	return refuse(scan, "must be one of: %s", mx_str_slice(&list).ptr);
}

static int check_string(const struct scan *scan, const cyaml_schema_value_t *schema,
			struct mx_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7F)
			return refuse(scan, "must not hold control characters");
	if (!mx_utf8_valid(text))
		return refuse(scan, "must be UTF-8");
	if (text.len > schema->string.max)
		return refuse(scan, "must be at most %u bytes long", schema->string.max);
	/* It could not be told from no value when written. */
	if (text.len == 0)
		return refuse(scan, "must not be empty; comment the line out, or give a value");
	if (text.len < schema->string.min)
		return refuse(scan, "must be at least %u bytes long", schema->string.min);
	return 0;
}

static const char *type_words(enum cyaml_type type)
{
	if (type == CYAML_MAPPING)
		return "must be a mapping: keys and values, indented below it";
	if (type == CYAML_SEQUENCE || type == CYAML_SEQUENCE_FIXED)
		return "must be a list";
	return "must be a single value";
}

/* What the schema wants here; NULL where a mapping's key would be. */
static const cyaml_schema_value_t *expected(const struct scan *scan)
{
	const struct level *level;

	if (scan->depth == 0)
		return scan->root;
	level = &scan->levels[scan->depth - 1];
	if (level->schema->type == CYAML_MAPPING)
		return level->field ? &level->field->value : NULL;
	return level->schema->sequence.entry;
}

/* A value ended: a mapping waits for its next key, a list counts it. */
static void value_done(struct scan *scan)
{
	struct level *level;

	if (scan->depth == 0)
		return;
	level = &scan->levels[scan->depth - 1];
	if (level->schema->type == CYAML_MAPPING)
		level->field = NULL;
	else
		level->entries++;
}

static bool is_empty(const yaml_event_t *event)
{
	return event->data.scalar.length == 0 &&
	       event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static int check_scalar(struct scan *scan, const cyaml_schema_value_t *schema,
			const yaml_event_t *event)
{
	struct mx_slice text = mx_slice_of((const char *)event->data.scalar.value,
					   event->data.scalar.length);

	if (is_empty(event) && scan->depth)
		return refuse(scan, "has no value; comment the line out, or give one");
	switch ((int)schema->type) {
	case CYAML_INT:
	case CYAML_UINT: return check_integer(scan, schema, text);
	case CYAML_BOOL: return check_bool(scan, text);
	case CYAML_ENUM: return check_enum(scan, schema, text);
	case CYAML_STRING: return check_string(scan, schema, text);
	case CYAML_FLOAT: return 0;
	default: return refuse(scan, "%s", type_words(schema->type));
	}
}

static int take_scalar(struct scan *scan, const yaml_event_t *event)
{
	const cyaml_schema_value_t *schema = expected(scan);
	int rc;

	if (!schema)
		return take_key(scan, &scan->levels[scan->depth - 1],
				mx_slice_of((const char *)event->data.scalar.value,
					    event->data.scalar.length));
	rc = check_scalar(scan, schema, event);
	if (rc == 0)
		value_done(scan);
	return rc;
}

static int open_level(struct scan *scan, enum cyaml_type type)
{
	const cyaml_schema_value_t *schema = expected(scan);
	bool is_list;

	if (!schema)
		return refuse(scan, "a key must be plain text");
	is_list = schema->type == CYAML_SEQUENCE || schema->type == CYAML_SEQUENCE_FIXED;
	if (is_list != (type == CYAML_SEQUENCE) || (!is_list && schema->type != type))
		return refuse(scan, "%s", type_words(schema->type));
	if (scan->depth == DEPTH_MAX)
		return refuse(scan, "is nested too deeply");
	scan->levels[scan->depth++] = (struct level){ .schema = schema };
	return 0;
}

static int close_list(struct scan *scan)
{
	const struct level *level = &scan->levels[scan->depth - 1];

	if (level->entries > level->schema->sequence.max)
		return refuse(scan, "must have at most %u entries", level->schema->sequence.max);
	if (level->entries < level->schema->sequence.min)
		return refuse(scan, "must have at least %u entries", level->schema->sequence.min);
	return 0;
}

static int close_mapping(struct scan *scan)
{
	const struct level *level = &scan->levels[scan->depth - 1];
	const cyaml_schema_field_t *fields = level->schema->mapping.fields;

	for (unsigned i = 0; fields[i].key; i++)
		if (!(level->seen & UINT64_C(1) << i) &&
		    !(fields[i].value.flags & CYAML_FLAG_OPTIONAL))
			return refuse(scan, "%s is missing", fields[i].key);
	return 0;
}

static int close_level(struct scan *scan, int rc)
{
	if (rc)
		return rc;
	scan->depth--;
	value_done(scan);
	return 0;
}

/* Aliases make small files large, anchors and tags serve nothing here. */
static bool is_decorated(const yaml_event_t *event)
{
	switch ((int)event->type) {
	case YAML_SCALAR_EVENT: return event->data.scalar.anchor || event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor || event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor || event->data.mapping_start.tag;
	default: return event->type == YAML_ALIAS_EVENT;
	}
}

static int take_event(struct scan *scan, const yaml_event_t *event)
{
	scan->line = event->start_mark.line + 1;
	if (is_decorated(event))
		return refuse(scan, "anchors, aliases and tags are not allowed");
	switch ((int)event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return scan->documents++ ? refuse(scan, "only one document is allowed") : 0;
	case YAML_SCALAR_EVENT: return take_scalar(scan, event);
	case YAML_SEQUENCE_START_EVENT: return open_level(scan, CYAML_SEQUENCE);
	case YAML_MAPPING_START_EVENT: return open_level(scan, CYAML_MAPPING);
	case YAML_SEQUENCE_END_EVENT: return close_level(scan, close_list(scan));
	case YAML_MAPPING_END_EVENT: return close_level(scan, close_mapping(scan));
	default: return 0;
	}
}

static size_t line_of(struct mx_slice text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < text.len; i++)
		line += text.ptr[i] == '\n';
	return line;
}

static int refuse_syntax(struct scan *scan, const yaml_parser_t *parser)
{
	/* For bytes that are no text libyaml gives an offset instead of a line. */
	scan->line = parser->error == YAML_READER_ERROR
			     ? line_of(scan->text, parser->problem_offset)
			     : parser->problem_mark.line + 1;
	/* `address: ::` is the usual way to get there. */
	if (streq(parser->problem, "mapping values are not allowed in this context"))
		return refuse(scan, "not YAML: a value with ':' in it needs quotes");
	return refuse(scan, "not YAML: %s%s%s", parser->problem ? parser->problem : "unreadable",
		      parser->context ? " " : "", parser->context ? parser->context : "");
}

/* ---- the plain form */

/* "log:" with all lines below it commented out. */
static bool is_bare_heading(const struct scan *scan, const yaml_event_t *event)
{
	const cyaml_schema_value_t *schema = expected(scan);

	return scan->depth && event->type == YAML_SCALAR_EVENT && is_empty(event) && schema &&
	       (schema->type == CYAML_MAPPING || schema->type == CYAML_SEQUENCE);
}

/* Takes the event over. */
static int emit(struct scan *scan, yaml_event_t *event)
{
	if (yaml_emitter_emit(&scan->plain, event))
		return 0;
	return refuse(scan, "cannot be rewritten: %s", scan->plain.problem);
}

static int emit_empty(struct scan *scan, enum cyaml_type type)
{
	yaml_event_t begin, end;
	bool made = type == CYAML_MAPPING
			    ? yaml_mapping_start_event_initialize(&begin, NULL, NULL, 1,
								  YAML_FLOW_MAPPING_STYLE) &&
				      yaml_mapping_end_event_initialize(&end)
			    : yaml_sequence_start_event_initialize(&begin, NULL, NULL, 1,
								   YAML_FLOW_SEQUENCE_STYLE) &&
				      yaml_sequence_end_event_initialize(&end);
	int rc = made ? emit(scan, &begin) : refuse(scan, "libyaml has no memory");

	return rc ? rc : emit(scan, &end);
}

static int take_and_emit(struct scan *scan, yaml_event_t *event)
{
	int rc;

	if (is_bare_heading(scan, event) && !is_decorated(event)) {
		rc = emit_empty(scan, expected(scan)->type);
		yaml_event_delete(event);
		value_done(scan);
		return rc;
	}
	rc = take_event(scan, event);
	if (rc) {
		yaml_event_delete(event);
		return rc;
	}
	return emit(scan, event);
}

static int append_plain(void *ctx, unsigned char *bytes, size_t len)
{
	mx_str_add(ctx, bytes, len);
	return 1;
}

static int run(struct scan *scan, yaml_parser_t *parser)
{
	bool ended = false;

	while (!ended) {
		yaml_event_t event;
		int rc;

		if (!yaml_parser_parse(parser, &event))
			return refuse_syntax(scan, parser);
		ended = event.type == YAML_STREAM_END_EVENT;
		rc = take_and_emit(scan, &event);
		if (rc)
			return rc;
	}
	return scan->documents ? 0 : refuse(scan, "there is nothing in the file");
}

/* libyaml takes what follows the mark for the second column, and the next line for its end. */
static struct mx_slice after_byte_order_mark(struct mx_slice text)
{
	static const char mark[] = "\xEF\xBB\xBF";
	size_t len = sizeof(mark) - 1;

	if (text.len < len || memcmp(text.ptr, mark, len) != 0)
		return text;
	return mx_slice_of(text.ptr + len, text.len - len);
}

int conf_scan(const char *file, struct mx_slice text, const cyaml_schema_value_t *schema,
	      struct mx_str *ret_text, struct mx_error *err)
{
	struct scan scan = {
		.file = file, .text = after_byte_order_mark(text), .root = schema, .err = err
	};
	yaml_parser_t parser;
	int rc;

	if (!yaml_parser_initialize(&parser))
		return mx_fail(err, MX_BAD_CONFIG, "%s: libyaml does not start", file);
	if (!yaml_emitter_initialize(&scan.plain)) {
		yaml_parser_delete(&parser);
		return mx_fail(err, MX_BAD_CONFIG, "%s: libyaml does not start", file);
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)scan.text.ptr, scan.text.len);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_emitter_set_output(&scan.plain, append_plain, ret_text);
	yaml_emitter_set_unicode(&scan.plain, 1);
	yaml_emitter_set_width(&scan.plain, -1);
	rc = run(&scan, &parser);
	yaml_emitter_delete(&scan.plain);
	yaml_parser_delete(&parser);
	return rc;
}

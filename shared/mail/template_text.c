#include "shared/mail/template_text.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/html.h"
#include "shared/core/url.h"
#include "shared/core/vec.h"
#include "shared/mail/template.h"

#define NESTING_MAX  8
#define NAME_MAX_LEN 64

enum escape { ESCAPE_NONE, ESCAPE_HTML, ESCAPE_URL };

enum op_kind {
	OP_TEXT,
	OP_VALUE,
	OP_IF, /* without a value: on to `target` */
	OP_JUMP, /* on to `target`: the end of the first branch */
};

struct op {
	enum op_kind kind;
	struct mx_slice text; /* or the value's name */
	enum escape escape;
	size_t target;
};

struct template_text {
	enum template_form form;
	char *text; /* the ops borrow from it */
	struct mx_vec(struct op) ops;
};

struct parser {
	struct template_text *template;
	struct mx_slice rest;
	size_t open[NESTING_MAX]; /* OP_IF or OP_JUMP that wait for their target */
	bool had_else[NESTING_MAX];
	size_t depth;
	struct mx_error *err;
};

enum template_form template_form_of(const char *file)
{
	if (mx_ends_with(file, "_template.html"))
		return TEMPLATE_OLD_PAGE;
	if (mx_ends_with(file, ".html"))
		return TEMPLATE_HTML;
	if (mx_ends_with(file, ".eml"))
		return TEMPLATE_OLD_MAIL;
	return mx_ends_with(file, ".eml.j2") ? TEMPLATE_MAIL : TEMPLATE_TEXT;
}

/* ---- parsing */

static int complain(const struct parser *parser, const char *why)
{
	int line = 1;

	for (const char *at = parser->template->text; at < parser->rest.ptr; at++)
		line += *at == '\n';
	return mx_fail(parser->err, MX_BAD_CONFIG, "%d: %s", line, why);
}

static void add_op(struct parser *parser, struct op op)
{
	if (op.kind != OP_TEXT || op.text.len > 0)
		mx_vec_push(&parser->template->ops, op);
}

static void skip(struct parser *parser, size_t len)
{
	parser->rest = mx_slice_of(parser->rest.ptr + len, parser->rest.len - len);
}

static bool is_name(struct mx_slice text)
{
	if (text.len == 0 || text.len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '_' &&
		    !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return true;
}

static bool has_percents(enum template_form form)
{
	return form == TEMPLATE_OLD_MAIL || form == TEMPLATE_OLD_PAGE;
}

static enum escape own_escape(enum template_form form)
{
	return form == TEMPLATE_TEXT ? ESCAPE_NONE : ESCAPE_HTML;
}

/* " name | filter " */
static int parse_value(struct parser *parser, struct mx_slice inside)
{
	enum template_form form = parser->template->form;
	struct op op = { .kind = OP_VALUE, .escape = own_escape(form) };
	struct mx_slice filter = { 0 };

	mx_split_next(&inside, '|', &op.text);
	op.text = mx_trim(op.text);
	if (!is_name(op.text))
		return complain(parser, "a value has no proper name");
	if (mx_split_next(&inside, '|', &filter))
		filter = mx_trim(filter);
	if (mx_slice_is(filter, "urlencode"))
		op.escape = ESCAPE_URL;
	else if (mx_slice_is(filter, "e"))
		op.escape = ESCAPE_HTML;
	else if (mx_slice_is(filter, "safe") && form == TEMPLATE_MAIL)
		op.escape = ESCAPE_NONE;
	else if (filter.ptr)
		return complain(parser,
				"the filters are urlencode and e, and safe in a whole mail");
	if (inside.ptr)
		return complain(parser, "a value has one filter at most");
	add_op(parser, op);
	return 0;
}

static int begin_if(struct parser *parser, struct mx_slice name)
{
	if (!is_name(name))
		return complain(parser, "an if has no proper name");
	if (parser->depth == NESTING_MAX)
		return complain(parser, "ifs are nested too deep");
	parser->had_else[parser->depth] = false;
	parser->open[parser->depth++] = parser->template->ops.len;
	add_op(parser, (struct op){ .kind = OP_IF, .text = name });
	return 0;
}

static int begin_else(struct parser *parser)
{
	size_t jump = parser->template->ops.len;

	if (parser->depth == 0 || parser->had_else[parser->depth - 1])
		return complain(parser, "an else without its if");
	add_op(parser, (struct op){ .kind = OP_JUMP });
	parser->template->ops.items[parser->open[parser->depth - 1]].target = jump + 1;
	parser->open[parser->depth - 1] = jump;
	parser->had_else[parser->depth - 1] = true;
	return 0;
}

static int end_if(struct parser *parser)
{
	if (parser->depth == 0)
		return complain(parser, "an endif without its if");
	parser->depth--;
	parser->template->ops.items[parser->open[parser->depth]].target = parser->template->ops.len;
	return 0;
}

static int parse_statement(struct parser *parser, struct mx_slice inside)
{
	struct mx_slice text = mx_trim(inside);

	if (text.len > 3 && memcmp(text.ptr, "if ", 3) == 0)
		return begin_if(parser, mx_trim(mx_slice_of(text.ptr + 3, text.len - 3)));
	if (mx_slice_is(text, "else"))
		return begin_else(parser);
	if (mx_slice_is(text, "endif"))
		return end_if(parser);
	return complain(parser, "the statements are if, else and endif");
}

/* At "{{", "{%" or "{#". */
static int parse_braces(struct parser *parser)
{
	static const char closes[][3] = { "}}", "%}", "#}" };
	char kind = parser->rest.ptr[1];
	const char *close = closes[kind == '{' ? 0 : kind == '%' ? 1 : 2];
	const char *end = memmem(parser->rest.ptr + 2, parser->rest.len - 2, close, 2);
	struct mx_slice inside;
	int rc = 0;

	if (!end)
		return complain(parser, "a brace is not closed");
	inside = mx_slice_of(parser->rest.ptr + 2, (size_t)(end - parser->rest.ptr) - 2);
	if (kind == '{')
		rc = parse_value(parser, inside);
	else if (kind == '%')
		rc = parse_statement(parser, inside);
	skip(parser, inside.len + 4);
	return rc;
}

/* At '%': "%(name)s", "%%", or a percent sign. */
static int parse_percent(struct parser *parser)
{
	const char *end = memmem(parser->rest.ptr, parser->rest.len, ")s", 2);
	struct op op = { .kind = OP_VALUE };

	op.escape = parser->template->form == TEMPLATE_OLD_PAGE ? ESCAPE_HTML : ESCAPE_NONE;
	if (parser->rest.len > 1 && parser->rest.ptr[1] == '(' && end) {
		op.text = mx_slice_of(parser->rest.ptr + 2, (size_t)(end - parser->rest.ptr) - 2);
		if (!is_name(op.text))
			return complain(parser, "a value has no proper name");
		skip(parser, op.text.len + 4);
		add_op(parser, op);
		return 0;
	}
	add_op(parser, (struct op){ .kind = OP_TEXT, .text = mx_slice_of("%", 1) });
	skip(parser, parser->rest.len > 1 && parser->rest.ptr[1] == '%' ? 2 : 1);
	return 0;
}

static bool is_special(const struct parser *parser, size_t at)
{
	const char *text = parser->rest.ptr + at;

	if (has_percents(parser->template->form))
		return *text == '%';
	return *text == '{' && at + 1 < parser->rest.len &&
	       (text[1] == '{' || text[1] == '%' || text[1] == '#');
}

static int parse_piece(struct parser *parser)
{
	size_t len = 0;

	while (len < parser->rest.len && !is_special(parser, len))
		len++;
	add_op(parser, (struct op){ .kind = OP_TEXT, .text = mx_slice_of(parser->rest.ptr, len) });
	skip(parser, len);
	if (parser->rest.len == 0)
		return 0;
	return *parser->rest.ptr == '%' ? parse_percent(parser) : parse_braces(parser);
}

/* What the older form says with the name's end. */
static void take_suffixes(struct template_text *template)
{
	static const struct {
		const char *suffix;
		enum escape escape;
	} suffixes[] = { { "_forurl", ESCAPE_URL }, { "_forhtml", ESCAPE_HTML } };

	for (size_t i = 0; i < template->ops.len; i++) {
		struct op *op = &template->ops.items[i];

		for (size_t j = 0; op->kind == OP_VALUE && j < 2; j++) {
			size_t len = strlen(suffixes[j].suffix);

			if (op->text.len <= len ||
			    memcmp(op->text.ptr + op->text.len - len, suffixes[j].suffix, len) != 0)
				continue;
			op->text.len -= len;
			op->escape = suffixes[j].escape;
			break;
		}
	}
}

int template_text_parse(struct mx_slice text, enum template_form form,
			struct template_text **ret_template, struct mx_error *err)
{
	struct template_text *template = mx_calloc(1, sizeof(*template));
	struct parser parser = { .template = template, .err = err };
	int rc = 0;

	template->form = form;
	template->text = mx_strndup(text.ptr, text.len);
	parser.rest = mx_slice_of(template->text, text.len);
	while (rc == 0 && parser.rest.len > 0)
		rc = parse_piece(&parser);
	if (rc == 0 && parser.depth > 0)
		rc = complain(&parser, "an if has no endif");
	if (rc) {
		template_text_free(template);
		return rc;
	}
	if (has_percents(form))
		take_suffixes(template);
	*ret_template = template;
	return 0;
}

void template_text_free(struct template_text *template)
{
	if (!template)
		return;
	mx_vec_done(&template->ops);
	mx_free(template->text);
	mx_free(template);
}

/* ---- filling in */

static const char *value_of(const struct template_values *values, struct mx_slice name)
{
	for (size_t i = 0; i < values->len; i++)
		if (mx_slice_is(name, values->items[i].name))
			return values->items[i].value ? values->items[i].value : "";
	return "";
}

/* In a whole mail no value may begin a line: it could be a header. */
static void add_one_line(struct mx_str *out, const char *value)
{
	for (; *value; value++)
		mx_str_add_char(out, (unsigned char)*value < 0x20 ? ' ' : *value);
}

static void add_value(const struct template_text *template, const struct op *op, const char *value,
		      struct mx_str *out)
{
	mx_str_auto line = { 0 };

	if (template->form == TEMPLATE_MAIL || template->form == TEMPLATE_OLD_MAIL) {
		mx_str_add_text(&line, "");
		add_one_line(&line, value);
		value = line.ptr ? line.ptr : "";
	}
	switch (op->escape) {
	case ESCAPE_NONE: mx_str_add_text(out, value); break;
	case ESCAPE_HTML: mx_html_add(out, value); break;
	case ESCAPE_URL: mx_url_add(out, mx_slice(value)); break;
	}
}

int template_text_fill(const struct template_text *template, const struct template_values *values,
		       struct mx_str *out, struct mx_error *err)
{
	size_t begin = out->len, next;

	for (size_t i = 0; i < template->ops.len; i = next) {
		const struct op *op = &template->ops.items[i];

		next = i + 1;
		if (op->kind == OP_TEXT)
			mx_str_add_slice(out, op->text);
		else if (op->kind == OP_VALUE)
			add_value(template, op, value_of(values, op->text), out);
		else if (op->kind == OP_JUMP || *value_of(values, op->text) == '\0')
			next = op->target;
		if (out->len - begin > TEMPLATE_OUT_MAX)
			return mx_fail(err, MX_TOO_LARGE, "A filled-in template is too large");
	}
	return 0;
}

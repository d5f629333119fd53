#include "shared/json/canonical.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/member.h"
#include "shared/json/real.h"

/* A container that is being written: of an object the members that are left, on the writer's
 * stack; of an array the items that are left. */
struct frame {
	uint32_t node;
	uint32_t next_item;
	size_t first, next, last;
};

struct writer {
	const struct mx_json_doc *doc;
	struct mx_str *out;
	struct mx_error *err;
	struct mx_arena *decoded; /* strings that had escapes; made when the first comes */
	bool reals;
	struct mx_members members;
	struct mx_vec(struct frame) frames;
};

/* The letter behind the backslash, 'u' for \u00xx; 0 if the byte stands for itself. */
static char escape_letter(unsigned char byte)
{
	if (byte < 0x20)
		return "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu"[byte];
	return byte == '"' || byte == '\\' ? (char)byte : '\0';
}

static void escape_add(struct mx_str *out, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', escape_letter(byte), '0', '0', hex[byte >> 4], hex[byte & 15] };

	mx_str_add(out, text, text[1] == 'u' ? 6 : 2);
}

void mx_canonical_string(struct mx_str *out, struct mx_slice text)
{
	size_t from = 0;

	mx_str_reserve(out, text.len + 2);
	mx_str_add_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (!escape_letter((unsigned char)text.ptr[i]))
			continue;
		mx_str_add(out, text.ptr + from, i - from);
		escape_add(out, (unsigned char)text.ptr[i]);
		from = i + 1;
	}
	if (text.len)
		mx_str_add(out, text.ptr + from, text.len - from);
	mx_str_add_char(out, '"');
}

static struct mx_slice text_of(struct writer *w, uint32_t node)
{
	if (w->doc->nodes[node].escaped && !w->decoded)
		w->decoded = mx_arena_new(0);
	return mx_json_string(w->doc, node, w->decoded);
}

static void string_write(struct writer *w, uint32_t node)
{
	if (w->doc->nodes[node].escaped)
		mx_canonical_string(w->out, text_of(w, node));
	else
		mx_str_add_slice(w->out, mx_json_raw(w->doc, node));
}

static void integer_write(struct writer *w, uint32_t node)
{
	struct mx_slice digits = mx_json_raw(w->doc, node);

	mx_str_add_slice(w->out, mx_slice_is(digits, "-0") ? MX_SLICE("0") : digits);
}

static int real_write(struct writer *w, uint32_t node)
{
	char text[MX_REAL_TEXT];

	if (!w->reals)
		return mx_fail(w->err, MX_BAD_JSON,
			       "Signed JSON may hold no number that is not an integer");
	if (!mx_real_format(mx_json_raw(w->doc, node), text))
		return mx_fail(w->err, MX_BAD_JSON, "A number is out of range");
	mx_str_add_text(w->out, text);
	return 0;
}

static void object_open(struct writer *w, uint32_t node, const char *const *without)
{
	struct frame frame = { .node = node, .first = w->members.len, .next = w->members.len };

	for (uint32_t key = mx_json_first(w->doc, node); key < mx_json_end(w->doc, node);
	     key = mx_json_next(w->doc, key + 1)) {
		struct mx_member member = { .key = text_of(w, key), .node = key };

		if (!mx_member_is_listed(without, member.key))
			mx_vec_push(&w->members, member);
	}
	frame.last = w->members.len;
	mx_members_sort(&w->members, frame.first);
	mx_str_add_char(w->out, '{');
	mx_vec_push(&w->frames, frame);
}

static void array_open(struct writer *w, uint32_t node)
{
	const struct frame frame = { .node = node, .next_item = mx_json_first(w->doc, node) };

	mx_str_add_char(w->out, '[');
	mx_vec_push(&w->frames, frame);
}

static int value_write(struct writer *w, uint32_t node, const char *const *without)
{
	switch (mx_json_type(w->doc, node)) {
	case MX_JSON_NULL:
	case MX_JSON_FALSE:
	case MX_JSON_TRUE: mx_str_add_slice(w->out, mx_json_raw(w->doc, node)); return 0;
	case MX_JSON_STRING: string_write(w, node); return 0;
	case MX_JSON_INTEGER: integer_write(w, node); return 0;
	case MX_JSON_ARRAY: array_open(w, node); return 0;
	case MX_JSON_OBJECT: object_open(w, node, without); return 0;
	case MX_JSON_REAL: break;
	}
	return real_write(w, node);
}

static int member_write(struct writer *w, struct frame *frame)
{
	uint32_t key = w->members.items[frame->next].node;

	if (frame->next++ > frame->first)
		mx_str_add_char(w->out, ',');
	string_write(w, key);
	mx_str_add_char(w->out, ':');
	return value_write(w, key + 1, NULL);
}

static int item_write(struct writer *w, struct frame *frame)
{
	uint32_t item = frame->next_item;

	if (item > frame->node + 1)
		mx_str_add_char(w->out, ',');
	frame->next_item = mx_json_next(w->doc, item);
	return value_write(w, item, NULL);
}

/* The next piece of the innermost container, or its closing bracket. */
static int frame_step(struct writer *w)
{
	struct frame *frame = &w->frames.items[w->frames.len - 1];
	bool object = mx_json_type(w->doc, frame->node) == MX_JSON_OBJECT;

	if (object && frame->next < frame->last)
		return member_write(w, frame);
	if (!object && frame->next_item < mx_json_end(w->doc, frame->node))
		return item_write(w, frame);
	mx_str_add_char(w->out, object ? '}' : ']');
	if (object)
		w->members.len = frame->first;
	w->frames.len--;
	return 0;
}

static int document_write(struct writer *w, uint32_t node, const char *const *without)
{
	size_t before = w->out->len;
	int rc;

	mx_str_reserve(w->out, mx_json_raw(w->doc, node).len);
	rc = value_write(w, node, without);
	while (!rc && w->frames.len)
		rc = frame_step(w);
	if (rc)
		w->out->len = before;
	mx_arena_free(w->decoded);
	mx_vec_done(&w->members);
	mx_vec_done(&w->frames);
	return rc;
}

int mx_canonical(const struct mx_json_doc *doc, uint32_t node, const char *const *without,
		 struct mx_str *out, struct mx_error *err)
{
	struct writer w = { .doc = doc, .out = out, .err = err };

	return document_write(&w, node, without);
}

int mx_canonical_with_reals(const struct mx_json_doc *doc, uint32_t node,
			    const char *const *without, struct mx_str *out, struct mx_error *err)
{
	struct writer w = { .doc = doc, .out = out, .err = err, .reals = true };

	return document_write(&w, node, without);
}

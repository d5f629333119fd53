#include "shared/json/scan.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/json/unescape.h"
#include "shared/json/unique.h"

#include <endian.h>

#define NUMBER_MAX  400 /* characters, sign apart */
#define SMALL_NODES 64
#define NONE        UINT32_MAX
#define BYTES(b)    (0x0101010101010101u * (b))

const struct mx_json_limits mx_json_default_limits = {
	.bytes = 1024 * 1024,
	.nodes = 100000,
	.depth = 100,
};

/* What next_value says when there is one. */
#define MORE 1

/* Nodes grow here, and are copied to the arena once the text is accepted: a refused one leaves
 * nothing behind, and an arena cannot grow a block in place. */
struct scanner {
	const char *text, *at, *end;
	const struct mx_json_limits *limits;
	struct mx_error *err;
	struct mx_json_node *nodes;
	uint32_t count, cap;
	uint32_t open; /* innermost open container; its own parent waits in its `end` */
	uint32_t depth;
	struct mx_json_node small[SMALL_NODES];
};

static int not_json(const struct scanner *s, const char *what)
{
	return mx_fail(s->err, MX_NOT_JSON, "Not JSON: %s at byte %zu", what,
		       (size_t)(s->at - s->text));
}

static int bad_json(const struct scanner *s, const char *what)
{
	return mx_fail(s->err, MX_BAD_JSON, "Unacceptable JSON: %s at byte %zu", what,
		       (size_t)(s->at - s->text));
}

static int nodes_grow(struct scanner *s)
{
	size_t cap = (size_t)s->cap * 2;

	if (s->count >= s->limits->nodes)
		return mx_fail(s->err, MX_TOO_LARGE, "The JSON has more than %u values",
			       s->limits->nodes);
	s->cap = cap < s->limits->nodes ? (uint32_t)cap : s->limits->nodes;
	if (s->nodes != s->small) {
		s->nodes = mx_realloc(s->nodes, s->cap * sizeof(*s->nodes));
		return 0;
	}
	s->nodes = mx_alloc(s->cap * sizeof(*s->nodes));
	memcpy(s->nodes, s->small, sizeof(s->small));
	return 0;
}

static int node_add(struct scanner *s, enum mx_json_type type, const char *from)
{
	if (s->count >= s->cap) {
		int rc = nodes_grow(s);

		if (rc)
			return rc;
	}
	s->nodes[s->count] = (struct mx_json_node){
		.offset = (uint32_t)(from - s->text),
		.len = (uint32_t)(s->at - from),
		.end = s->count + 1,
		.type = (uint8_t)type,
	};
	s->count++;
	return 0;
}

static void blanks_skip(struct scanner *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

/* The top bit of each byte that ends a run of plain text: a quote, a backslash, a control, or
 * not ASCII. Bytes above the lowest one found may be marked wrongly (the borrow runs up). */
static uint64_t special_bytes(uint64_t word)
{
	uint64_t quote = word ^ BYTES('"'), backslash = word ^ BYTES('\\');

	return (((quote - BYTES(1)) & ~quote) | ((backslash - BYTES(1)) & ~backslash) |
		((word - BYTES(0x20)) & ~word) | word) &
	       BYTES(0x80);
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static const char *plain_skip(const char *at, const char *end)
{
	while (end - at >= 8) {
		uint64_t word, found;

		memcpy(&word, at, sizeof(word));
		found = special_bytes(le64toh(word));
		if (found)
			return at + __builtin_ctzll(found) / 8;
		at += 8;
	}
	while (at < end && is_plain(*at))
		at++;
	return at;
}

/* At a backslash and a 'u'. RFC 8259, 7: halves of surrogate pairs must come in pairs. */
static int unicode_escape_scan(struct scanner *s)
{
	int unit = s->end - s->at < 6 ? -1 : mx_json_hex4(s->at + 2), low;

	if (unit < 0)
		return not_json(s, "bad \\u escape");
	if (unit >= 0xDC00 && unit <= 0xDFFF)
		return not_json(s, "lone surrogate");
	if (unit < 0xD800 || unit > 0xDFFF) {
		s->at += 6;
		return 0;
	}
	if (s->end - s->at < 12 || s->at[6] != '\\' || s->at[7] != 'u')
		return not_json(s, "lone surrogate");
	low = mx_json_hex4(s->at + 8);
	if (low < 0xDC00 || low > 0xDFFF)
		return not_json(s, "lone surrogate");
	s->at += 12;
	return 0;
}

static int escape_scan(struct scanner *s)
{
	if (s->end - s->at < 2)
		return not_json(s, "unfinished escape");
	switch (s->at[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': s->at += 2; return 0;
	case 'u': return unicode_escape_scan(s);
	default: return not_json(s, "unknown escape");
	}
}

static int utf8_scan(struct scanner *s)
{
	while (s->at < s->end && (unsigned char)*s->at >= 0x80) {
		size_t len = mx_utf8_step(mx_slice_of(s->at, (size_t)(s->end - s->at)));

		if (!len)
			return not_json(s, "invalid UTF-8");
		s->at += len;
	}
	return 0;
}

/* At the opening quote; adds the node of what is between the quotes. */
static int string_scan(struct scanner *s)
{
	const char *from = ++s->at;
	bool escaped = false;
	int rc = 0;

	while (!rc) {
		s->at = plain_skip(s->at, s->end);
		if (s->at == s->end)
			return not_json(s, "unfinished string");
		if (*s->at == '"')
			break;
		if ((unsigned char)*s->at < 0x20)
			return not_json(s, "control character in a string");
		if (*s->at == '\\')
			escaped = true;
		rc = *s->at == '\\' ? escape_scan(s) : utf8_scan(s);
	}
	if (!rc)
		rc = node_add(s, MX_JSON_STRING, from);
	if (rc)
		return rc;
	s->nodes[s->count - 1].escaped = escaped;
	s->at++;
	return 0;
}

static bool is_at(const struct scanner *s, char c)
{
	return s->at < s->end && *s->at == c;
}

/* False if there is none. */
static bool digits_skip(struct scanner *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from;
}

static bool integer_skip(struct scanner *s)
{
	if (!is_at(s, '0'))
		return digits_skip(s);
	s->at++;
	return true;
}

static bool fraction_skip(struct scanner *s)
{
	if (is_at(s, '.')) {
		s->at++;
		if (!digits_skip(s))
			return false;
	}
	if (!is_at(s, 'e') && !is_at(s, 'E'))
		return true;
	s->at++;
	if (is_at(s, '+') || is_at(s, '-'))
		s->at++;
	return digits_skip(s);
}

static int number_scan(struct scanner *s)
{
	const char *from = s->at, *digits = from + (*from == '-'), *integer_end;

	s->at = digits;
	if (!integer_skip(s))
		return not_json(s, "malformed number");
	integer_end = s->at;
	if (!fraction_skip(s))
		return not_json(s, "malformed number");
	if (s->at > integer_end && s->limits->no_reals)
		return bad_json(s, "number that is not an integer");
	if (s->at - digits > NUMBER_MAX)
		return bad_json(s, "number with too many digits");
	return node_add(s, s->at > integer_end ? MX_JSON_REAL : MX_JSON_INTEGER, from);
}

static int word_scan(struct scanner *s, struct mx_slice word, enum mx_json_type type)
{
	const char *from = s->at;

	if ((size_t)(s->end - s->at) < word.len || memcmp(s->at, word.ptr, word.len) != 0)
		return not_json(s, "unknown word");
	s->at += word.len;
	return node_add(s, type, from);
}

static int container_open(struct scanner *s, enum mx_json_type type)
{
	uint32_t index = s->count;
	int rc;

	if (s->depth >= s->limits->depth)
		return bad_json(s, "too many levels");
	rc = node_add(s, type, s->at);
	if (rc)
		return rc;
	s->nodes[index].end = s->open;
	s->open = index;
	s->depth++;
	s->at++;
	return 0;
}

static int value_scan(struct scanner *s)
{
	blanks_skip(s);
	if (s->at == s->end)
		return not_json(s, "a value is missing");
	switch (*s->at) {
	case '{': return container_open(s, MX_JSON_OBJECT);
	case '[': return container_open(s, MX_JSON_ARRAY);
	case '"': return string_scan(s);
	case 't': return word_scan(s, MX_SLICE("true"), MX_JSON_TRUE);
	case 'f': return word_scan(s, MX_SLICE("false"), MX_JSON_FALSE);
	case 'n': return word_scan(s, MX_SLICE("null"), MX_JSON_NULL);
	case '-': return number_scan(s);
	default: break;
	}
	if (*s->at >= '0' && *s->at <= '9')
		return number_scan(s);
	return not_json(s, "unexpected character");
}

static int key_scan(struct scanner *s)
{
	int rc;

	blanks_skip(s);
	if (!is_at(s, '"'))
		return not_json(s, "a key is missing");
	rc = string_scan(s);
	if (rc)
		return rc;
	blanks_skip(s);
	if (!is_at(s, ':'))
		return not_json(s, "a colon is missing");
	s->at++;
	return MORE;
}

/* At the closing bracket of the innermost container. */
static int container_close(struct scanner *s)
{
	struct mx_json_node *node = &s->nodes[s->open];
	struct mx_json_doc doc = { .text = s->text, .nodes = s->nodes };
	uint32_t index = s->open;

	s->at++;
	s->open = node->end;
	s->depth--;
	node->len = (uint32_t)(s->at - s->text) - node->offset;
	node->end = s->count;
	if (node->type == MX_JSON_OBJECT && !mx_json_keys_unique(&doc, index))
		return bad_json(s, "a key appears twice in the object that ends");
	return 0;
}

static bool closes(const struct scanner *s)
{
	return *s->at == (s->nodes[s->open].type == MX_JSON_OBJECT ? '}' : ']');
}

/* Behind a value or an opening bracket: closes what ends here, then goes over comma and key to
 * the next value. 0 at the end of the document. */
static int next_value(struct scanner *s)
{
	while (s->open != NONE) {
		struct mx_json_node *node = &s->nodes[s->open];
		int rc;

		blanks_skip(s);
		if (s->at == s->end)
			return not_json(s, "a bracket is not closed");
		if (closes(s)) {
			rc = container_close(s);
			if (rc)
				return rc;
			continue;
		}
		if (node->count && *s->at != ',')
			return not_json(s, "a comma is missing");
		s->at += node->count > 0;
		node->count++;
		return node->type == MX_JSON_OBJECT ? key_scan(s) : MORE;
	}
	blanks_skip(s);
	return s->at == s->end ? 0 : not_json(s, "text behind the document");
}

static int document_scan(struct scanner *s)
{
	int rc;

	do {
		rc = value_scan(s);
		if (!rc)
			rc = next_value(s);
	} while (rc == MORE);
	return rc;
}

int mx_json_scan(struct mx_slice text, const struct mx_json_limits *limits, struct mx_arena *mem,
		 struct mx_json_doc *ret_doc, struct mx_error *err)
{
	struct scanner s;
	struct mx_json_node *nodes;
	int rc;

	if (text.len > limits->bytes || text.len >= UINT32_MAX)
		return mx_fail(err, MX_TOO_LARGE, "The JSON is longer than %zu bytes",
			       limits->bytes);
	s.text = s.at = text.len ? text.ptr : "";
	s.end = s.text + text.len;
	s.limits = limits;
	s.err = err;
	s.nodes = s.small;
	s.count = s.depth = 0;
	s.cap = limits->nodes < SMALL_NODES ? limits->nodes : SMALL_NODES;
	s.open = NONE;
	rc = document_scan(&s);
	if (!rc) {
		nodes = mx_arena_alloc(mem, s.count * sizeof(*nodes));
		memcpy(nodes, s.nodes, s.count * sizeof(*nodes));
		*ret_doc = (struct mx_json_doc){ s.text, nodes, (uint32_t)text.len };
	}
	if (s.nodes != s.small)
		mx_free(s.nodes);
	return rc;
}

static struct mx_slice node_text(const struct mx_json_doc *doc, uint32_t node)
{
	return mx_slice_of(doc->text + doc->nodes[node].offset, doc->nodes[node].len);
}

struct mx_slice mx_json_raw(const struct mx_json_doc *doc, uint32_t node)
{
	struct mx_slice text = node_text(doc, node);

	if (mx_json_type(doc, node) != MX_JSON_STRING)
		return text;
	return mx_slice_of(text.ptr - 1, text.len + 2);
}

struct mx_slice mx_json_string(const struct mx_json_doc *doc, uint32_t node, struct mx_arena *mem)
{
	struct mx_slice raw = node_text(doc, node);
	char *decoded;

	if (!doc->nodes[node].escaped)
		return raw;
	decoded = mx_arena_alloc(mem, raw.len + 1);
	raw.len = mx_json_unescape(raw, decoded);
	decoded[raw.len] = '\0';
	return mx_slice_of(decoded, raw.len);
}

static bool key_is(const struct mx_json_doc *doc, uint32_t node, struct mx_slice key)
{
	struct mx_slice raw = node_text(doc, node);
	mx_str_auto decoded = { 0 };

	if (!doc->nodes[node].escaped)
		return mx_slice_eq(raw, key);
	mx_str_reserve(&decoded, raw.len);
	decoded.len = mx_json_unescape(raw, decoded.ptr);
	return mx_slice_eq(mx_str_slice(&decoded), key);
}

uint32_t mx_json_member(const struct mx_json_doc *doc, uint32_t node, const char *key)
{
	struct mx_slice name = mx_slice(key);

	if (mx_json_type(doc, node) != MX_JSON_OBJECT)
		return 0;
	for (uint32_t i = node + 1; i < doc->nodes[node].end; i = doc->nodes[i + 1].end)
		if (key_is(doc, i, name))
			return i + 1;
	return 0;
}

bool mx_json_i64(const struct mx_json_doc *doc, uint32_t node, int64_t *ret_value)
{
	return mx_json_type(doc, node) == MX_JSON_INTEGER &&
	       mx_parse_i64(node_text(doc, node), ret_value);
}

/* The scanner against jansson, and its nodes against the text. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/utf8.h"
#include "shared/json/json.h"

static const struct mx_json_limits limits = { .bytes = 1 << 16, .nodes = 1000, .depth = 20 };

static void string_check(const struct mx_json_doc *doc, uint32_t node, struct mx_arena *mem)
{
	struct mx_slice text = mx_json_string(doc, node, mem);

	FUZZ_ASSERT(mx_utf8_valid(text));
	FUZZ_ASSERT(text.len <= doc->nodes[node].len);
}

static void object_check(const struct mx_json_doc *doc, uint32_t node, struct mx_arena *mem)
{
	for (uint32_t key = mx_json_first(doc, node); key < mx_json_end(doc, node);
	     key = mx_json_next(doc, key + 1)) {
		struct mx_slice text = mx_json_string(doc, key, mem);
		mx_autofree char *name = mx_strndup(text.ptr, text.len);

		FUZZ_ASSERT(strlen(name) != text.len || mx_json_member(doc, node, name) == key + 1);
	}
}

static void node_check(const struct mx_json_doc *doc, uint32_t node, struct mx_arena *mem)
{
	struct mx_slice raw = mx_json_raw(doc, node);
	uint32_t children = 0;
	int64_t value;

	FUZZ_ASSERT(raw.ptr >= doc->text && raw.ptr + raw.len <= doc->text + doc->len);
	for (uint32_t i = mx_json_first(doc, node); i < mx_json_end(doc, node);
	     i = mx_json_next(doc, i)) {
		struct mx_slice child = mx_json_raw(doc, i);

		FUZZ_ASSERT(child.ptr > raw.ptr && child.ptr + child.len < raw.ptr + raw.len);
		children++;
	}
	if (mx_json_type(doc, node) == MX_JSON_STRING)
		string_check(doc, node, mem);
	if (mx_json_type(doc, node) == MX_JSON_OBJECT) {
		object_check(doc, node, mem);
		children /= 2;
	}
	FUZZ_ASSERT(children == doc->nodes[node].count);
	mx_json_i64(doc, node, &value);
}

/* A raw NUL is the end of the text to it, and not to us. */
static bool jansson_accepts(struct mx_slice text)
{
	json_t *json;

	if (memchr(text.ptr, '\0', text.len))
		return false;
	json = json_loadb(text.ptr, text.len,
			  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
	json_decref(json);
	return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice text = mx_slice_of(data, size);
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_json_doc doc;
	json_t *json = NULL;
	int rc = mx_json_scan(text, &limits, mem, &doc, NULL);

	FUZZ_ASSERT(rc == 0 || rc == -MX_NOT_JSON || rc == -MX_BAD_JSON || rc == -MX_TOO_LARGE);
	FUZZ_ASSERT(rc != -MX_NOT_JSON || !jansson_accepts(text));
	for (uint32_t i = 0; rc == 0 && i < doc.nodes[0].end; i++)
		node_check(&doc, i, mem);
	if (rc == 0 && mx_json_parse(text, &limits, mem, &json, NULL) == 0)
		FUZZ_ASSERT(json);
	json_decref(json);
	return 0;
}

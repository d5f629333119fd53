/* One strict, bounded pass over untrusted JSON. It finds slices; it builds no tree and copies
 * nothing, so numbers keep their lexemes. Spec: appendices, "Canonical JSON". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;

enum mx_json_type {
	MX_JSON_NULL,
	MX_JSON_FALSE,
	MX_JSON_TRUE,
	MX_JSON_INTEGER, /* lexeme without '.', 'e', 'E'; any number of digits */
	MX_JSON_REAL,
	MX_JSON_STRING,
	MX_JSON_ARRAY,
	MX_JSON_OBJECT,
};

/* Values in document order. An object's children alternate key, value. */
struct mx_json_node {
	uint32_t offset, len; /* raw text; of a string: what stands between the quotes */
	uint32_t end; /* index of the first node that is not inside this one */
	uint32_t count; /* of an object its members, of an array its items */
	uint8_t type;
	bool escaped; /* a string with backslashes */
};

/* Borrows the text; nodes live in the arena. */
struct mx_json_doc {
	const char *text;
	const struct mx_json_node *nodes; /* [0] is the whole document */
	uint32_t len;
};

struct mx_json_limits {
	size_t bytes;
	uint32_t nodes;
	uint32_t depth; /* `[]` has depth 1 */
	bool no_reals; /* refuse '.', 'e', 'E' in numbers: signed JSON */
};

/* 1 MiB, 100,000 nodes, depth 100. */
extern const struct mx_json_limits mx_json_default_limits;

/*
 * -MX_NOT_JSON: not JSON at all (RFC 8259, strict UTF-8, lone surrogates, NaN, raw controls,
 * trailing data, BOM). -MX_BAD_JSON: JSON, but duplicate keys (compared decoded), too deep, a
 * number of more than 400 characters, or a real where refused. -MX_TOO_LARGE: over bytes or nodes.
 * Time is linear in len; the stack is bounded.
 */
int mx_json_scan(struct mx_slice text, const struct mx_json_limits *limits, struct mx_arena *mem,
		 struct mx_json_doc *ret_doc, struct mx_error *err);

/* The raw text of a node; of a string with its quotes. */
struct mx_slice mx_json_raw(const struct mx_json_doc *doc, uint32_t node);

/* The decoded text of a string node; in the arena only if it had escapes. */
struct mx_slice mx_json_string(const struct mx_json_doc *doc, uint32_t node, struct mx_arena *mem);

/* Member `key` of an object node (keys compared decoded): its value's index, 0 if absent or if
 * node is no object. */
uint32_t mx_json_member(const struct mx_json_doc *doc, uint32_t node, const char *key);

/* for (uint32_t i = mx_json_first(doc, n); i < mx_json_end(doc, n); i = mx_json_next(doc, i)):
 * all children; of an object, keys and values in turn. */
static inline uint32_t mx_json_first(const struct mx_json_doc *doc, uint32_t node)
{
	(void)doc;
	return node + 1;
}

static inline uint32_t mx_json_end(const struct mx_json_doc *doc, uint32_t node)
{
	return doc->nodes[node].end;
}

static inline uint32_t mx_json_next(const struct mx_json_doc *doc, uint32_t child)
{
	return doc->nodes[child].end;
}

static inline enum mx_json_type mx_json_type(const struct mx_json_doc *doc, uint32_t node)
{
	return (enum mx_json_type)doc->nodes[node].type;
}

/* An integer node inside ±2^63; false for anything else. */
bool mx_json_i64(const struct mx_json_doc *doc, uint32_t node, int64_t *ret_value);

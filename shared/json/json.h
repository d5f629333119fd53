/* jansson behind the scanner, and getters that need no checks after a schema. */
#pragma once

#include "shared/core/slice.h"
#include "shared/json/scan.h"

#include <jansson.h>

struct mx_arena;
struct mx_error;

/*
 * Scans (see mx_json_scan for limits and codes), then builds the tree: the only way from
 * untrusted text to a json_t. NUL in a value is kept, in a key it is -MX_BAD_JSON, as is an
 * integer beyond ±2^63. mem holds the scanner's nodes meanwhile. Owned by the caller.
 */
int mx_json_parse(struct mx_slice text, const struct mx_json_limits *limits, struct mx_arena *mem,
		  json_t **ret_json, struct mx_error *err);

/* Members of an object, with defaults when absent or of another type. Borrowed. */
const char *jstr(const json_t *object, const char *key); /* NULL */
const char *jstr_or(const json_t *object, const char *key, const char *other);
struct mx_slice jslice(const json_t *object, const char *key); /* {NULL, 0} */
int64_t jint(const json_t *object, const char *key, int64_t other);
bool jbool(const json_t *object, const char *key, bool other);
json_t *jobj(const json_t *object, const char *key); /* NULL */
json_t *jarr(const json_t *object, const char *key); /* NULL */

/* Compact text of a tree, owned by the caller (mx_free). Not canonical: never sign it. */
char *mx_json_text(const json_t *json);

/* Matrix canonical JSON: members sorted by code point, no blanks, shortest escapes, integers as
 * written (-0 becomes 0). Spec: appendices, "Canonical JSON". */
#pragma once

#include "shared/core/str.h"
#include "shared/json/scan.h"

#include <jansson.h>

struct mx_error;

/* Bytes longer than this are refused by mx_canonical_json. */
#define MX_CANONICAL_MAX (64u * 1024 * 1024)

/*
 * Appends the canonical form of a node. Members of the *top-level* object whose key is in
 * `without` (NULL-ended list, or NULL) are left out. Integers keep all their digits. A real is
 * -MX_BAD_JSON: what was signed cannot be known.
 */
int mx_canonical(const struct mx_json_doc *doc, uint32_t node, const char *const *without,
		 struct mx_str *out, struct mx_error *err);

/* mx_canonical() with reals as the first servers wrote them (see real.h): events of old rooms hold
 * some, and the hash is over that. Only a real beyond a double is -MX_BAD_JSON. */
int mx_canonical_with_reals(const struct mx_json_doc *doc, uint32_t node,
			    const char *const *without, struct mx_str *out, struct mx_error *err);

/* mx_canonical() for a tree that we built. Reals and integers beyond ±(2^53-1) are -MX_BAD_JSON. */
int mx_canonical_json(const json_t *json, const char *const *without, struct mx_str *out,
		      struct mx_error *err);

/* Appends text (valid UTF-8) as a quoted canonical string. */
void mx_canonical_string(struct mx_str *out, struct mx_slice text);

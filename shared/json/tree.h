/* A jansson tree of what the scanner found: the text is read once, and nothing is checked twice. */
#pragma once

#include "shared/json/scan.h"

#include <jansson.h>

#define MX_JSON_LEVELS_MAX 2048 /* jansson frees a tree by recursion */

/* -MX_BAD_JSON: a NUL in a key, an integer beyond 64 bits, too many levels; -MX_NOT_JSON: a number
 * beyond all limits. The caller owns the tree. */
int mx_json_tree(const struct mx_json_doc *doc, struct mx_arena *mem, json_t **ret_json,
		 struct mx_error *err);

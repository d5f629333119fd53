/* Dotted paths into JSON, as push conditions and filters write them: "content.m\.relates_to".
 * Spec: appendices, "Dot-separated property paths". */
#pragma once

#include <jansson.h>

/* What the path leads to, or NULL; `\.` and `\\` escape. Borrowed. */
json_t *mx_json_path(const json_t *json, const char *path);

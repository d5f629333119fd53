/* One strict pass over a configuration file before libcyaml fills the structs: every refusal
 * names the line and the key. */
#pragma once

#include "shared/core/slice.h"

#include <cyaml/cyaml.h>

struct mx_error;
struct mx_str;

/*
 * -MX_BAD_CONFIG with "FILE:LINE: KEY: why" for text that is not one YAML mapping of the schema:
 * unknown and repeated keys, values of another type, aliases, anchors, tags, deep nesting.
 * *ret_text gets the same document in plain form, with headings that have nothing below them
 * (all is commented out) as empty mappings and lists.
 */
int conf_scan(const char *file, struct mx_slice text, const cyaml_schema_value_t *schema,
	      struct mx_str *ret_text, struct mx_error *err);

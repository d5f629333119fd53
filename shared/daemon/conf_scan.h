/* One strict pass over a configuration file before libcyaml fills the structs: every refusal
 * names the line and the key. */
#pragma once

#include "shared/core/slice.h"

#include <cyaml/cyaml.h>

struct mx_error;

/*
 * -MX_BAD_CONFIG with "FILE:LINE: KEY: why" for text that is not one YAML mapping of the schema:
 * unknown and repeated keys, values of another type, aliases, anchors, tags, deep nesting.
 */
int conf_scan(const char *file, struct mx_slice text, const cyaml_schema_value_t *schema,
	      struct mx_error *err);

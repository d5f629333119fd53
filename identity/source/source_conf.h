/* A row of the `sources` section of the configuration. */
#pragma once

#include <cyaml/cyaml.h>

struct source_conf {
	char *name; /* of logs and metrics */
};

extern const cyaml_schema_field_t source_conf_fields[];

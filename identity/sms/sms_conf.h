/* The `sms` section of the configuration. */
#pragma once

#include <cyaml/cyaml.h>

struct sms_conf {
	char *gateway; /* NULL: no text message is sent */
};

extern const cyaml_schema_field_t sms_conf_fields[];

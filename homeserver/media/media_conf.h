/* The section `media` of the configuration. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdint.h>

struct mx_error;

struct media_conf {
	unsigned max_upload_mb;
	unsigned user_max_mb, user_max_files; /* 0 = no limit */
	unsigned pending_hours, pending_max; /* ids that wait for their content */
	char *frozen_from; /* "2024-09-01": what is newer needs a token; NULL: all of it */
	int64_t frozen_ms; /* the same */
};

extern const cyaml_schema_field_t media_fields[];

/* Defaults, and what cannot work. */
int media_conf_check(struct media_conf *conf, struct mx_error *err);

/* The section `validation` of a daemon's configuration. */
#pragma once

#include "shared/threepid/next_link.h"

#include <cyaml/cyaml.h>

struct validation_conf {
	bool *landing_page; /* the mail's link leads to a page with a button */
	bool *next_link_http; /* next_link may be http:// too */
	char **next_link_hosts;
	unsigned next_link_hosts_count;
};

extern const cyaml_schema_field_t validation_conf_fields[];
/* Without landing_page: for whom there always is one. */
extern const cyaml_schema_field_t validation_link_fields[];

void validation_conf_defaults(struct validation_conf *conf);
/* The same, without landing_page. */
void validation_link_defaults(struct validation_conf *conf);
/* Borrows. */
struct next_link_rules validation_conf_links(const struct validation_conf *conf);

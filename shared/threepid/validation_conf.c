#include "shared/daemon/conf_default.h"
#include "shared/threepid/validation_conf.h"

#include <stddef.h>

#define TEXT_MAX 4096
#define LIST_MAX 10000

#define MAYBE        CYAML_FLAG_OPTIONAL
#define BOOL(member) CYAML_FIELD_BOOL_PTR(#member, MAYBE, struct validation_conf, member)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

#define LINK_ROWS                                                                                 \
	BOOL(next_link_http), CYAML_FIELD_SEQUENCE("next_link_hosts", CYAML_FLAG_POINTER | MAYBE, \
						   struct validation_conf, next_link_hosts,       \
						   &text_entry, 0, LIST_MAX)

const cyaml_schema_field_t validation_conf_fields[] = {
	BOOL(landing_page),
	LINK_ROWS,
	CYAML_FIELD_END,
};

const cyaml_schema_field_t validation_link_fields[] = {
	LINK_ROWS,
	CYAML_FIELD_END,
};

void validation_link_defaults(struct validation_conf *conf)
{
	conf_default_bool(&conf->next_link_http, false);
}

void validation_conf_defaults(struct validation_conf *conf)
{
	conf_default_bool(&conf->landing_page, true);
	validation_link_defaults(conf);
}

struct next_link_rules validation_conf_links(const struct validation_conf *conf)
{
	return (struct next_link_rules){
		.hosts = (const char *const *)conf->next_link_hosts,
		.hosts_len = conf->next_link_hosts_count,
		.http = conf->next_link_http && *conf->next_link_http,
	};
}

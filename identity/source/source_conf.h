/* An entry of `sources` in the configuration: a directory that knows who is who. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdbool.h>

struct mx_error;

enum source_type { SOURCE_LDAP, SOURCE_HTTP };
enum source_tls { SOURCE_STARTTLS, SOURCE_PLAIN };

#define SOURCES_MAX      8
#define SOURCE_NAME_MAX  32
#define SOURCE_ATTRS_MAX 8

struct source_conf {
	char *name; /* of logs, metrics and the table of what it lists */
	int type; /* enum source_type */
	char *url;
	char *ca_file; /* NULL: the one of `outbound`, or the system's */
	char *user, *password_file;
	char *user_id; /* "@{uid}:example.org" */
	unsigned timeout_ms, connections;
	/* Of LDAP: */
	int tls; /* enum source_tls; of ldap:// only */
	char *base, *filter, *changed;
	char **email, **msisdn; /* attributes */
	unsigned email_count, msisdn_count;
	bool *read, *live;
	unsigned refresh_minutes, full_minutes, addresses_max;
	/* Of HTTP: */
	char **allow; /* ranges that are not public */
	unsigned allow_count;
};

extern const cyaml_schema_value_t source_item;

/* Fills what is absent; -MX_BAD_CONFIG. */
int source_conf_check(struct source_conf *confs, unsigned len, struct mx_error *err);

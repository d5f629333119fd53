/* The notary's configuration file. packaging/config/notary.yaml explains every key. */
#pragma once

#include "shared/daemon/daemon.h"

struct mx_error;

struct notary_conf {
	struct daemon_conf daemon; /* first: see daemon.h */
	char *server_name;
	struct {
		char *signing_file;
		char *countersign_file; /* NULL = none */
		unsigned validity_hours;
	} keys;
	struct {
		unsigned deadline_ms;
		unsigned servers_max;
	} query;
	struct {
		unsigned connect_ms, total_ms;
		unsigned cold_burst, cold_per_minute; /* per asker */
		unsigned cold_total_burst, cold_total_per_minute; /* all askers together */
	} fetch;
	struct {
		char **allow, **deny; /* globs of server names */
		unsigned allow_count, deny_count;
		char **one_signature; /* servers that need not sign with every key */
		unsigned one_signature_count;
	} trust;
	struct {
		unsigned days; /* servers asked for within them stay fresh */
		char *prefetch_file; /* a name a line; NULL = none */
	} refresh;
	struct {
		unsigned requests_per_second, burst; /* per asker, warm or cold; 0 = no limit */
	} limit;
	char *alarm_url; /* NULL = log and metrics only */
	bool *status_page; /* NULL only before notary_conf_check() */
};

extern const cyaml_schema_value_t notary_conf_schema;

/* Defaults for what is absent; refuses what cannot work. */
int notary_conf_check(void *conf, struct mx_error *err);

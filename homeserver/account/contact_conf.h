/* The sections of the configuration about e-mail addresses, phone numbers and identity servers. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdbool.h>

struct hs_conf;
struct mx_error;

struct id_server_conf {
	char *name; /* as clients call it: "id.example.org" */
	char *url; /* where it is; without one, https:// and the name */
};

struct id_servers_conf {
	struct id_server_conf *servers; /* that people may use through this homeserver */
	unsigned servers_count;
};

struct threepids_conf {
	bool *changes; /* people may add and remove addresses themselves */
	bool *registration_email, *registration_msisdn; /* needed to register */
	bool *tell_existence; /* requestToken says whether an address is somebody's */
	char **emails; /* globs of addresses that may be used; none: all */
	unsigned emails_count;
};

struct recaptcha_conf {
	char *site_key, *secret_file; /* both: needed to register */
	char *verify_url, *script_url;
};

extern const cyaml_schema_field_t id_servers_fields[], threepids_fields[], recaptcha_fields[];

/* Defaults for what is absent, limits.mail_… included; -MX_BAD_CONFIG. */
int contact_conf_check(struct hs_conf *conf, struct mx_error *err);

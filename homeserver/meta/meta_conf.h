/* The sections `well_known` and `turn` of the configuration. */
#pragma once

#include <cyaml/cyaml.h>

struct mx_error;

struct well_known_conf {
	char *identity_server; /* a URL; NULL: none is named */
	char *server; /* "matrix.example.org:443"; NULL: the server's name leads there by itself */
	char *support_page; /* a URL, or NULL */
	struct {
		char *role, *matrix_id, *email_address;
	} * contacts;
	unsigned contacts_count;
	char *policy_key; /* Ed25519, in base64; NULL: there is no policy server here */
};

struct turn_conf {
	char **uris;
	unsigned uris_count; /* 0: there are no calls */
	char *secret_file; /* what the TURN server knows too */
	unsigned lifetime_hours;
};

extern const cyaml_schema_field_t well_known_fields[], turn_fields[];

/* Defaults, and what cannot work. */
int well_known_conf_check(const struct well_known_conf *conf, struct mx_error *err);
int turn_conf_check(struct turn_conf *conf, struct mx_error *err);

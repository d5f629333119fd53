/* The sections of the configuration about accounts. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdbool.h>

struct mx_error;

/* What is not in the file is 0. */
enum conf_registration {
	CONF_REGISTRATION_CLOSED,
	CONF_REGISTRATION_TOKEN,
	CONF_REGISTRATION_OPEN
};

struct registration_conf {
	int mode; /* enum conf_registration: who may make an account */
	bool *guests;
	unsigned guest_days; /* after which a guest's account ends; 0: never */
	char *shared_secret_file; /* of tools that make accounts over the admin listener */
};

struct login_conf {
	unsigned failures_burst, failures_per_minute; /* of one account, and of one address */
	unsigned token_minutes; /* how long m.login.token is good */
};

struct password_conf {
	unsigned length_min;
	unsigned memory_kib, passes; /* of Argon2id */
	unsigned at_once; /* that many are computed at a time; 0: one a core, at most 4 */
};

struct sessions_conf {
	unsigned access_minutes; /* of tokens that can be refreshed */
};

extern const cyaml_schema_field_t registration_fields[], login_fields[], password_fields[],
	sessions_fields[];

struct hs_conf;
/* Defaults, and what cannot work. */
int account_conf_check(struct hs_conf *conf, struct mx_error *err);

/* The sections `mail` and `templates` of a daemon's configuration. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdint.h>

struct daemon_paths;
struct mailer;
struct mx_error;
struct template_conf;

enum conf_mail_tls { CONF_MAIL_STARTTLS, CONF_MAIL_IMPLICIT, CONF_MAIL_PLAIN };

struct mail_conf {
	char *relay; /* NULL: no mail is sent */
	uint16_t port; /* 0 = by tls */
	int tls; /* enum conf_mail_tls */
	char *user, *password_file;
	char *from; /* "Example <id@example.org>" */
	char *hello, *ca_file;
	unsigned per_domain, domain_pause_ms, give_up_hours;
};

struct texts_conf {
	char *directory, *brand, *language;
};

extern const cyaml_schema_field_t mail_conf_fields[], texts_conf_fields[];

/* Defaults for what is absent; -MX_BAD_CONFIG. */
int mail_conf_check(struct mail_conf *conf, struct mx_error *err);
void texts_conf_defaults(struct texts_conf *conf);
/* Borrows. builtin: see template.h. */
struct template_conf texts_conf_of(const struct texts_conf *conf, const char *const (*builtin)[2]);

/* Makes *mailer, or gives it other settings if there is one; server_name is said in EHLO unless the
 * configuration has another name. Reads the password. What fails leaves it as it was. */
int mail_conf_apply(const struct mail_conf *conf, const char *server_name, struct mailer **mailer,
		    struct mx_error *err);

#include "shared/daemon/conf_default.h"
#include "shared/mail/mail_conf.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/daemon/files.h"
#include "shared/id/server_name.h"
#include "shared/mail/mailer.h"
#include "shared/mail/template.h"

#include <sodium.h>
#include <stddef.h>

#define TEXT_MAX     4096
#define PASSWORD_MAX 1024

#define MAYBE CYAML_FLAG_OPTIONAL
#define TEXT(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | MAYBE, type, member, 1, TEXT_MAX)
#define MAIL(member)   TEXT(struct mail_conf, member)
#define NUMBER(member) CYAML_FIELD_UINT(#member, MAYBE, struct mail_conf, member)

static const cyaml_strval_t tls_names[] = {
	{ "starttls", CONF_MAIL_STARTTLS },
	{ "implicit", CONF_MAIL_IMPLICIT },
	{ "plain", CONF_MAIL_PLAIN },
};

const cyaml_schema_field_t mail_conf_fields[] = {
	MAIL(relay),
	NUMBER(port),
	CYAML_FIELD_ENUM("tls", MAYBE | CYAML_FLAG_STRICT, struct mail_conf, tls, tls_names,
			 CYAML_ARRAY_LEN(tls_names)),
	MAIL(user),
	MAIL(password_file),
	MAIL(from),
	MAIL(hello),
	MAIL(ca_file),
	NUMBER(per_domain),
	NUMBER(domain_pause_ms),
	NUMBER(give_up_hours),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t texts_conf_fields[] = {
	TEXT(struct texts_conf, directory),
	TEXT(struct texts_conf, brand),
	TEXT(struct texts_conf, language),
	CYAML_FIELD_END,
};

/* ---- what they may say */

static int check_number(const char *key, unsigned *value, unsigned other, unsigned most,
			struct mx_error *err)
{
	if (*value == 0)
		*value = other;
	if (*value <= most)
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "%s must be at most %u", key, most);
}

int mail_conf_check(struct mail_conf *mail, struct mx_error *err)
{
	int rc = check_number("mail.per_domain", &mail->per_domain, 2, 64, err);

	if (rc == 0)
		rc = check_number("mail.domain_pause_ms", &mail->domain_pause_ms, 200, 600000, err);
	if (rc == 0)
		rc = check_number("mail.give_up_hours", &mail->give_up_hours, 24, 720, err);
	if (rc || !mail->relay)
		return rc;
	if (!mail->from)
		return mx_fail(err, MX_BAD_CONFIG, "mail.from is missing");
	if (!mail->user != !mail->password_file)
		return mx_fail(err, MX_BAD_CONFIG,
			       "mail.user and mail.password_file need each other");
	return 0;
}

void texts_conf_defaults(struct texts_conf *conf)
{
	conf_default_text(&conf->brand, "default");
	conf_default_text(&conf->language, "en");
}

struct template_conf texts_conf_of(const struct texts_conf *conf, const char *const (*builtin)[2])
{
	return (struct template_conf){
		.directory = conf->directory,
		.default_brand = conf->brand,
		.default_language = conf->language,
		.builtin = builtin,
	};
}

/* ---- the mailer of it */

static int read_password(const char *path, char **ret_password, struct mx_error *err)
{
	size_t len;
	int rc;

	*ret_password = NULL;
	if (!path)
		return 0;
	rc = file_read(path, PASSWORD_MAX, ret_password, &len, err);
	if (rc)
		return mx_fail(err, MX_BAD_CONFIG, "mail.password_file: %s cannot be read", path);
	(*ret_password)[strcspn(*ret_password, "\r\n")] = '\0';
	return 0;
}

/* The name of the machine, which is said otherwise, is a short one that relays turn away. The
 * caller's; NULL if the service has no name but an address. */
static char *hello_of(const struct mail_conf *mail, const char *server_name)
{
	struct mx_server_name name;

	if (mail->hello)
		return mx_strdup(mail->hello);
	if (!mx_server_name_parse(mx_slice(server_name), &name) || name.kind != MX_HOST_DNS)
		return NULL;
	return mx_strndup(name.host.ptr, name.host.len);
}

static struct mailer_conf mailer_conf_of(const struct mail_conf *mail, const char *password)
{
	static const enum smtp_tls tls[] = { [CONF_MAIL_STARTTLS] = SMTP_STARTTLS,
					     [CONF_MAIL_IMPLICIT] = SMTP_IMPLICIT,
					     [CONF_MAIL_PLAIN] = SMTP_PLAIN };

	return (struct mailer_conf){
		.smtp = { .host = mail->relay,
			  .port = mail->port,
			  .tls = tls[mail->tls],
			  .user = mail->user,
			  .password = password,
			  .ca_file = mail->ca_file },
		.from = mail->from,
		.per_domain = mail->per_domain,
		.domain_pause_ms = mail->domain_pause_ms,
		.give_up_ms = mail->give_up_hours * MX_HOUR_MS,
	};
}

int mail_conf_apply(const struct mail_conf *mail, const char *server_name, struct mailer **mailer,
		    struct mx_error *err)
{
	mx_autofree char *hello = hello_of(mail, server_name);
	struct mailer_conf conf;
	char *password;
	int rc = read_password(mail->password_file, &password, err);

	if (rc)
		return rc;
	conf = mailer_conf_of(mail, password);
	conf.smtp.hello = hello;
	rc = *mailer ? mailer_set(*mailer, &conf, err) : mailer_new(&conf, mailer, err);
	if (password)
		sodium_memzero(password, strlen(password));
	mx_free(password);
	return rc;
}

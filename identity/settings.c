#include "identity/settings.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/long_term_keys.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/files.h"
#include "shared/http/route.h"
#include "shared/id/server_name.h"
#include "shared/mail/mailer.h"

#include <sodium.h>
#include <string.h>

#define PASSWORD_MAX 1024

void identity_limits(struct daemon *daemon, const struct identity_conf *conf)
{
	struct http_limit limits[LIMIT_COUNT] = { 0 };

	for (int class = LIMIT_NONE + 1; class < LIMIT_COUNT; class ++) {
		limits[class].per_second = conf->limits.requests.per_second;
		limits[class].burst = conf->limits.requests.burst;
	}
	limits[LIMIT_REGISTER].per_second = (double)conf->limits.registers.per_day * MX_SECOND_MS /
					    MX_DAY_MS;
	limits[LIMIT_REGISTER].burst = conf->limits.registers.burst;
	daemon_limits(daemon, limits);
}

/* Borrows conf's texts; mx_free() the array. */
static const char **revoked_of(const struct identity_conf *conf)
{
	const char **list = mx_calloc(conf->keys.revoked_count + 1u, sizeof(*list));

	for (unsigned i = 0; i < conf->keys.revoked_count; i++)
		list[i] = conf->keys.revoked[i];
	return list;
}

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
static char *hello_of(const struct identity_conf *conf, const struct mail_conf *mail)
{
	struct mx_server_name name;

	if (mail->hello)
		return mx_strdup(mail->hello);
	if (!mx_server_name_parse(mx_slice(conf->server_name), &name) || name.kind != MX_HOST_DNS)
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

int identity_mailer(struct identity *identity, const struct mail_conf *mail, struct mx_error *err)
{
	mx_autofree char *hello = hello_of(identity->conf, mail);
	struct mailer_conf conf;
	char *password;
	int rc = read_password(mail->password_file, &password, err);

	if (rc)
		return rc;
	conf = mailer_conf_of(mail, password);
	conf.smtp.hello = hello;
	rc = identity->mailer ? mailer_set(identity->mailer, &conf, err)
			      : mailer_new(&conf, &identity->mailer, err);
	if (password)
		sodium_memzero(password, strlen(password));
	mx_free(password);
	return rc;
}

int identity_keys(struct identity *identity, const struct identity_conf *conf, struct mx_error *err)
{
	const char **revoked = revoked_of(conf);
	const struct long_term_conf keys = {
		.server_name = identity->conf->server_name,
		.file = identity->conf->keys.signing_file,
		.revoked = revoked,
	};
	int rc = identity->keys ? long_term_keys_reload(identity->keys, &keys, err)
				: long_term_keys_new(&keys, &identity->keys, err);

	mx_free(revoked);
	return rc;
}

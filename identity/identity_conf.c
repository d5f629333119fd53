#include "identity/identity_conf.h"

#include "identity/routes.h"
#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/server_name.h"

#define DOCUMENTS_MAX 32
#define LANGUAGES_MAX 64
#define BUDGET_MAX    1000000 /* at once, and in a day */

static void set_default(unsigned *value, unsigned other)
{
	if (*value == 0)
		*value = other;
}

static void set_bool(bool **value, bool other)
{
	if (*value)
		return;
	*value = mx_alloc(sizeof(**value));
	**value = other;
}

static void set_text(char **value, const char *other)
{
	if (!*value)
		*value = mx_strdup(other);
}

static void set_budget(struct budget_limit *limit, unsigned burst, unsigned per_day)
{
	set_default(&limit->burst, burst);
	set_default(&limit->per_day, per_day);
}

static void set_budgets(struct identity_conf *conf)
{
	set_budget(&conf->limits.registers, 20, 2000);
	set_budget(&conf->limits.mail_asker, 5, 288);
	set_budget(&conf->limits.mail_address, 3, 72);
	set_budget(&conf->limits.mail_address_day, 10, 10);
	set_budget(&conf->limits.mail_network, 30, 300);
	set_budget(&conf->limits.sms_number, 5, 24);
	set_budget(&conf->limits.sms_number_day, 10, 10);
	set_budget(&conf->limits.sms_country, 50, 1440);
	set_budget(&conf->limits.sms_network, 20, 20);
	set_budget(&conf->limits.invites, 20, 288);
	set_budget(&conf->limits.internal, 1000, 100000);
	set_budget(&conf->limits.invite_address, 30, 72);
	set_budget(&conf->limits.lookup_misses, 100000, 100000);
}

static void set_defaults(struct identity_conf *conf)
{
	set_default(&conf->mail.per_domain, 2);
	set_default(&conf->mail.domain_pause_ms, 200);
	set_default(&conf->mail.give_up_hours, 24);
	set_text(&conf->templates.brand, "default");
	set_text(&conf->templates.language, "en");
	set_bool(&conf->validation.landing_page, true);
	set_bool(&conf->validation.next_link_http, false);
	set_bool(&conf->binding.tell_owner, true);
	set_default(&conf->lookup.pepper_days, 7);
	set_default(&conf->lookup.overlap_hours, 24);
	set_bool(&conf->lookup.plain, true);
	set_default(&conf->invites.local_max, 3);
	set_default(&conf->invites.domain_max, 3);
	set_default(&conf->binding.forget_days, 30);
	set_default(&conf->invites.keep_days, 90);
	set_default(&conf->audit.days, 730);
	set_default(&conf->limits.requests.burst, conf->limits.requests.per_second);
	set_budgets(conf);
}

static int check_url(const char *key, const char *url, struct mx_error *err)
{
	const char *host = NULL;

	if (mx_starts_with(url, "https://"))
		host = url + strlen("https://");
	else if (mx_starts_with(url, "http://"))
		host = url + strlen("http://");
	if (!host || *host == '\0' || *host == '/' || strpbrk(url, " \t\r\n\"<>?#"))
		return mx_fail(err, MX_BAD_CONFIG, "%s: %s is no http:// or https:// URL", key,
			       url);
	return 0;
}

/* Links are made by putting a path behind it. */
static int check_base_url(const char *key, char *url, struct mx_error *err)
{
	int rc = check_url(key, url, err);
	size_t len = strlen(url);

	if (rc)
		return rc;
	while (len > 0 && url[len - 1] == '/')
		url[--len] = '\0';
	return 0;
}

static int check_revoked(const struct identity_conf *conf, struct mx_error *err)
{
	uint8_t key[32];

	for (unsigned i = 0; i < conf->keys.revoked_count; i++)
		if (!mx_base64_decode_exact(mx_slice(conf->keys.revoked[i]), key, sizeof(key)))
			return mx_fail(err, MX_BAD_CONFIG, "keys.revoked: %s is no public key",
				       conf->keys.revoked[i]);
	return 0;
}

static int check_names(const struct identity_conf *conf, struct mx_error *err)
{
	if (!mx_server_name_valid(mx_slice(conf->server_name)))
		return mx_fail(err, MX_BAD_CONFIG, "server_name: %s is no Matrix server name",
			       conf->server_name);
	if (!conf->keys.signing_file)
		return mx_fail(err, MX_BAD_CONFIG, "keys.signing_file is missing");
	return check_revoked(conf, err);
}

static int check_groups(const struct identity_conf *conf, struct mx_error *err)
{
	for (unsigned i = 0; i < conf->endpoints.off_count; i++)
		if (!identity_has_group(conf->endpoints.off[i]))
			return mx_fail(err, MX_BAD_CONFIG,
				       "endpoints.off: there is no group %s, only %s",
				       conf->endpoints.off[i], IDENTITY_GROUPS);
	return 0;
}

static int check_mail(const struct mail_conf *mail, struct mx_error *err)
{
	if (!mail->relay)
		return 0;
	if (!mail->from)
		return mx_fail(err, MX_BAD_CONFIG, "mail.from is missing");
	if (!mail->user != !mail->password_file)
		return mx_fail(err, MX_BAD_CONFIG,
			       "mail.user and mail.password_file need each other");
	return 0;
}

static int check_document(const struct terms_document *document, struct mx_error *err)
{
	int rc = 0;

	if (document->languages_count == 0 || document->languages_count > LANGUAGES_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "terms.documents: %s needs 1 to %d languages",
			       document->id, LANGUAGES_MAX);
	for (unsigned i = 0; rc == 0 && i < document->languages_count; i++) {
		const struct terms_language *language = &document->languages[i];

		if (streq(language->language, "version"))
			return mx_fail(err, MX_BAD_CONFIG,
				       "terms.documents: version is no language");
		rc = check_url("terms.documents", language->url, err);
	}
	return rc;
}

static int check_terms(const struct identity_conf *conf, struct mx_error *err)
{
	int rc = 0;

	if (conf->terms.documents_count > DOCUMENTS_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "terms.documents: at most %d", DOCUMENTS_MAX);
	for (unsigned i = 0; rc == 0 && i < conf->terms.documents_count; i++)
		rc = check_document(&conf->terms.documents[i], err);
	return rc;
}

static int check_range(const char *key, unsigned value, unsigned most, struct mx_error *err)
{
	if (value <= most)
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "%s must be at most %u", key, most);
}

static int check_numbers(const struct identity_conf *conf, struct mx_error *err)
{
	const struct {
		const char *key;
		unsigned value, most;
	} rows[] = {
		{ "mail.per_domain", conf->mail.per_domain, 64 },
		{ "mail.domain_pause_ms", conf->mail.domain_pause_ms, 600000 },
		{ "mail.give_up_hours", conf->mail.give_up_hours, 720 },
		{ "lookup.pepper_days", conf->lookup.pepper_days, 36500 },
		{ "lookup.overlap_hours", conf->lookup.overlap_hours, 720 },
		{ "invites.local_max", conf->invites.local_max, 254 },
		{ "invites.domain_max", conf->invites.domain_max, 254 },
		{ "invites.expire_days", conf->invites.expire_days, 36500 },
		{ "binding.forget_days", conf->binding.forget_days, 36500 },
		{ "invites.keep_days", conf->invites.keep_days, 36500 },
		{ "audit.days", conf->audit.days, 36500 },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = check_range(rows[i].key, rows[i].value, rows[i].most, err);
	return rc;
}

static int check_budgets(const struct identity_conf *conf, struct mx_error *err)
{
	const struct {
		const char *key;
		const struct budget_limit *limit;
	} rows[] = {
		{ "limits.registers", &conf->limits.registers },
		{ "limits.mail_asker", &conf->limits.mail_asker },
		{ "limits.mail_address", &conf->limits.mail_address },
		{ "limits.mail_address_day", &conf->limits.mail_address_day },
		{ "limits.mail_network", &conf->limits.mail_network },
		{ "limits.sms_number", &conf->limits.sms_number },
		{ "limits.sms_number_day", &conf->limits.sms_number_day },
		{ "limits.sms_country", &conf->limits.sms_country },
		{ "limits.sms_network", &conf->limits.sms_network },
		{ "limits.invites", &conf->limits.invites },
		{ "limits.internal", &conf->limits.internal },
		{ "limits.invite_address", &conf->limits.invite_address },
		{ "limits.lookup_misses", &conf->limits.lookup_misses },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
		rc = check_range(rows[i].key, rows[i].limit->burst, BUDGET_MAX, err);
		if (rc == 0)
			rc = check_range(rows[i].key, rows[i].limit->per_day, BUDGET_MAX, err);
	}
	return rc;
}

int identity_conf_check(void *ptr, struct mx_error *err)
{
	struct identity_conf *conf = ptr;
	int rc;

	set_defaults(conf);
	rc = check_names(conf, err);
	if (rc == 0)
		rc = check_base_url("public_base_url", conf->public_base_url, err);
	if (rc == 0 && conf->invites.web_client)
		rc = check_base_url("invites.web_client", conf->invites.web_client, err);
	if (rc == 0)
		rc = check_groups(conf, err);
	if (rc == 0)
		rc = check_mail(&conf->mail, err);
	if (rc == 0)
		rc = sms_conf_check(&conf->sms, err);
	if (rc == 0)
		rc = replication_conf_check(&conf->replication, err);
	if (rc == 0)
		rc = source_conf_check(conf->sources, conf->sources_count, err);
	if (rc == 0)
		rc = check_terms(conf, err);
	if (rc == 0)
		rc = check_numbers(conf, err);
	return rc ? rc : check_budgets(conf, err);
}

#include "identity/identity_conf.h"

#include "identity/routes.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/conf_default.h"
#include "shared/daemon/conf_url.h"
#include "shared/id/server_name.h"

static void set_budgets(struct identity_conf *conf)
{
	budget_limit_default(&conf->limits.registers, 20, 2000);
	budget_limit_default(&conf->limits.mail_asker, 5, 288);
	budget_limit_default(&conf->limits.mail_address, 3, 72);
	budget_limit_default(&conf->limits.mail_address_day, 10, 10);
	budget_limit_default(&conf->limits.mail_network, 30, 300);
	budget_limit_default(&conf->limits.sms_number, 5, 24);
	budget_limit_default(&conf->limits.sms_number_day, 10, 10);
	budget_limit_default(&conf->limits.sms_country, 50, 1440);
	budget_limit_default(&conf->limits.sms_network, 20, 20);
	budget_limit_default(&conf->limits.invites, 20, 288);
	budget_limit_default(&conf->limits.internal, 1000, 100000);
	budget_limit_default(&conf->limits.invite_address, 30, 72);
	budget_limit_default(&conf->limits.lookup_misses, 100000, 100000);
}

static void set_defaults(struct identity_conf *conf)
{
	texts_conf_defaults(&conf->templates);
	validation_conf_defaults(&conf->validation);
	conf_default_bool(&conf->binding.tell_owner, true);
	conf_default_number(&conf->lookup.pepper_days, 7);
	conf_default_number(&conf->lookup.overlap_hours, 24);
	conf_default_bool(&conf->lookup.plain, true);
	conf_default_number(&conf->invites.local_max, 3);
	conf_default_number(&conf->invites.domain_max, 3);
	conf_default_number(&conf->binding.forget_days, 30);
	conf_default_number(&conf->invites.keep_days, 90);
	conf_default_number(&conf->audit.days, 730);
	conf_default_number(&conf->limits.requests.burst, conf->limits.requests.per_second);
	set_budgets(conf);
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

	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = budget_limit_check(rows[i].key, rows[i].limit, err);
	return rc;
}

int identity_conf_check(void *ptr, struct mx_error *err)
{
	struct identity_conf *conf = ptr;
	int rc;

	set_defaults(conf);
	rc = check_names(conf, err);
	if (rc == 0)
		rc = conf_check_base_url("public_base_url", conf->public_base_url, err);
	if (rc == 0 && conf->invites.web_client)
		rc = conf_check_base_url("invites.web_client", conf->invites.web_client, err);
	if (rc == 0)
		rc = check_groups(conf, err);
	if (rc == 0)
		rc = mail_conf_check(&conf->mail, err);
	if (rc == 0)
		rc = sms_conf_check(&conf->sms, err);
	if (rc == 0)
		rc = replication_conf_check(&conf->replication, err);
	if (rc == 0)
		rc = source_conf_check(conf->sources, conf->sources_count, err);
	if (rc == 0)
		rc = terms_conf_check(&conf->terms, err);
	if (rc == 0)
		rc = check_numbers(conf, err);
	return rc ? rc : check_budgets(conf, err);
}

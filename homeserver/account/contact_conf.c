#include "homeserver/account/contact_conf.h"

#include "homeserver/hs_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/conf_default.h"
#include "shared/daemon/conf_url.h"
#include "shared/id/server_name.h"

#include <stddef.h>

#define TEXT_MAX 4096
#define LIST_MAX 1000

#define DOCUMENTS_MAX 8 /* so many are on the page */

#define RECAPTCHA_VERIFY "https://www.google.com/recaptcha/api/siteverify"
#define RECAPTCHA_SCRIPT "https://www.google.com/recaptcha/api.js"

#define MAYBE CYAML_FLAG_OPTIONAL
#define TEXT(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | MAYBE, type, member, 1, TEXT_MAX)
#define BOOL(type, member) CYAML_FIELD_BOOL_PTR(#member, MAYBE, type, member)
#define LIST(type, member, entry)                                                            \
	CYAML_FIELD_SEQUENCE(#member, CYAML_FLAG_POINTER | MAYBE, type, member, &(entry), 0, \
			     LIST_MAX)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_schema_field_t id_server_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct id_server_conf, name, 1,
			       MX_SERVER_NAME_MAX),
	TEXT(struct id_server_conf, url),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t id_server_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct id_server_conf, id_server_fields),
};

const cyaml_schema_field_t id_servers_fields[] = {
	LIST(struct id_servers_conf, servers, id_server_entry),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t threepids_fields[] = {
	BOOL(struct threepids_conf, changes),
	BOOL(struct threepids_conf, registration_email),
	BOOL(struct threepids_conf, registration_msisdn),
	BOOL(struct threepids_conf, tell_existence),
	LIST(struct threepids_conf, emails, text_entry),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t recaptcha_fields[] = {
	TEXT(struct recaptcha_conf, site_key),
	TEXT(struct recaptcha_conf, secret_file),
	TEXT(struct recaptcha_conf, verify_url),
	TEXT(struct recaptcha_conf, script_url),
	CYAML_FIELD_END,
};

static int check_servers(struct id_servers_conf *conf, struct mx_error *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < conf->servers_count; i++) {
		struct id_server_conf *server = &conf->servers[i];

		if (!mx_server_name_valid(mx_slice(server->name)))
			return mx_fail(err, MX_BAD_CONFIG, "identity.servers: %s is no name",
				       server->name);
		if (!server->url)
			server->url = mx_strf("https://%s", server->name);
		rc = conf_check_base_url("identity.servers.url", server->url, err);
	}
	return rc;
}

static int check_recaptcha(struct recaptcha_conf *conf, struct mx_error *err)
{
	int rc;

	conf_default_text(&conf->verify_url, RECAPTCHA_VERIFY);
	conf_default_text(&conf->script_url, RECAPTCHA_SCRIPT);
	if (!conf->site_key != !conf->secret_file)
		return mx_fail(err, MX_BAD_CONFIG,
			       "recaptcha.site_key and recaptcha.secret_file need each other");
	rc = conf_check_url("recaptcha.verify_url", conf->verify_url, err);
	return rc ? rc : conf_check_url("recaptcha.script_url", conf->script_url, err);
}

static int check_terms(const struct terms_conf *conf, struct mx_error *err)
{
	if (conf->documents_count > DOCUMENTS_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "terms.documents: at most %d", DOCUMENTS_MAX);
	return terms_conf_check(conf, err);
}

static int check_limits(struct hs_conf *conf, struct mx_error *err)
{
	const struct {
		const char *key;
		struct budget_limit *limit;
		unsigned burst, per_day;
	} rows[] = {
		{ "limits.mail_asker", &conf->limits.mail_asker, 5, 288 },
		{ "limits.mail_address", &conf->limits.mail_address, 3, 72 },
		{ "limits.mail_address_day", &conf->limits.mail_address_day, 10, 10 },
		{ "limits.mail_network", &conf->limits.mail_network, 30, 300 },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
		budget_limit_default(rows[i].limit, rows[i].burst, rows[i].per_day);
		rc = budget_limit_check(rows[i].key, rows[i].limit, err);
	}
	return rc;
}

int contact_conf_check(struct hs_conf *conf, struct mx_error *err)
{
	int rc = mail_conf_check(&conf->mail, err);

	texts_conf_defaults(&conf->templates);
	validation_link_defaults(&conf->validation);
	conf_default_bool(&conf->threepids.changes, true);
	conf_default_bool(&conf->threepids.registration_email, false);
	conf_default_bool(&conf->threepids.registration_msisdn, false);
	conf_default_bool(&conf->threepids.tell_existence, false);
	if (rc == 0 && *conf->threepids.registration_email && !conf->mail.relay)
		rc = mx_fail(err, MX_BAD_CONFIG, "threepids.registration_email needs mail.relay");
	if (rc == 0)
		rc = check_servers(&conf->identity, err);
	if (rc == 0)
		rc = check_recaptcha(&conf->recaptcha, err);
	if (rc == 0)
		rc = check_terms(&conf->terms, err);
	return rc ? rc : check_limits(conf, err);
}

#include "identity/source/source_conf.h"

#include "identity/source/user_template.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/conf_default.h"
#include "shared/net/cidr.h"

#define TEXT_MAX    4096
#define ATTRIBUTE   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-;."
#define NAME        "abcdefghijklmnopqrstuvwxyz0123456789_-"
#define LDAP_FILTER "(objectClass=person)"

#define MAYBE CYAML_FLAG_OPTIONAL
#define TEXT(member)                                                                               \
	CYAML_FIELD_STRING_PTR(#member, MAYBE | CYAML_FLAG_POINTER, struct source_conf, member, 1, \
			       TEXT_MAX)
#define NEEDED(member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, struct source_conf, member, 1, TEXT_MAX)
#define UINT(member) CYAML_FIELD_UINT(#member, MAYBE, struct source_conf, member)
#define BOOL(member) CYAML_FIELD_BOOL_PTR(#member, MAYBE, struct source_conf, member)
#define TEXTS(member, most)                                                                   \
	CYAML_FIELD_SEQUENCE(#member, MAYBE | CYAML_FLAG_POINTER, struct source_conf, member, \
			     &text_item, 0, most)

static const cyaml_schema_value_t text_item = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_strval_t types[] = { { "ldap", SOURCE_LDAP }, { "http", SOURCE_HTTP } };
static const cyaml_strval_t tls_names[] = { { "starttls", SOURCE_STARTTLS },
					    { "plain", SOURCE_PLAIN } };

static const cyaml_schema_field_t source_fields[] = {
	NEEDED(name),
	CYAML_FIELD_ENUM("type", CYAML_FLAG_STRICT, struct source_conf, type, types,
			 CYAML_ARRAY_LEN(types)),
	NEEDED(url),
	TEXT(ca_file),
	TEXT(user),
	TEXT(password_file),
	NEEDED(user_id),
	UINT(timeout_ms),
	UINT(connections),
	CYAML_FIELD_ENUM("tls", MAYBE | CYAML_FLAG_STRICT, struct source_conf, tls, tls_names,
			 CYAML_ARRAY_LEN(tls_names)),
	TEXT(base),
	TEXT(filter),
	TEXT(changed),
	TEXTS(email, SOURCE_ATTRS_MAX),
	TEXTS(msisdn, SOURCE_ATTRS_MAX),
	BOOL(read),
	BOOL(live),
	UINT(refresh_minutes),
	UINT(full_minutes),
	UINT(addresses_max),
	TEXTS(allow, 64),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t source_item = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct source_conf, source_fields),
};

/* ---- defaults */

static void set_defaults(struct source_conf *conf)
{
	bool is_ldap = conf->type == SOURCE_LDAP;

	conf_default_number(&conf->timeout_ms, 2000);
	conf_default_number(&conf->connections, 4);
	conf_default_number(&conf->refresh_minutes, 5);
	conf_default_number(&conf->full_minutes, 60);
	conf_default_number(&conf->addresses_max, 200000);
	conf_default_bool(&conf->read, is_ldap);
	conf_default_bool(&conf->live, !is_ldap);
	if (!is_ldap)
		return;
	conf_default_text(&conf->filter, LDAP_FILTER);
	conf_default_text(&conf->changed, "modifyTimestamp");
	if (conf->email_count == 0 && conf->msisdn_count == 0) {
		mx_free(conf->email);
		conf->email = mx_calloc(1, sizeof(*conf->email));
		conf->email[conf->email_count++] = mx_strdup("mail");
	}
}

/* ---- checks */

static int fail(const struct source_conf *conf, const char *what, struct mx_error *err)
{
	return mx_fail(err, MX_BAD_CONFIG, "sources: %s: %s", conf->name, what);
}

static int check_name(const struct source_conf *conf, struct mx_error *err)
{
	size_t len = strlen(conf->name);

	if (len > SOURCE_NAME_MAX || strspn(conf->name, NAME) != len)
		return mx_fail(err, MX_BAD_CONFIG,
			       "sources.name: at most %d small letters, digits, '_' and '-'",
			       SOURCE_NAME_MAX);
	return 0;
}

static int check_ranges(const struct source_conf *conf, struct mx_error *err)
{
	const struct {
		unsigned value, least, most;
		const char *what;
	} rows[] = {
		{ conf->timeout_ms, 100, 10000, "timeout_ms must be between 100 and 10000" },
		{ conf->connections, 1, 16, "connections must be between 1 and 16" },
		{ conf->refresh_minutes, 1, 10080, "refresh_minutes must be at most 10080" },
		{ conf->full_minutes, 1, 10080, "full_minutes must be at most 10080" },
		{ conf->addresses_max, 1, 10000000, "addresses_max must be at most 10000000" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value < rows[i].least || rows[i].value > rows[i].most)
			return fail(conf, rows[i].what, err);
	return 0;
}

static bool is_attribute(const char *text)
{
	return *text && strspn(text, ATTRIBUTE) == strlen(text);
}

static int check_attributes(const struct source_conf *conf, struct mx_error *err)
{
	for (unsigned i = 0; i < conf->email_count; i++)
		if (!is_attribute(conf->email[i]))
			return fail(conf, "email: that is no attribute", err);
	for (unsigned i = 0; i < conf->msisdn_count; i++)
		if (!is_attribute(conf->msisdn[i]))
			return fail(conf, "msisdn: that is no attribute", err);
	return is_attribute(conf->changed) ? 0 : fail(conf, "changed is no attribute", err);
}

static int check_ldap(const struct source_conf *conf, struct mx_error *err)
{
	if (!mx_starts_with(conf->url, "ldap://") && !mx_starts_with(conf->url, "ldaps://") &&
	    !mx_starts_with(conf->url, "ldapi://"))
		return fail(conf, "url must begin with ldap://, ldaps:// or ldapi://", err);
	if (strpbrk(conf->url, " ,?"))
		return fail(conf, "url is one address, without a query", err);
	if (!conf->base)
		return fail(conf, "base is missing", err);
	if (conf->filter[0] != '(' || !mx_ends_with(conf->filter, ")"))
		return fail(conf, "filter must stand in brackets", err);
	if (!*conf->read && !*conf->live)
		return fail(conf, "it is neither read nor asked", err);
	if (conf->allow_count > 0)
		return fail(conf, "allow is for HTTP", err);
	return check_attributes(conf, err);
}

static int check_http(const struct source_conf *conf, struct mx_error *err)
{
	struct mx_cidr_set *allow = NULL;
	struct mx_error why = { 0 };

	if (!mx_starts_with(conf->url, "https://") && !mx_starts_with(conf->url, "http://"))
		return fail(conf, "url must begin with https:// or http://", err);
	if (*conf->read)
		return fail(conf, "HTTP sources cannot be read, only asked", err);
	if (!*conf->live)
		return fail(conf, "HTTP sources can only be asked: live cannot be false", err);
	if (conf->base || conf->filter || conf->email_count || conf->msisdn_count || conf->changed)
		return fail(conf, "base, filter, email, msisdn and changed are for LDAP", err);
	if (mx_cidr_set_new((const char *const *)conf->allow, conf->allow_count, &allow, &why))
		return fail(conf, why.text, err);
	mx_cidr_set_free(allow);
	return 0;
}

static int check_one(struct source_conf *conf, struct mx_error *err)
{
	int rc = check_name(conf, err);

	if (rc)
		return rc;
	set_defaults(conf);
	if (!conf->user != !conf->password_file)
		return fail(conf, "user and password_file need each other", err);
	rc = check_ranges(conf, err);
	if (rc)
		return rc;
	if (!user_template_is_valid(conf->user_id))
		return fail(conf, "user_id must be like @{uid}:example.org, or {attribute}", err);
	return conf->type == SOURCE_LDAP ? check_ldap(conf, err) : check_http(conf, err);
}

int source_conf_check(struct source_conf *confs, unsigned len, struct mx_error *err)
{
	int rc = 0;

	if (len > SOURCES_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "sources: at most %d", SOURCES_MAX);
	for (unsigned i = 0; rc == 0 && i < len; i++) {
		rc = check_one(&confs[i], err);
		for (unsigned k = 0; rc == 0 && k < i; k++)
			if (streq(confs[i].name, confs[k].name))
				rc = fail(&confs[i], "there are two of that name", err);
	}
	return rc;
}

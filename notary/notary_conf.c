#include "notary/notary_conf.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/conf_default.h"
#include "shared/id/server_name.h"

#include <stddef.h>

#define TEXT_MAX 4096
#define LIST_MAX 10000

/* The type of one section of struct notary_conf, for offsets inside it. */
#define SECTION(name) __typeof__(((struct notary_conf *)0)->name)

#define UINT(section, member) \
	CYAML_FIELD_UINT(#member, CYAML_FLAG_OPTIONAL, SECTION(section), member)
#define TEXT(section, member)                                                     \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
			       SECTION(section), member, 1, TEXT_MAX)
#define LIST(section, member)                                                                     \
	CYAML_FIELD_SEQUENCE(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, SECTION(section), \
			     member, &text_entry, 0, LIST_MAX)
#define MAPPING(member, flags) \
	CYAML_FIELD_MAPPING(#member, flags, struct notary_conf, member, member##_fields)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_schema_field_t keys_fields[] = {
	TEXT(keys, signing_file),
	TEXT(keys, countersign_file),
	UINT(keys, validity_hours),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t query_fields[] = {
	UINT(query, deadline_ms),
	UINT(query, servers_max),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fetch_fields[] = {
	UINT(fetch, connect_ms),
	UINT(fetch, total_ms),
	UINT(fetch, cold_burst),
	UINT(fetch, cold_per_minute),
	UINT(fetch, cold_total_burst),
	UINT(fetch, cold_total_per_minute),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t trust_fields[] = {
	LIST(trust, allow),
	LIST(trust, deny),
	LIST(trust, one_signature),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t refresh_fields[] = {
	UINT(refresh, days),
	TEXT(refresh, prefetch_file),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t limit_fields[] = {
	UINT(limit, requests_per_second),
	UINT(limit, burst),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t notary_fields[] = {
	CYAML_FIELD_STRING_PTR("server_name", CYAML_FLAG_POINTER, struct notary_conf, server_name,
			       1, MX_SERVER_NAME_MAX),
	MAPPING(keys, CYAML_FLAG_DEFAULT),
	MAPPING(query, CYAML_FLAG_OPTIONAL),
	MAPPING(fetch, CYAML_FLAG_OPTIONAL),
	MAPPING(trust, CYAML_FLAG_OPTIONAL),
	MAPPING(refresh, CYAML_FLAG_OPTIONAL),
	MAPPING(limit, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_STRING_PTR("alarm_url", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct notary_conf, alarm_url, 1, TEXT_MAX),
	CYAML_FIELD_BOOL_PTR("status_page", CYAML_FLAG_OPTIONAL, struct notary_conf, status_page),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t notary_conf_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct notary_conf, notary_fields),
};

static void set_defaults(struct notary_conf *conf)
{
	conf_default_number(&conf->keys.validity_hours, 24);
	conf_default_number(&conf->query.deadline_ms, 9000);
	conf_default_number(&conf->query.servers_max, 10000);
	conf_default_number(&conf->fetch.connect_ms, 3000);
	conf_default_number(&conf->fetch.total_ms, 8000);
	/* A homeserver that joins a large room asks for some thousand unknown servers at once. */
	conf_default_number(&conf->fetch.cold_burst, 5000);
	conf_default_number(&conf->fetch.cold_per_minute, 600);
	conf_default_number(&conf->fetch.cold_total_burst, 20000);
	conf_default_number(&conf->fetch.cold_total_per_minute, 6000);
	conf_default_number(&conf->refresh.days, 30);
	conf_default_bool(&conf->status_page, true);
}

static int check_alarm_url(const char *url, struct mx_error *err)
{
	if (!url || mx_starts_with(url, "https://") || mx_starts_with(url, "http://"))
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "alarm_url: %s is no https:// address", url);
}

static int check_range(const char *key, unsigned value, unsigned least, unsigned most,
		       struct mx_error *err)
{
	if (value >= least && value <= most)
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "%s must be between %u and %u", key, least, most);
}

int notary_conf_check(void *ptr, struct mx_error *err)
{
	struct notary_conf *conf = ptr;
	int rc;

	set_defaults(conf);
	if (!mx_server_name_valid(mx_slice(conf->server_name)))
		return mx_fail(err, MX_BAD_CONFIG, "server_name: %s is no Matrix server name",
			       conf->server_name);
	if (!conf->keys.signing_file)
		return mx_fail(err, MX_BAD_CONFIG, "keys.signing_file is missing");
	/* Spec: a server must not publish keys that are valid for less than an hour. */
	rc = check_range("keys.validity_hours", conf->keys.validity_hours, 2, 168, err);
	if (rc == 0)
		rc = check_range("query.deadline_ms", conf->query.deadline_ms, 100, 60000, err);
	if (rc == 0)
		rc = check_range("query.servers_max", conf->query.servers_max, 1, 10000, err);
	if (rc == 0)
		rc = check_range("fetch.connect_ms", conf->fetch.connect_ms, 10, 60000, err);
	if (rc == 0)
		rc = check_range("fetch.total_ms", conf->fetch.total_ms, 10, 60000, err);
	if (rc == 0)
		rc = check_alarm_url(conf->alarm_url, err);
	return rc;
}

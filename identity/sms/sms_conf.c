#include "identity/sms/sms_conf.h"

#include "identity/sms/sms_rules.h"
#include "identity/sms/sms_transport.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/conf_default.h"

#define TEXT_MAX 4096
#define LIST_MAX 300

#define MAYBE    CYAML_FLAG_OPTIONAL
#define WEBHOOK  __typeof__(((struct sms_conf *)NULL)->webhook)
#define COUNTRY  __typeof__(((struct sms_conf *)NULL)->countries)
#define SPENDING __typeof__(((struct sms_conf *)NULL)->spend)

#define TEXT(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, MAYBE | CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define NEEDED(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, MAYBE, type, member)
#define LIST(key, type, member, item) \
	CYAML_FIELD_SEQUENCE(key, MAYBE | CYAML_FLAG_POINTER, type, member, item, 0, LIST_MAX)
#define CHOICE(key, type, member, rows)                                      \
	CYAML_FIELD_ENUM(key, MAYBE | CYAML_FLAG_STRICT, type, member, rows, \
			 sizeof(rows) / sizeof((rows)[0]))

static const cyaml_schema_value_t text_item = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_strval_t bodies[] = {
	{ "json", SMS_BODY_JSON },
	{ "form", SMS_BODY_FORM },
	{ "text", SMS_BODY_TEXT },
};

static const cyaml_strval_t defaults[] = {
	{ "deny", SMS_DENY },
	{ "allow", SMS_ALLOW },
};

static const cyaml_schema_field_t webhook_fields[] = {
	TEXT("method", WEBHOOK, method),
	LIST("headers", WEBHOOK, headers, &text_item),
	TEXT("body", WEBHOOK, body),
	CHOICE("body_type", WEBHOOK, body_type, bodies),
	NUMBER("success_from", WEBHOOK, success_from),
	NUMBER("success_to", WEBHOOK, success_to),
	TEXT("success_path", WEBHOOK, success_path),
	TEXT("success_value", WEBHOOK, success_value),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t country_fields[] = {
	CHOICE("default", COUNTRY, otherwise, defaults),
	LIST("allow", COUNTRY, allow, &text_item),
	LIST("deny", COUNTRY, deny, &text_item),
	CYAML_FIELD_BOOL("premium", MAYBE, COUNTRY, premium),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t originator_fields[] = {
	NEEDED("country", struct sms_originator_conf, country),
	LIST("from", struct sms_originator_conf, from, &text_item),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t originator_item = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct sms_originator_conf, originator_fields),
};

static const cyaml_schema_field_t price_fields[] = {
	NEEDED("country", struct sms_price_conf, country),
	NEEDED("price", struct sms_price_conf, price),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t price_item = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct sms_price_conf, price_fields),
};

static const cyaml_schema_field_t spend_fields[] = {
	TEXT("per_day", SPENDING, per_day),
	TEXT("per_month", SPENDING, per_month),
	NUMBER("alarm_percent", SPENDING, alarm_percent),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t sms_conf_fields[] = {
	TEXT("gateway", struct sms_conf, gateway),
	TEXT("url", struct sms_conf, url),
	TEXT("account", struct sms_conf, account),
	TEXT("user", struct sms_conf, user),
	TEXT("service", struct sms_conf, service),
	TEXT("secret_file", struct sms_conf, secret_file),
	CYAML_FIELD_MAPPING("webhook", MAYBE, struct sms_conf, webhook, webhook_fields),
	LIST("command", struct sms_conf, command, &text_item),
	NUMBER("timeout_ms", struct sms_conf, timeout_ms),
	NUMBER("parallel", struct sms_conf, parallel),
	NUMBER("pause_ms", struct sms_conf, pause_ms),
	NUMBER("give_up_minutes", struct sms_conf, give_up_minutes),
	CYAML_FIELD_MAPPING("countries", MAYBE, struct sms_conf, countries, country_fields),
	LIST("originators", struct sms_conf, originators, &originator_item),
	LIST("prices", struct sms_conf, prices, &price_item),
	CYAML_FIELD_MAPPING("spend", MAYBE, struct sms_conf, spend, spend_fields),
	CYAML_FIELD_END,
};

static void set_defaults(struct sms_conf *conf)
{
	conf_default_number(&conf->webhook.success_from, 200);
	conf_default_number(&conf->webhook.success_to, 299);
	conf_default_number(&conf->timeout_ms, 10000);
	conf_default_number(&conf->parallel, 4);
	conf_default_number(&conf->give_up_minutes, 60);
	conf_default_number(&conf->spend.alarm_percent, 80);
}

/* ---- checks */

static int check_range(const char *key, unsigned value, unsigned least, unsigned most,
		       struct mx_error *err)
{
	if (value >= least && value <= most)
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "sms.%s must be between %u and %u", key, least, most);
}

static int check_ranges(const struct sms_conf *conf, struct mx_error *err)
{
	int rc = check_range("timeout_ms", conf->timeout_ms, 100, 60000, err);

	if (rc == 0)
		rc = check_range("parallel", conf->parallel, 1, 32, err);
	if (rc == 0)
		rc = check_range("pause_ms", conf->pause_ms, 0, 60000, err);
	if (rc == 0)
		rc = check_range("give_up_minutes", conf->give_up_minutes, 1, 1440, err);
	if (rc == 0)
		rc = check_range("spend.alarm_percent", conf->spend.alarm_percent, 1, 100, err);
	return rc;
}

static int check_place(const char *key, const char *country, struct mx_error *err)
{
	if (sms_place_is_valid(country))
		return 0;
	return mx_fail(err, MX_BAD_CONFIG,
		       "sms.%s: %s is no country (DE), beginning of numbers (+49) or default", key,
		       country);
}

static int check_countries_of(const char *key, const char *const *places, unsigned count,
			      struct mx_error *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < count; i++)
		rc = check_place(key, streq(places[i], SMS_DEFAULT) ? "" : places[i], err);
	return rc;
}

static int check_countries(const struct sms_conf *conf, struct mx_error *err)
{
	int rc = check_countries_of("countries.allow", conf->countries.allow,
				    conf->countries.allow_count, err);

	if (rc == 0)
		rc = check_countries_of("countries.deny", conf->countries.deny,
					conf->countries.deny_count, err);
	if (rc == 0 && conf->countries.otherwise == SMS_DENY && conf->countries.allow_count == 0)
		return mx_fail(err, MX_BAD_CONFIG,
			       "sms.countries: list some in `allow`, or set `default: allow`");
	return rc;
}

/* What a gateway takes as a sender, and nothing that could be more than one value. */
static bool is_originator(const char *from)
{
	size_t len = strlen(from);

	return len <= SMS_FROM_MAX && strspn(from, "+ -_.&ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						   "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

static int check_originators(const struct sms_conf *conf, struct mx_error *err)
{
	for (unsigned i = 0; i < conf->originators_count; i++) {
		const struct sms_originator_conf *originator = &conf->originators[i];

		if (check_place("originators", originator->country, err))
			return -MX_BAD_CONFIG;
		if (originator->from_count == 0)
			return mx_fail(err, MX_BAD_CONFIG, "sms.originators: %s has no `from`",
				       originator->country);
		for (unsigned k = 0; k < originator->from_count; k++)
			if (!is_originator(originator->from[k]))
				return mx_fail(err, MX_BAD_CONFIG,
					       "sms.originators: %s cannot be a sender",
					       originator->from[k]);
	}
	return 0;
}

static int check_amount(const char *key, const char *text, struct mx_error *err)
{
	int64_t amount;

	if (!text || sms_amount_parse(text, &amount))
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "sms.%s: %s is no amount such as 12.50", key, text);
}

static int check_prices(const struct sms_conf *conf, struct mx_error *err)
{
	bool has_default = false;
	int rc = check_amount("spend.per_day", conf->spend.per_day, err);

	if (rc == 0)
		rc = check_amount("spend.per_month", conf->spend.per_month, err);
	for (unsigned i = 0; rc == 0 && i < conf->prices_count; i++) {
		rc = check_place("prices", conf->prices[i].country, err);
		if (rc == 0)
			rc = check_amount("prices", conf->prices[i].price, err);
		has_default |= streq(conf->prices[i].country, SMS_DEFAULT);
	}
	if (rc)
		return rc;
	/* A number without a price would pass below every cap. */
	if ((conf->spend.per_day || conf->spend.per_month) && !has_default)
		return mx_fail(err, MX_BAD_CONFIG, "sms.prices: a cap needs the entry `default`");
	return 0;
}

static bool has_default_originator(const struct sms_conf *conf)
{
	for (unsigned i = 0; i < conf->originators_count; i++)
		if (streq(conf->originators[i].country, SMS_DEFAULT))
			return true;
	return false;
}

static int check_gateway(const struct sms_conf *conf, struct mx_error *err)
{
	const struct sms_transport *transport = sms_transport_find(conf->gateway);

	if (!transport)
		return mx_fail(err, MX_BAD_CONFIG, "sms.gateway: %s is none of ours",
			       conf->gateway);
	if (transport->needs_from && !conf->service && !has_default_originator(conf))
		return mx_fail(err, MX_BAD_CONFIG,
			       "sms.originators: the entry `default` is missing");
	if (conf->url && !mx_starts_with(conf->url, "https://") &&
	    !mx_starts_with(conf->url, "http://"))
		return mx_fail(err, MX_BAD_CONFIG, "sms.url: %s is no https:// address", conf->url);
	return transport->check(conf, err);
}

int sms_conf_check(struct sms_conf *conf, struct mx_error *err)
{
	int rc;

	set_defaults(conf);
	if (!conf->gateway)
		return 0;
	rc = check_gateway(conf, err);
	if (rc == 0)
		rc = check_ranges(conf, err);
	if (rc == 0)
		rc = check_countries(conf, err);
	if (rc == 0)
		rc = check_originators(conf, err);
	if (rc == 0)
		rc = check_prices(conf, err);
	return rc;
}

/* ---- copies */

static char *text_copy(const char *text, struct mx_arena *mem)
{
	return text ? mx_arena_strdup(mem, text) : NULL;
}

static const char **list_copy(const char *const *list, unsigned count, struct mx_arena *mem)
{
	const char **copy = mx_arena_calloc(mem, count + 1, sizeof(*copy));

	for (unsigned i = 0; i < count; i++)
		copy[i] = mx_arena_strdup(mem, list[i]);
	return copy;
}

static void copy_tables(struct sms_conf *copy, const struct sms_conf *conf, struct mx_arena *mem)
{
	copy->originators = mx_arena_calloc(mem, conf->originators_count + 1,
					    sizeof(*copy->originators));
	for (unsigned i = 0; i < conf->originators_count; i++) {
		const struct sms_originator_conf *from = &conf->originators[i];

		copy->originators[i] = *from;
		copy->originators[i].country = text_copy(from->country, mem);
		copy->originators[i].from = list_copy(from->from, from->from_count, mem);
	}
	copy->prices = mx_arena_calloc(mem, conf->prices_count + 1, sizeof(*copy->prices));
	for (unsigned i = 0; i < conf->prices_count; i++) {
		copy->prices[i].country = text_copy(conf->prices[i].country, mem);
		copy->prices[i].price = text_copy(conf->prices[i].price, mem);
	}
}

struct sms_conf *sms_conf_copy(const struct sms_conf *conf, struct mx_arena *mem)
{
	struct sms_conf *copy = mx_arena_alloc(mem, sizeof(*copy));

	*copy = *conf;
	copy->gateway = text_copy(conf->gateway, mem);
	copy->url = text_copy(conf->url, mem);
	copy->account = text_copy(conf->account, mem);
	copy->user = text_copy(conf->user, mem);
	copy->service = text_copy(conf->service, mem);
	copy->secret_file = text_copy(conf->secret_file, mem);
	copy->webhook.method = text_copy(conf->webhook.method, mem);
	copy->webhook.headers = list_copy(conf->webhook.headers, conf->webhook.headers_count, mem);
	copy->webhook.body = text_copy(conf->webhook.body, mem);
	copy->webhook.success_path = text_copy(conf->webhook.success_path, mem);
	copy->webhook.success_value = text_copy(conf->webhook.success_value, mem);
	copy->command = list_copy(conf->command, conf->command_count, mem);
	copy->countries.allow = list_copy(conf->countries.allow, conf->countries.allow_count, mem);
	copy->countries.deny = list_copy(conf->countries.deny, conf->countries.deny_count, mem);
	copy->spend.per_day = text_copy(conf->spend.per_day, mem);
	copy->spend.per_month = text_copy(conf->spend.per_month, mem);
	copy_tables(copy, conf, mem);
	return copy;
}

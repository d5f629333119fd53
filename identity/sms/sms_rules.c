#include "identity/sms/sms_rules.h"

#include "identity/sms/sms_conf.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/phone/phone.h"

#define DIGITS     "0123456789"
#define DECIMALS   6
#define WHOLE_MAX  1000000000
#define PREFIX_MAX PHONE_DIGITS_MAX

static bool is_prefix(const char *place)
{
	size_t len = strlen(place);

	return len >= 2 && len <= PREFIX_MAX + 1 && *place == '+' &&
	       strspn(place + 1, DIGITS) == len - 1;
}

bool sms_place_is_valid(const char *place)
{
	return streq(place, SMS_DEFAULT) || is_prefix(place) || phone_is_country(place);
}

bool sms_amount_parse(const char *text, int64_t *ret_micros)
{
	struct mx_slice rest = mx_slice(text), whole, decimals = MX_SLICE("");
	int64_t amount = 0, fraction = 0;

	if (!mx_split_next(&rest, '.', &whole) || whole.len == 0 || *whole.ptr == '-' ||
	    !mx_parse_i64(whole, &amount) || amount > WHOLE_MAX)
		return false;
	if (rest.ptr)
		decimals = rest;
	if (rest.ptr && (decimals.len == 0 || decimals.len > DECIMALS || *decimals.ptr == '-' ||
			 !mx_parse_i64(decimals, &fraction)))
		return false;
	for (size_t i = decimals.len; i < DECIMALS; i++)
		fraction *= 10;
	*ret_micros = amount * 1000000 + fraction;
	return true;
}

/* How well a place describes a number: 0 = not at all. */
static size_t fit(const char *place, const struct phone *phone)
{
	if (streq(place, SMS_DEFAULT))
		return 1;
	if (*place != '+')
		return *phone->region && streq(place, phone->region) ? PREFIX_MAX + 2 : 0;
	return mx_starts_with(phone->msisdn, place + 1) ? strlen(place) : 0;
}

static bool is_listed(const char *const *places, unsigned count, const struct phone *phone)
{
	for (unsigned i = 0; i < count; i++)
		if (fit(places[i], phone))
			return true;
	return false;
}

/* Satellite phones and other services of no country cost many times what a country's do. */
static bool may_default(const struct sms_conf *conf, const struct phone *phone)
{
	return conf->countries.otherwise == SMS_ALLOW && *phone->region;
}

int sms_rules_check(const struct sms_conf *conf, const struct phone *phone, struct mx_error *err)
{
	if (is_listed(conf->countries.deny, conf->countries.deny_count, phone) ||
	    (!is_listed(conf->countries.allow, conf->countries.allow_count, phone) &&
	     !may_default(conf, phone)))
		return mx_fail(err, MX_DESTINATION_REJECTED,
			       "Text messages are not sent to this country");
	if (phone->is_premium && !conf->countries.premium)
		return mx_fail(err, MX_DESTINATION_REJECTED,
			       "Text messages are not sent to numbers of this kind");
	return 0;
}

/* FNV-1a: any function will do as long as it stays the same. */
static uint32_t number_hash(const char *msisdn)
{
	uint32_t hash = 2166136261u;

	for (; *msisdn; msisdn++)
		hash = (hash ^ (unsigned char)*msisdn) * 16777619u;
	return hash;
}

const char *sms_rules_originator(const struct sms_conf *conf, const struct phone *phone)
{
	const struct sms_originator_conf *found = NULL;
	size_t best = 0;

	for (unsigned i = 0; i < conf->originators_count; i++) {
		size_t fits = fit(conf->originators[i].country, phone);

		if (fits <= best)
			continue;
		best = fits;
		found = &conf->originators[i];
	}
	return found ? found->from[number_hash(phone->msisdn) % found->from_count] : "";
}

int64_t sms_rules_price(const struct sms_conf *conf, const struct phone *phone)
{
	const char *price = NULL;
	int64_t micros = 0;
	size_t best = 0;

	for (unsigned i = 0; i < conf->prices_count; i++) {
		size_t fits = fit(conf->prices[i].country, phone);

		if (fits <= best)
			continue;
		best = fits;
		price = conf->prices[i].price;
	}
	return price && sms_amount_parse(price, &micros) ? micros : 0;
}

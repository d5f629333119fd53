#include "identity/budget_kinds.h"

#include "identity/identity_conf.h"

static const char *const names[BUDGET_KINDS] = {
	[BUDGET_MAIL_ASKER] = "mail_asker",
	[BUDGET_MAIL_ADDRESS] = "mail_address",
	[BUDGET_MAIL_ADDRESS_DAY] = "mail_address_day",
	[BUDGET_MAIL_PREFIX] = "mail_network",
	[BUDGET_SMS_NUMBER] = "sms_number",
	[BUDGET_SMS_NUMBER_DAY] = "sms_number_day",
	[BUDGET_SMS_COUNTRY] = "sms_country",
	[BUDGET_SMS_PREFIX] = "sms_network",
	[BUDGET_INVITE_SENDER] = "invites",
	[BUDGET_INTERNAL] = "internal",
	[BUDGET_INVITE_ADDRESS] = "invite_address",
	[BUDGET_LOOKUP_MISSES] = "lookup_misses",
};

static void read_rates(const struct identity_conf *conf, struct budget_rate rates[BUDGET_KINDS])
{
	rates[BUDGET_MAIL_ASKER] = budget_rate_of(&conf->limits.mail_asker);
	rates[BUDGET_MAIL_ADDRESS] = budget_rate_of(&conf->limits.mail_address);
	rates[BUDGET_MAIL_ADDRESS_DAY] = budget_rate_of(&conf->limits.mail_address_day);
	rates[BUDGET_MAIL_PREFIX] = budget_rate_of(&conf->limits.mail_network);
	rates[BUDGET_SMS_NUMBER] = budget_rate_of(&conf->limits.sms_number);
	rates[BUDGET_SMS_NUMBER_DAY] = budget_rate_of(&conf->limits.sms_number_day);
	rates[BUDGET_SMS_COUNTRY] = budget_rate_of(&conf->limits.sms_country);
	rates[BUDGET_SMS_PREFIX] = budget_rate_of(&conf->limits.sms_network);
	rates[BUDGET_INVITE_SENDER] = budget_rate_of(&conf->limits.invites);
	rates[BUDGET_INTERNAL] = budget_rate_of(&conf->limits.internal);
	rates[BUDGET_INVITE_ADDRESS] = budget_rate_of(&conf->limits.invite_address);
	rates[BUDGET_LOOKUP_MISSES] = budget_rate_of(&conf->limits.lookup_misses);
}

struct budgets *budget_kinds_open(const struct identity_conf *conf, struct mx_metrics *metrics)
{
	struct budget_rate rates[BUDGET_KINDS];
	const struct budgets_conf budgets = {
		.names = names,
		.kinds = BUDGET_KINDS,
		.rates = rates,
		.metrics = metrics,
		.metric = "identity_budget_refusals_total",
	};

	read_rates(conf, rates);
	return budgets_new(&budgets);
}

void budget_kinds_reload(struct budgets *budgets, const struct identity_conf *conf)
{
	struct budget_rate rates[BUDGET_KINDS];

	read_rates(conf, rates);
	budgets_set(budgets, rates);
}

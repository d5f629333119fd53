/* What the identity service gives out by budgets. */
#pragma once

#include "shared/threepid/budgets.h"

struct identity_conf;

enum budget_kind {
	BUDGET_MAIL_ASKER, /* account on v2, network prefix on v1 */
	BUDGET_MAIL_ADDRESS,
	BUDGET_MAIL_ADDRESS_DAY,
	BUDGET_MAIL_PREFIX, /* /24 or /56 of the asker */
	BUDGET_SMS_NUMBER,
	BUDGET_SMS_NUMBER_DAY,
	BUDGET_SMS_COUNTRY,
	BUDGET_SMS_PREFIX,
	BUDGET_INVITE_SENDER,
	BUDGET_INTERNAL, /* all binds and unbinds of the operator's own programs */
	BUDGET_INVITE_ADDRESS, /* of all senders: accounts are to be had for nothing */
	BUDGET_LOOKUP_MISSES, /* per account and day; a hit costs a tenth of a miss */
	BUDGET_KINDS
};

struct budgets *budget_kinds_open(const struct identity_conf *conf, struct mx_metrics *metrics);
void budget_kinds_reload(struct budgets *budgets, const struct identity_conf *conf);

/* What one message costs: a place in every budget that it falls under, or in none. */
#pragma once

#include "identity/budgets.h"

#define ALLOWANCE_MAX 4

struct allowance {
	struct {
		enum budget_kind kind;
		const char *name;
	} parts[ALLOWANCE_MAX];
	unsigned len;
	char prefix[64];
};

/* account may be NULL: then the client's network stands for it. Names are borrowed. */
void allowance_of_mail(struct allowance *allowance, const char *address, const char *account,
		       const char *client);
void allowance_of_sms(struct allowance *allowance, const char *msisdn, const char *region,
		      const char *client);

/* All or nothing. -MX_LIMIT_EXCEEDED with err->retry_after_ms. */
int allowance_take(const struct allowance *allowance, struct budgets *budgets,
		   struct mx_error *err);
void allowance_give(const struct allowance *allowance, struct budgets *budgets);

#include "identity/validate/allowance.h"

#include "shared/core/error.h"

static void add(struct allowance *allowance, enum budget_kind kind, const char *name)
{
	allowance->parts[allowance->len].kind = kind;
	allowance->parts[allowance->len++].name = name;
}

void allowance_of_mail(struct allowance *allowance, const char *address, const char *account,
		       const char *client)
{
	allowance->len = 0;
	budgets_prefix(client, allowance->prefix);
	add(allowance, BUDGET_MAIL_ASKER, account ? account : allowance->prefix);
	add(allowance, BUDGET_MAIL_PREFIX, allowance->prefix);
	add(allowance, BUDGET_MAIL_ADDRESS, address);
	add(allowance, BUDGET_MAIL_ADDRESS_DAY, address);
}

void allowance_of_sms(struct allowance *allowance, const char *msisdn, const char *region,
		      const char *client)
{
	allowance->len = 0;
	budgets_prefix(client, allowance->prefix);
	add(allowance, BUDGET_SMS_PREFIX, allowance->prefix);
	add(allowance, BUDGET_SMS_NUMBER, msisdn);
	add(allowance, BUDGET_SMS_NUMBER_DAY, msisdn);
	add(allowance, BUDGET_SMS_COUNTRY, region);
}

static void give_first(const struct allowance *allowance, unsigned len, struct budgets *budgets)
{
	for (unsigned i = 0; i < len; i++)
		budgets_give(budgets, allowance->parts[i].kind, allowance->parts[i].name, 1);
}

int allowance_take(const struct allowance *allowance, struct budgets *budgets, struct mx_error *err)
{
	for (unsigned i = 0; i < allowance->len; i++) {
		int64_t retry_ms = 0;
		int rc = budgets_take(budgets, allowance->parts[i].kind, allowance->parts[i].name,
				      1, &retry_ms, err);

		if (rc == 0)
			continue;
		give_first(allowance, i, budgets);
		if (err)
			err->retry_after_ms = retry_ms;
		return rc;
	}
	return 0;
}

void allowance_give(const struct allowance *allowance, struct budgets *budgets)
{
	give_first(allowance, allowance->len, budgets);
}

/* How much of what anybody may have: mails, text messages, look-ups. In memory; a restart gives
 * everybody a fresh start, which costs less than a table that every request writes. */
#pragma once

#include <stdint.h>

struct budgets;
struct mx_error;
struct mx_metrics;

/* One leaky bucket per kind and name. */
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

struct budget_rate {
	double burst;
	int64_t refill_ms; /* for one */
};

struct budgets *budgets_new(const struct budget_rate rates[BUDGET_KINDS],
			    struct mx_metrics *metrics);
void budgets_set(struct budgets *budgets, const struct budget_rate rates[BUDGET_KINDS]);
void budgets_free(struct budgets *budgets);

/* Takes `amount`. -MX_LIMIT_EXCEEDED with *ret_retry_ms (for retry_after_ms and Retry-After) and
 * nothing taken if it is not there. Thread-safe. */
int budgets_take(struct budgets *budgets, enum budget_kind kind, const char *name, double amount,
		 int64_t *ret_retry_ms, struct mx_error *err);
/* Gives back what was taken for something that then did not happen. */
void budgets_give(struct budgets *budgets, enum budget_kind kind, const char *name, double amount);

/* "203.0.113.0/24" or "2001:db8:0:100::/56" of a client's address. */
void budgets_prefix(const char *address, char ret_prefix[64]);

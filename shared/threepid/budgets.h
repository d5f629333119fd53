/* How much of what anybody may have: mails, text messages, look-ups. In memory; a restart gives
 * everybody a fresh start, which costs less than a table that every request writes. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdint.h>

struct budgets;
struct mx_error;
struct mx_metrics;

/* One leaky bucket per kind and name. The daemon numbers its kinds from 0. */
#define BUDGETS_MAX 32 /* kinds */

struct budget_rate {
	double burst;
	int64_t refill_ms; /* for one */
};

/* What an operator says of one: at once, and in a day. */
struct budget_limit {
	unsigned burst, per_day;
};

extern const cyaml_schema_field_t budget_limit_fields[];

void budget_limit_default(struct budget_limit *limit, unsigned burst, unsigned per_day);
/* -MX_BAD_CONFIG. */
int budget_limit_check(const char *key, const struct budget_limit *limit, struct mx_error *err);
struct budget_rate budget_rate_of(const struct budget_limit *limit);

struct budgets_conf {
	const char *const *names; /* of the kinds, for the metric; NULL = not counted. Not copied */
	unsigned kinds;
	const struct budget_rate *rates; /* of each kind; copied */
	struct mx_metrics *metrics; /* may be NULL */
	const char *metric; /* "identity_budget_refusals_total" */
};

struct budgets *budgets_new(const struct budgets_conf *conf);
void budgets_set(struct budgets *budgets, const struct budget_rate *rates);
void budgets_free(struct budgets *budgets);

/* Takes `amount`. -MX_LIMIT_EXCEEDED with *ret_retry_ms (for retry_after_ms and Retry-After) and
 * nothing taken if it is not there. Thread-safe. */
int budgets_take(struct budgets *budgets, unsigned kind, const char *name, double amount,
		 int64_t *ret_retry_ms, struct mx_error *err);
/* Gives back what was taken for something that then did not happen. */
void budgets_give(struct budgets *budgets, unsigned kind, const char *name, double amount);

/* "203.0.113.0/24" or "2001:db8:0:100::/56" of a client's address. */
void budgets_prefix(const char *address, char ret_prefix[64]);

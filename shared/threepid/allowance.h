/* What one message costs: a place in every budget that it falls under, or in none. */
#pragma once

#include "shared/threepid/budgets.h"

#define ALLOWANCE_MAX 4

struct allowance {
	struct {
		unsigned kind;
		const char *name;
	} parts[ALLOWANCE_MAX];
	unsigned len;
	char network[64];
};

/* name is borrowed. */
void allowance_add(struct allowance *allowance, unsigned kind, const char *name);
/* The network of a client's address, written into the allowance. */
void allowance_add_network(struct allowance *allowance, unsigned kind, const char *client);

/* All or nothing. -MX_LIMIT_EXCEEDED with err->retry_after_ms. */
int allowance_take(const struct allowance *allowance, struct budgets *budgets,
		   struct mx_error *err);
void allowance_give(const struct allowance *allowance, struct budgets *budgets);

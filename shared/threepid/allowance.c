#include "shared/threepid/allowance.h"

#include "shared/core/error.h"

#include <assert.h>

void allowance_add(struct allowance *allowance, unsigned kind, const char *name)
{
	assert(allowance->len < ALLOWANCE_MAX);
	allowance->parts[allowance->len].kind = kind;
	allowance->parts[allowance->len++].name = name;
}

void allowance_add_network(struct allowance *allowance, unsigned kind, const char *client)
{
	budgets_prefix(client, allowance->network);
	allowance_add(allowance, kind, allowance->network);
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

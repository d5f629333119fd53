#include "identity/binding/lookup_cost.h"

#include "identity/budget_kinds.h"
#include "identity/identity.h"
#include "shared/core/error.h"
#include "shared/core/metrics.h"

#define HIT_COST 0.1 /* of a miss */

int lookup_cost_take(const struct identity_call *call, const char *asker, size_t addresses,
		     struct mx_error *err)
{
	int64_t retry_ms = 0;
	int rc = 0;

	if (asker && addresses > 0)
		rc = budgets_take(call->identity->budgets, BUDGET_LOOKUP_MISSES, asker,
				  (double)addresses, &retry_ms, err);
	if (rc == 0)
		mx_metric_add(call->identity->counters.lookups, (int64_t)addresses);
	else if (err)
		err->retry_after_ms = retry_ms;
	return rc;
}

void lookup_cost_settle(const struct identity_call *call, const char *asker, size_t hits)
{
	mx_metric_add(call->identity->counters.lookup_hits, (int64_t)hits);
	/* Nothing is given back, too: a miss takes as long as a hit. */
	if (asker)
		budgets_give(call->identity->budgets, BUDGET_LOOKUP_MISSES, asker,
			     (double)hits * (1 - HIT_COST));
}

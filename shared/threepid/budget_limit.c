#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/threepid/budgets.h"

#include <stddef.h>

#define MOST 1000000 /* at once, and in a day */

const cyaml_schema_field_t budget_limit_fields[] = {
	CYAML_FIELD_UINT("burst", CYAML_FLAG_OPTIONAL, struct budget_limit, burst),
	CYAML_FIELD_UINT("per_day", CYAML_FLAG_OPTIONAL, struct budget_limit, per_day),
	CYAML_FIELD_END,
};

void budget_limit_default(struct budget_limit *limit, unsigned burst, unsigned per_day)
{
	if (limit->burst == 0)
		limit->burst = burst;
	if (limit->per_day == 0)
		limit->per_day = per_day;
}

int budget_limit_check(const char *key, const struct budget_limit *limit, struct mx_error *err)
{
	if (limit->burst <= MOST && limit->per_day <= MOST)
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "%s must be at most %u", key, MOST);
}

struct budget_rate budget_rate_of(const struct budget_limit *limit)
{
	return (struct budget_rate){ .burst = limit->burst,
				     .refill_ms = MX_DAY_MS / (int64_t)limit->per_day };
}

/* The notary at a glance, for its status page, its admin API and its metrics. */
#pragma once

#include <jansson.h>

struct notary;

/* {"server_name","version","now_ts","uptime_s","keys_valid_until_ts","keys":[…],
 * "budget":{"left","askers"},"counts":{"servers","versions",
 * "conflicts","kept_fresh","cached","in_flight","backed_off","decisions"},"slow":[…],
 * "failing":[…]} with at most `worst` rows in the last two. The caller owns it. */
json_t *overview_json(struct notary *notary, size_t worst);

/* Registers the gauges that are read when the metrics page is. */
void overview_metrics(struct notary *notary);

/* Metrics under the prefix of the daemon. */
#pragma once

#include "shared/core/metrics.h"

struct key_metrics {
	struct mx_metrics *registry; /* NULL: nothing is counted */
	const char *prefix; /* NULL = "trinity" */
};

/* PREFIX_NAME; help is a literal. */
struct mx_metric *key_counter_new(const struct key_metrics *metrics, const char *name,
				  const char *help, const char *labels);
struct mx_metric *key_gauge_new(const struct key_metrics *metrics, const char *name,
				const char *help);
struct mx_metric *key_histogram_new(const struct key_metrics *metrics, const char *name,
				    const char *help);

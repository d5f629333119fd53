#include "shared/keys/key_metrics.h"

#include "shared/core/alloc.h"

static char *full_name(const struct key_metrics *metrics, const char *name)
{
	return mx_strf("%s_%s", metrics->prefix ? metrics->prefix : "trinity", name);
}

struct mx_metric *key_counter_new(const struct key_metrics *metrics, const char *name,
				  const char *help, const char *labels)
{
	mx_autofree char *full = full_name(metrics, name);

	return mx_counter_new(metrics->registry, full, help, labels);
}

struct mx_metric *key_gauge_new(const struct key_metrics *metrics, const char *name,
				const char *help)
{
	mx_autofree char *full = full_name(metrics, name);

	return mx_gauge_new(metrics->registry, full, help, "");
}

struct mx_metric *key_histogram_new(const struct key_metrics *metrics, const char *name,
				    const char *help)
{
	mx_autofree char *full = full_name(metrics, name);

	return mx_histogram_new(metrics->registry, full, help, "");
}

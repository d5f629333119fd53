/* Counters, gauges and histograms, and their page in Prometheus' text format (0.0.4).
 * Registration at start; updates from any thread, lock-free. */
#pragma once

#include "shared/core/str.h"

#include <stddef.h>
#include <stdint.h>

struct mx_metrics;
struct mx_metric;

struct mx_metrics *mx_metrics_new(void);
void mx_metrics_free(struct mx_metrics *metrics);

/* help is a literal; name and labels, "" or `route="query",code="200"`, are copied. Metrics of one
 * name stand together on the page. The metric lives as long as the registry. */
struct mx_metric *mx_counter_new(struct mx_metrics *metrics, const char *name, const char *help,
				 const char *labels);
struct mx_metric *mx_gauge_new(struct mx_metrics *metrics, const char *name, const char *help,
			       const char *labels);

/* A gauge that is asked when the page is written. */
void mx_gauge_fn(struct mx_metrics *metrics, const char *name, const char *help, const char *labels,
		 double (*read)(void *ctx), void *ctx);

/* Durations in seconds, buckets from 0.5 ms to 30 s. */
struct mx_metric *mx_histogram_new(struct mx_metrics *metrics, const char *name, const char *help,
				   const char *labels);

/* A NULL metric is ignored, so modules work without a registry. */
void mx_metric_add(struct mx_metric *metric, int64_t by);
void mx_metric_set(struct mx_metric *metric, int64_t value);
int64_t mx_metric_get(const struct mx_metric *metric);
void mx_metric_observe_us(struct mx_metric *metric, int64_t microseconds);

void mx_metrics_write(struct mx_metrics *metrics, struct mx_str *page);

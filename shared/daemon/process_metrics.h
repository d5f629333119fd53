/* What Prometheus asks of every process: start time, memory, descriptors, threads, build. */
#pragma once

#include <stdint.h>

struct mx_metrics;

/* name: "trinity-notary"; started_ms: wall clock. */
void process_metrics_add(struct mx_metrics *metrics, const char *name, int64_t started_ms);

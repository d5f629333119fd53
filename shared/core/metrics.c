#include "shared/core/metrics.h"

#include "shared/core/alloc.h"

#include <pthread.h>
#include <stdatomic.h>

enum kind { COUNTER, GAUGE, GAUGE_FN, HISTOGRAM };

static const char *const kind_names[] = { "counter", "gauge", "gauge", "histogram" };

static const int64_t bounds_us[] = { 500,     1000,    2500,    5000,     10000,
				     25000,   50000,   100000,  250000,   500000,
				     1000000, 2500000, 5000000, 10000000, 30000000 };
#define BUCKETS (sizeof(bounds_us) / sizeof(bounds_us[0]))

struct mx_metric {
	struct mx_metric *next;
	enum kind kind;
	const char *help;
	char *name, *labels;
	double (*read)(void *ctx);
	void *ctx;
	_Atomic int64_t value; /* of a histogram: the sum in microseconds */
	_Atomic int64_t buckets[BUCKETS + 1];
};

struct mx_metrics {
	pthread_mutex_t lock;
	struct mx_metric *first;
};

struct mx_metrics *mx_metrics_new(void)
{
	struct mx_metrics *metrics = mx_calloc(1, sizeof(*metrics));

	pthread_mutex_init(&metrics->lock, NULL);
	return metrics;
}

void mx_metrics_free(struct mx_metrics *metrics)
{
	if (!metrics)
		return;
	while (metrics->first) {
		struct mx_metric *next = metrics->first->next;

		mx_free(metrics->first->name);
		mx_free(metrics->first->labels);
		mx_free(metrics->first);
		metrics->first = next;
	}
	pthread_mutex_destroy(&metrics->lock);
	mx_free(metrics);
}

/* Behind the last metric of the same name, else at the end. */
static struct mx_metric **place_of(struct mx_metrics *metrics, const char *name)
{
	struct mx_metric **place = &metrics->first, **after = NULL;

	for (; *place; place = &(*place)->next)
		if (streq((*place)->name, name))
			after = &(*place)->next;
	return after ? after : place;
}

static struct mx_metric *metric_make(enum kind kind, const char *name, const char *help,
				     const char *labels)
{
	struct mx_metric *metric = mx_calloc(1, sizeof(*metric));

	metric->kind = kind;
	metric->name = mx_strdup(name);
	metric->help = help;
	metric->labels = mx_strdup(labels);
	return metric;
}

/* From here on others see it: the page may be asked for at any time. */
static void metric_show(struct mx_metrics *metrics, struct mx_metric *metric)
{
	struct mx_metric **place;

	pthread_mutex_lock(&metrics->lock);
	place = place_of(metrics, metric->name);
	metric->next = *place;
	*place = metric;
	pthread_mutex_unlock(&metrics->lock);
}

static struct mx_metric *metric_new(struct mx_metrics *metrics, enum kind kind, const char *name,
				    const char *help, const char *labels)
{
	struct mx_metric *metric;

	if (!metrics)
		return NULL;
	metric = metric_make(kind, name, help, labels);
	metric_show(metrics, metric);
	return metric;
}

struct mx_metric *mx_counter_new(struct mx_metrics *metrics, const char *name, const char *help,
				 const char *labels)
{
	return metric_new(metrics, COUNTER, name, help, labels);
}

struct mx_metric *mx_gauge_new(struct mx_metrics *metrics, const char *name, const char *help,
			       const char *labels)
{
	return metric_new(metrics, GAUGE, name, help, labels);
}

void mx_gauge_fn(struct mx_metrics *metrics, const char *name, const char *help, const char *labels,
		 double (*read)(void *ctx), void *ctx)
{
	struct mx_metric *metric;

	if (!metrics)
		return;
	metric = metric_make(GAUGE_FN, name, help, labels);
	metric->ctx = ctx;
	metric->read = read;
	metric_show(metrics, metric);
}

struct mx_metric *mx_histogram_new(struct mx_metrics *metrics, const char *name, const char *help,
				   const char *labels)
{
	return metric_new(metrics, HISTOGRAM, name, help, labels);
}

void mx_metric_add(struct mx_metric *metric, int64_t by)
{
	if (metric)
		atomic_fetch_add_explicit(&metric->value, by, memory_order_relaxed);
}

void mx_metric_set(struct mx_metric *metric, int64_t value)
{
	if (metric)
		atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t mx_metric_get(const struct mx_metric *metric)
{
	return metric ? atomic_load_explicit(&metric->value, memory_order_relaxed) : 0;
}

void mx_metric_observe_us(struct mx_metric *metric, int64_t microseconds)
{
	size_t bucket = 0;

	if (!metric)
		return;
	while (bucket < BUCKETS && microseconds > bounds_us[bucket])
		bucket++;
	atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&metric->value, microseconds, memory_order_relaxed);
}

static void write_value(const struct mx_metric *metric, struct mx_str *page)
{
	mx_str_add_text(page, metric->name);
	if (metric->labels[0])
		mx_str_addf(page, "{%s}", metric->labels);
	if (metric->kind == GAUGE_FN)
		mx_str_addf(page, " %.17g\n", metric->read(metric->ctx));
	else
		mx_str_addf(page, " %lld\n", (long long)mx_metric_get(metric));
}

static void write_bucket(const struct mx_metric *metric, struct mx_str *page, const char *bound,
			 int64_t count)
{
	mx_str_addf(page, "%s_bucket{%s%sle=\"%s\"} %lld\n", metric->name, metric->labels,
		    metric->labels[0] ? "," : "", bound, (long long)count);
}

static void write_histogram(const struct mx_metric *metric, struct mx_str *page)
{
	const char *open = metric->labels[0] ? "{" : "", *close = metric->labels[0] ? "}" : "";
	int64_t count = 0;

	for (size_t i = 0; i < BUCKETS; i++) {
		char bound[32];

		count += metric->buckets[i];
		snprintf(bound, sizeof(bound), "%g", (double)bounds_us[i] / 1e6);
		write_bucket(metric, page, bound, count);
	}
	count += metric->buckets[BUCKETS];
	write_bucket(metric, page, "+Inf", count);
	mx_str_addf(page, "%s_sum%s%s%s %.6f\n", metric->name, open, metric->labels, close,
		    (double)mx_metric_get(metric) / 1e6);
	mx_str_addf(page, "%s_count%s%s%s %lld\n", metric->name, open, metric->labels, close,
		    (long long)count);
}

void mx_metrics_write(struct mx_metrics *metrics, struct mx_str *page)
{
	const char *name = NULL;

	pthread_mutex_lock(&metrics->lock);
	for (const struct mx_metric *metric = metrics->first; metric; metric = metric->next) {
		if (!streq(name, metric->name)) {
			name = metric->name;
			mx_str_addf(page, "# HELP %s %s\n# TYPE %s %s\n", name, metric->help, name,
				    kind_names[metric->kind]);
		}
		if (metric->kind == HISTOGRAM)
			write_histogram(metric, page);
		else
			write_value(metric, page);
	}
	pthread_mutex_unlock(&metrics->lock);
}

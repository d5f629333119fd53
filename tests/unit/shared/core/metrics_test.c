#include "shared/core/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

static double half(void *ctx)
{
	return *(const double *)ctx / 2;
}

static void assert_page(struct mx_metrics *metrics, const char *expected)
{
	mx_str_auto page = { 0 };

	mx_metrics_write(metrics, &page);
	assert_string_equal(mx_str_slice(&page).ptr, expected);
}

static void a_registry_without_metrics_is_an_empty_page(void **state)
{
	struct mx_metrics *metrics = mx_metrics_new();

	(void)state;
	assert_page(metrics, "");
	mx_metrics_free(metrics);
}

static void metrics_of_one_name_stand_together(void **state)
{
	struct mx_metrics *metrics = mx_metrics_new();
	struct mx_metric *first = mx_counter_new(metrics, "hits_total", "Hits.", "code=\"200\"");
	struct mx_metric *gauge = mx_gauge_new(metrics, "open", "Open.", "");
	struct mx_metric *second = mx_counter_new(metrics, "hits_total", "Hits.", "code=\"404\"");
	double number = 5;

	(void)state;
	mx_gauge_fn(metrics, "half", "Half.", "", half, &number);
	mx_metric_add(first, 2);
	mx_metric_add(second, 1);
	mx_metric_add(first, 1);
	mx_metric_set(gauge, -7);
	assert_int_equal(mx_metric_get(first), 3);
	assert_page(metrics, "# HELP hits_total Hits.\n# TYPE hits_total counter\n"
			     "hits_total{code=\"200\"} 3\nhits_total{code=\"404\"} 1\n"
			     "# HELP open Open.\n# TYPE open gauge\nopen -7\n"
			     "# HELP half Half.\n# TYPE half gauge\nhalf 2.5\n");
	mx_metrics_free(metrics);
}

static void a_histogram_counts_in_growing_buckets(void **state)
{
	struct mx_metrics *metrics = mx_metrics_new();
	struct mx_metric *took = mx_histogram_new(metrics, "took_seconds", "Time.", "route=\"q\"");

	(void)state;
	mx_metric_observe_us(took, 0);
	mx_metric_observe_us(took, 500);
	mx_metric_observe_us(took, 501);
	mx_metric_observe_us(took, 30000000);
	mx_metric_observe_us(took, 30000001);
	assert_page(metrics, "# HELP took_seconds Time.\n# TYPE took_seconds histogram\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.0005\"} 2\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.001\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.0025\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.005\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.01\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.025\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.05\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.1\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.25\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"0.5\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"1\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"2.5\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"5\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"10\"} 3\n"
			     "took_seconds_bucket{route=\"q\",le=\"30\"} 4\n"
			     "took_seconds_bucket{route=\"q\",le=\"+Inf\"} 5\n"
			     "took_seconds_sum{route=\"q\"} 60.001002\n"
			     "took_seconds_count{route=\"q\"} 5\n");
	mx_metrics_free(metrics);
}

static void a_histogram_without_labels_has_only_le(void **state)
{
	struct mx_metrics *metrics = mx_metrics_new();
	mx_str_auto page = { 0 };

	(void)state;
	mx_metric_observe_us(mx_histogram_new(metrics, "t", "T.", ""), 1000);
	mx_metrics_write(metrics, &page);
	assert_non_null(strstr(page.ptr, "t_bucket{le=\"0.001\"} 1\n"));
	assert_non_null(strstr(page.ptr, "\nt_sum 0.001000\nt_count 1\n"));
	mx_metrics_free(metrics);
}

static void names_and_labels_are_copied(void **state)
{
	struct mx_metrics *metrics = mx_metrics_new();
	char name[] = "abc", labels[] = "x=\"1\"";

	(void)state;
	mx_counter_new(metrics, name, "H.", labels);
	name[0] = labels[0] = '!';
	assert_page(metrics, "# HELP abc H.\n# TYPE abc counter\nabc{x=\"1\"} 0\n");
	mx_metrics_free(metrics);
}

static void without_a_registry_nothing_happens(void **state)
{
	struct mx_metric *none = mx_counter_new(NULL, "a", "A.", "");

	(void)state;
	assert_null(none);
	mx_gauge_fn(NULL, "a", "A.", "", half, NULL);
	mx_metric_add(none, 1);
	mx_metric_set(none, 1);
	mx_metric_observe_us(none, 1);
	assert_int_equal(mx_metric_get(none), 0);
	mx_metrics_free(NULL);
}

static void *count(void *ctx)
{
	for (int i = 0; i < 10000; i++) {
		mx_metric_add(ctx, 1);
		mx_metric_observe_us(ctx, 0);
	}
	return NULL;
}

static void threads_lose_no_count(void **state)
{
	struct mx_metrics *metrics = mx_metrics_new();
	struct mx_metric *metric = mx_counter_new(metrics, "n_total", "N.", "");
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, metric), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(mx_metric_get(metric), 40000);
	mx_metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_registry_without_metrics_is_an_empty_page),
		cmocka_unit_test(metrics_of_one_name_stand_together),
		cmocka_unit_test(a_histogram_counts_in_growing_buckets),
		cmocka_unit_test(a_histogram_without_labels_has_only_le),
		cmocka_unit_test(names_and_labels_are_copied),
		cmocka_unit_test(without_a_registry_nothing_happens),
		cmocka_unit_test(threads_lose_no_count),
	};
	return cmocka_run_group_tests_name("core/metrics", tests, NULL, NULL);
}

#include "shared/threepid/budgets.h"

#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW INT64_C(1700000000000)

enum { MAILS, TEXTS, BUDGET_KINDS };

static struct budget_rate rates[BUDGET_KINDS];

static int setup(void **state)
{
	for (int kind = 0; kind < BUDGET_KINDS; kind++)
		rates[kind] = (struct budget_rate){ .burst = 2, .refill_ms = 1000 };
	mx_time_fake(NOW, 0);
	*state = budgets_new(&(struct budgets_conf){ .kinds = BUDGET_KINDS, .rates = rates });
	return 0;
}

static int teardown(void **state)
{
	budgets_free(*state);
	mx_time_fake(-1, -1);
	return 0;
}

static int take(void **state, const char *name, double amount)
{
	int64_t wait_ms;

	return budgets_take(*state, MAILS, name, amount, &wait_ms, NULL);
}

static void a_burst_is_there_and_then_no_more(void **state)
{
	struct mx_error err = { 0 };
	int64_t wait_ms = 0;

	assert_int_equal(take(state, "a", 1), 0);
	assert_int_equal(take(state, "a", 1), 0);
	assert_int_equal(budgets_take(*state, MAILS, "a", 1, &wait_ms, &err), -MX_LIMIT_EXCEEDED);
	assert_int_equal(wait_ms, 1000);
	assert_int_equal(err.retry_after_ms, 1000);
}

static void time_gives_it_back_up_to_the_burst(void **state)
{
	assert_int_equal(take(state, "a", 2), 0);
	mx_time_fake(NOW, 1000);
	assert_int_equal(take(state, "a", 1), 0);
	assert_int_equal(take(state, "a", 1), -MX_LIMIT_EXCEEDED);
	mx_time_fake(NOW, 100000);
	assert_int_equal(take(state, "a", 3), -MX_LIMIT_EXCEEDED);
	assert_int_equal(take(state, "a", 2), 0);
}

static void a_refusal_takes_nothing(void **state)
{
	assert_int_equal(take(state, "a", 1.5), 0);
	assert_int_equal(take(state, "a", 1), -MX_LIMIT_EXCEEDED);
	assert_int_equal(take(state, "a", 0.5), 0);
}

static void names_and_kinds_do_not_share(void **state)
{
	int64_t wait_ms;

	assert_int_equal(take(state, "a", 2), 0);
	assert_int_equal(take(state, "b", 2), 0);
	assert_int_equal(budgets_take(*state, TEXTS, "a", 2, &wait_ms, NULL), 0);
}

static void what_did_not_happen_is_given_back(void **state)
{
	assert_int_equal(take(state, "a", 2), 0);
	budgets_give(*state, MAILS, "a", 1);
	assert_int_equal(take(state, "a", 1), 0);
	assert_int_equal(take(state, "a", 1), -MX_LIMIT_EXCEEDED);
	budgets_give(*state, MAILS, "b", 5);
	assert_int_equal(take(state, "b", 3), -MX_LIMIT_EXCEEDED);
}

static void new_rates_count_at_once(void **state)
{
	assert_int_equal(take(state, "a", 2), 0);
	rates[MAILS].refill_ms = 10;
	budgets_set(*state, rates);
	mx_time_fake(NOW, 10);
	assert_int_equal(take(state, "a", 1), 0);
}

static void refusals_are_counted(void **state)
{
	static const char *const names[] = { "mails", "texts" };
	struct mx_metrics *metrics = mx_metrics_new();
	const struct budgets_conf conf = { names, BUDGET_KINDS, rates, metrics, "refusals_total" };
	struct budgets *budgets = budgets_new(&conf);
	mx_str_auto page = { 0 };
	int64_t wait_ms;

	(void)state;
	assert_int_equal(budgets_take(budgets, TEXTS, "a", 3, &wait_ms, NULL), -MX_LIMIT_EXCEEDED);
	mx_metrics_write(metrics, &page);
	assert_non_null(strstr(page.ptr, "refusals_total{budget=\"texts\"} 1\n"));
	budgets_free(budgets);
	mx_metrics_free(metrics);
}

static void assert_prefix(const char *address, const char *prefix)
{
	char text[64];

	budgets_prefix(address, text);
	assert_string_equal(text, prefix);
}

static void neighbours_share_a_prefix(void **state)
{
	(void)state;
	assert_prefix("203.0.113.77", "203.0.113.0/24");
	assert_prefix("::ffff:203.0.113.77", "203.0.113.0/24");
	assert_prefix("2001:db8:0:1ff:1:2:3:4", "2001:db8:0:100::/56");
	assert_prefix("unix", "unix");
}

#define with_budgets(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_budgets(a_burst_is_there_and_then_no_more),
		with_budgets(time_gives_it_back_up_to_the_burst),
		with_budgets(a_refusal_takes_nothing),
		with_budgets(names_and_kinds_do_not_share),
		with_budgets(what_did_not_happen_is_given_back),
		with_budgets(new_rates_count_at_once),
		with_budgets(refusals_are_counted),
		cmocka_unit_test(neighbours_share_a_prefix),
	};

	return cmocka_run_group_tests_name("threepid/budgets", tests, NULL, NULL);
}

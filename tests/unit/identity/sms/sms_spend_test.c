#include "identity/sms/sms_spend.h"

#include "identity/sms/sms_spend_db.h"
#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/time.h"
#include "tests/support/store_fixture.h"

#define MICROS   1000000
#define NOON     INT64_C(1795262400000) /* 2026-11-21T12:00:00Z */
#define MIDNIGHT (NOON + 12 * MX_HOUR_MS)

static const struct store_table *const store_test_tables[] = { &sms_spend_table, NULL };

static struct sms_spend *spend_of(void **txn, struct mx_metrics *metrics, int64_t day,
				  int64_t month)
{
	const struct sms_caps caps = { day * MICROS, month * MICROS, 80 };
	struct sms_spend *spend = sms_spend_new(store_fixture_store(txn), metrics);

	sms_spend_set(spend, &caps);
	mx_time_fake(NOON, NOON);
	return spend;
}

static void done(struct sms_spend *spend)
{
	sms_spend_free(spend);
	mx_time_fake(-1, -1);
}

static void without_a_cap_anything_goes(void **txn)
{
	struct sms_spend *spend = spend_of(txn, NULL, 0, 0);

	assert_int_equal(sms_spend_check(spend, 1000000 * (int64_t)MICROS, NULL), 0);
	done(spend);
}

static void the_last_message_may_reach_the_cap(void **txn)
{
	struct sms_spend *spend = spend_of(txn, NULL, 3, 0);

	for (int i = 0; i < 3; i++) {
		assert_int_equal(sms_spend_begin(spend, MICROS, NULL), 0);
		sms_spend_end(spend, MICROS, true);
	}
	assert_int_equal(sms_spend_check(spend, 1, NULL), -MX_DESTINATION_REJECTED);
	assert_int_equal(sms_spend_begin(spend, MICROS, NULL), -MX_DESTINATION_REJECTED);
	done(spend);
}

static void messages_under_way_count(void **txn)
{
	struct sms_spend *spend = spend_of(txn, NULL, 2, 0);

	assert_int_equal(sms_spend_begin(spend, MICROS, NULL), 0);
	assert_int_equal(sms_spend_begin(spend, MICROS, NULL), 0);
	assert_int_equal(sms_spend_begin(spend, MICROS, NULL), -MX_DESTINATION_REJECTED);
	sms_spend_end(spend, MICROS, false);
	assert_int_equal(sms_spend_begin(spend, MICROS, NULL), 0);
	done(spend);
}

static void a_new_day_has_its_own_money_but_not_a_new_month(void **txn)
{
	struct sms_spend *spend = spend_of(txn, NULL, 2, 3);

	assert_int_equal(sms_spend_begin(spend, 2 * MICROS, NULL), 0);
	sms_spend_end(spend, 2 * MICROS, true);
	sms_spend_note(*txn, "DE", 2 * MICROS);
	store_fixture_commit(txn);
	assert_int_equal(sms_spend_check(spend, MICROS, NULL), -MX_DESTINATION_REJECTED);
	mx_time_fake(MIDNIGHT, MIDNIGHT);
	assert_int_equal(sms_spend_check(spend, MICROS, NULL), 0);
	assert_int_equal(sms_spend_check(spend, 2 * MICROS, NULL), -MX_DESTINATION_REJECTED);
	mx_time_fake(NOON + 20 * MX_DAY_MS, NOON);
	assert_int_equal(sms_spend_check(spend, 2 * MICROS, NULL), 0);
	done(spend);
}

static void what_was_spent_survives_a_restart(void **txn)
{
	struct sms_spend *spend = spend_of(txn, NULL, 3, 0);

	sms_spend_note(*txn, "DE", MICROS);
	sms_spend_note(*txn, "GB", MICROS);
	sms_spend_note(*txn, "GB", MICROS);
	store_fixture_commit(txn);
	assert_int_equal(sms_spend_check(spend, 1, NULL), -MX_DESTINATION_REJECTED);
	done(spend);
}

static void old_days_are_forgotten_and_months_are_not(void **txn)
{
	struct sms_spend *spend = spend_of(txn, NULL, 3, 3);
	int64_t sum;

	sms_spend_note(*txn, "DE", MICROS);
	store_fixture_commit(txn);
	mx_time_fake(NOON + 100 * MX_DAY_MS, NOON);
	sms_spend_note(*txn, "DE", MICROS);
	store_fixture_commit(txn);
	assert_int_equal(sms_spend_db_sum(store_fixture_store(txn), "2026-11-21", &sum, NULL), 0);
	assert_int_equal(sum, 0);
	assert_int_equal(sms_spend_db_sum(store_fixture_store(txn), "2027-03-01", &sum, NULL), 0);
	assert_int_equal(sum, MICROS);
	assert_int_equal(sms_spend_db_sum(store_fixture_store(txn), "2026-11", &sum, NULL), 0);
	assert_int_equal(sum, MICROS);
	done(spend);
}

static void assert_line(struct mx_metrics *metrics, const char *line)
{
	mx_str_auto page = { 0 };

	mx_metrics_write(metrics, &page);
	if (!strstr(page.ptr, line))
		fail_msg("no %s in %s", line, page.ptr);
}

static void an_alarm_comes_before_the_cap_and_at_it(void **txn)
{
	struct mx_metrics *metrics = mx_metrics_new();
	struct sms_spend *spend = spend_of(txn, metrics, 10, 0);

	assert_int_equal(sms_spend_begin(spend, 7 * MICROS, NULL), 0);
	sms_spend_end(spend, 7 * MICROS, true);
	assert_line(metrics, "sms_spend_alarms_total 0\n");
	assert_int_equal(sms_spend_begin(spend, 2 * MICROS, NULL), 0);
	sms_spend_end(spend, 2 * MICROS, true);
	assert_line(metrics, "sms_spend_alarms_total 1\n");
	for (int i = 0; i < 3; i++)
		assert_int_equal(sms_spend_check(spend, 2 * MICROS, NULL),
				 -MX_DESTINATION_REJECTED);
	assert_line(metrics, "sms_spend_alarms_total 2\n");
	assert_line(metrics, "sms_spend{period=\"day\"} 9\n");
	assert_line(metrics, "sms_spend_cap{period=\"day\"} 10\n");
	sms_spend_free(spend);
	mx_metrics_free(metrics);
	mx_time_fake(-1, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(without_a_cap_anything_goes),
		store_test(the_last_message_may_reach_the_cap),
		store_test(messages_under_way_count),
		store_test(a_new_day_has_its_own_money_but_not_a_new_month),
		store_test(what_was_spent_survives_a_restart),
		store_test(old_days_are_forgotten_and_months_are_not),
		store_test(an_alarm_comes_before_the_cap_and_at_it),
	};

	return cmocka_run_group_tests_name("sms/sms_spend", tests, NULL, NULL);
}

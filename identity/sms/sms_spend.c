#include "identity/sms/sms_spend.h"

#include "identity/sms/sms_spend_db.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define MICROS    1000000
#define KEPT_DAYS 62

/* A day or a month. */
struct period {
	const char *kind; /* "day" */
	char name[16]; /* "2026-11-21" */
	int64_t spent, cap;
	bool alarmed, refused; /* logged already */
};

struct sms_spend {
	struct store *store;
	struct mx_metric *alarms;
	pthread_mutex_t lock; /* of the fields below */
	struct period day, month;
	int64_t reserved; /* for messages that are being sent */
	unsigned alarm_percent;
};

#define DAY_LEN   10 /* "2026-11-21" */
#define MONTH_LEN 7

static void name_of(int64_t now_ms, int len, char ret_name[16])
{
	time_t seconds = (time_t)(now_ms / MX_SECOND_MS);
	char day[16];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	if (strftime(day, sizeof(day), "%Y-%m-%d", &utc) == 0)
		*day = '\0';
	snprintf(ret_name, 16, "%.*s", len, day);
}

/* ---- metrics */

static double read_spent(void *ctx)
{
	const struct period *period = ctx;

	return (double)__atomic_load_n(&period->spent, __ATOMIC_RELAXED) / MICROS;
}

static double read_cap(void *ctx)
{
	const struct period *period = ctx;

	return (double)__atomic_load_n(&period->cap, __ATOMIC_RELAXED) / MICROS;
}

static void add_metrics(struct period *period, struct mx_metrics *metrics)
{
	mx_autofree char *label = mx_strf("period=\"%s\"", period->kind);

	mx_gauge_fn(metrics, "sms_spend", "What text messages cost so far", label, read_spent,
		    period);
	mx_gauge_fn(metrics, "sms_spend_cap", "What text messages may cost, 0 = no cap", label,
		    read_cap, period);
}

/* ---- life */

struct sms_spend *sms_spend_new(struct store *store, struct mx_metrics *metrics)
{
	struct sms_spend *spend = mx_calloc(1, sizeof(*spend));

	pthread_mutex_init(&spend->lock, NULL);
	spend->store = store;
	spend->day = (struct period){ .kind = "day" };
	spend->month = (struct period){ .kind = "month" };
	if (!metrics)
		return spend;
	spend->alarms = mx_counter_new(metrics, "sms_spend_alarms_total",
				       "Times that text messages came near a cap or to it", "");
	add_metrics(&spend->day, metrics);
	add_metrics(&spend->month, metrics);
	return spend;
}

void sms_spend_set(struct sms_spend *spend, const struct sms_caps *caps)
{
	pthread_mutex_lock(&spend->lock);
	__atomic_store_n(&spend->day.cap, caps->day, __ATOMIC_RELAXED);
	__atomic_store_n(&spend->month.cap, caps->month, __ATOMIC_RELAXED);
	spend->alarm_percent = caps->alarm_percent;
	spend->day.alarmed = spend->day.refused = false;
	spend->month.alarmed = spend->month.refused = false;
	pthread_mutex_unlock(&spend->lock);
}

void sms_spend_free(struct sms_spend *spend)
{
	if (!spend)
		return;
	pthread_mutex_destroy(&spend->lock);
	mx_free(spend);
}

/* ---- the caps; under the lock */

static void alarm_once(struct sms_spend *spend, const struct period *period, bool *alarmed,
		       const char *text)
{
	if (*alarmed)
		return;
	*alarmed = true;
	mx_metric_add(spend->alarms, 1);
	mx_log(MX_LOG_ERROR, text, "period", period->name, "spent",
	       mx_log_num(period->spent / MICROS), "cap", mx_log_num(period->cap / MICROS), NULL);
}

/* A period that is over begins again; what other processes spent is in the store. */
static void roll(struct period *period, const char *name)
{
	if (streq(period->name, name))
		return;
	snprintf(period->name, sizeof(period->name), "%s", name);
	__atomic_store_n(&period->spent, 0, __ATOMIC_RELAXED);
	period->alarmed = period->refused = false;
}

static void raise_spent(struct period *period, int64_t spent)
{
	if (spent > period->spent)
		__atomic_store_n(&period->spent, spent, __ATOMIC_RELAXED);
}

static bool has_room(struct sms_spend *spend, struct period *period, int64_t micros)
{
	if (period->cap == 0 || period->spent + spend->reserved + micros <= period->cap)
		return true;
	alarm_once(spend, period, &period->refused,
		   "text messages have cost all that they may, no more are sent");
	return false;
}

static void warn_near(struct sms_spend *spend, struct period *period)
{
	/* Caps are at most 10^15 millionths: a hundred of them fit. */
	if (period->cap > 0 && period->spent * 100 >= period->cap * spend->alarm_percent)
		alarm_once(spend, period, &period->alarmed,
			   "text messages have cost most of what they may");
}

/* ---- from outside */

struct now {
	char day[16], month[16];
	int64_t day_spent, month_spent;
};

/* The store is asked before the lock is taken. */
static int look(struct sms_spend *spend, struct now *ret_now, struct mx_error *err)
{
	int64_t now_ms = mx_now_ms();
	int rc;

	name_of(now_ms, DAY_LEN, ret_now->day);
	name_of(now_ms, MONTH_LEN, ret_now->month);
	rc = sms_spend_db_sum(spend->store, ret_now->day, &ret_now->day_spent, err);
	if (rc == 0)
		rc = sms_spend_db_sum(spend->store, ret_now->month, &ret_now->month_spent, err);
	return rc;
}

static void take_over(struct sms_spend *spend, const struct now *now)
{
	roll(&spend->day, now->day);
	roll(&spend->month, now->month);
	raise_spent(&spend->day, now->day_spent);
	raise_spent(&spend->month, now->month_spent);
}

static int ask(struct sms_spend *spend, int64_t micros, bool reserve, struct mx_error *err)
{
	struct now now;
	bool fits;
	int rc = look(spend, &now, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&spend->lock);
	take_over(spend, &now);
	fits = has_room(spend, &spend->day, micros) && has_room(spend, &spend->month, micros);
	if (fits && reserve)
		spend->reserved += micros;
	pthread_mutex_unlock(&spend->lock);
	if (fits)
		return 0;
	return mx_fail(err, MX_DESTINATION_REJECTED, "No more text messages are sent for now");
}

int sms_spend_check(struct sms_spend *spend, int64_t micros, struct mx_error *err)
{
	return ask(spend, micros, false, err);
}

int sms_spend_begin(struct sms_spend *spend, int64_t micros, struct mx_error *err)
{
	return ask(spend, micros, true, err);
}

void sms_spend_end(struct sms_spend *spend, int64_t micros, bool is_spent)
{
	pthread_mutex_lock(&spend->lock);
	spend->reserved -= micros;
	if (is_spent) {
		raise_spent(&spend->day, spend->day.spent + micros);
		raise_spent(&spend->month, spend->month.spent + micros);
		warn_near(spend, &spend->day);
		warn_near(spend, &spend->month);
	}
	pthread_mutex_unlock(&spend->lock);
}

void sms_spend_note(struct store_txn *txn, const char *country, int64_t micros)
{
	int64_t now_ms = mx_now_ms();
	char day[16], month[16], before[16];

	name_of(now_ms, DAY_LEN, day);
	name_of(now_ms, MONTH_LEN, month);
	name_of(now_ms - KEPT_DAYS * MX_DAY_MS, DAY_LEN, before);
	sms_spend_db_add(txn, day, country, micros);
	sms_spend_db_add(txn, month, country, micros);
	sms_spend_db_forget(txn, before);
}

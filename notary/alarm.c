#include "notary/alarm.h"

#include "notary/inspect.h"
#include "notary/notary.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "shared/keys/key_history.h"
#include "shared/keys/own_keys.h"
#include "shared/net/net.h"

#include <pthread.h>

#define CONFLICTS_TOLD 1000
#define AUDIT_ROWS     200
/* What is stamped with a time may be committed a little later: only what is older is told. */
#define SETTLE_MS (2 * MX_SECOND_MS)

struct problem {
	char *why; /* NULL = all is well */
	bool told;
};

struct alarm {
	struct notary *notary;
	char *url;
	int64_t told_until_ms; /* what happened up to then was delivered */
	struct mx_metric *delivered, *failed;
	pthread_mutex_t lock; /* problems */
	struct problem problems[ALARM_PROBLEMS];
};

struct alarm *alarm_new(struct notary *notary, const char *url)
{
	static const char name[] = "notary_alarms_total";
	static const char help[] = "Messages to the alarm address";
	struct alarm *alarm = mx_calloc(1, sizeof(*alarm));

	alarm->notary = notary;
	alarm->url = url ? mx_strdup(url) : NULL;
	alarm->told_until_ms = mx_now_ms();
	alarm->delivered = mx_counter_new(notary->metrics, name, help, "result=\"delivered\"");
	alarm->failed = mx_counter_new(notary->metrics, name, help, "result=\"failed\"");
	pthread_mutex_init(&alarm->lock, NULL);
	return alarm;
}

void alarm_free(struct alarm *alarm)
{
	if (!alarm)
		return;
	for (size_t i = 0; i < ALARM_PROBLEMS; i++)
		mx_free(alarm->problems[i].why);
	pthread_mutex_destroy(&alarm->lock);
	mx_free(alarm->url);
	mx_free(alarm);
}

void alarm_problem(struct alarm *alarm, enum alarm_problem what, const char *why)
{
	struct problem *problem = &alarm->problems[what];

	pthread_mutex_lock(&alarm->lock);
	if (!why || !streq(problem->why, why)) {
		mx_free(problem->why);
		*problem = (struct problem){ .why = why ? mx_strdup(why) : NULL };
	}
	pthread_mutex_unlock(&alarm->lock);
}

/* ---- news */

struct news {
	int64_t after_ms, until_ms; /* what happened in between */
	json_t *conflicts, *compromised, *problems;
};

static void news_done(struct news *news)
{
	json_decref(news->conflicts);
	json_decref(news->compromised);
	json_decref(news->problems);
}

static bool is_new(const struct news *news, int64_t at_ms)
{
	return at_ms > news->after_ms && at_ms <= news->until_ms;
}

static void add_conflicts(struct alarm *alarm, struct mx_arena *mem, struct news *news)
{
	struct key_conflict *conflicts;
	struct key_history_stats stats;
	size_t len;

	key_history_stats(alarm->notary->history, &stats);
	if (stats.conflicts == 0 ||
	    key_history_conflicts(alarm->notary->history, mx_slice(""), CONFLICTS_TOLD, mem,
				  &conflicts, &len, NULL))
		return;
	for (size_t i = 0; i < len; i++)
		if (is_new(news, conflicts[i].first_seen_ms))
			json_array_append_new(news->conflicts, inspect_conflict(&conflicts[i]));
}

static void add_compromised(struct alarm *alarm, struct mx_arena *mem, struct news *news)
{
	struct key_audit *rows;
	size_t len;

	if (key_history_audit(alarm->notary->history, AUDIT_ROWS, mem, &rows, &len, NULL))
		return;
	for (size_t i = 0; i < len; i++)
		if (mx_slice_is(rows[i].what, "compromised") && is_new(news, rows[i].at_ms))
			json_array_append_new(
				news->compromised,
				json_pack("{s:s%, s:s%, s:I}", "server", rows[i].server.ptr,
					  rows[i].server.len, "key_id", rows[i].reason.ptr,
					  rows[i].reason.len, "at_ts", (json_int_t)rows[i].at_ms));
}

static void add_problems(struct alarm *alarm, struct news *news)
{
	static const char *const names[] = {
		[ALARM_KEY_FILES] = "key_files",
		[ALARM_OWN_KEYS] = "own_keys",
	};

	pthread_mutex_lock(&alarm->lock);
	for (size_t i = 0; i < ALARM_PROBLEMS; i++)
		if (alarm->problems[i].why && !alarm->problems[i].told)
			json_array_append_new(news->problems,
					      json_pack("{s:s, s:s}", "what", names[i], "why",
							alarm->problems[i].why));
	pthread_mutex_unlock(&alarm->lock);
}

static bool is_any(const struct news *news)
{
	return json_array_size(news->conflicts) + json_array_size(news->compromised) +
		       json_array_size(news->problems) >
	       0;
}

/* What came up while the message was under way is another problem. */
static void mark_told(struct alarm *alarm, const struct news *news)
{
	json_t *told;
	size_t i;

	pthread_mutex_lock(&alarm->lock);
	json_array_foreach (news->problems, i, told)
		for (size_t k = 0; k < ALARM_PROBLEMS; k++)
			if (streq(alarm->problems[k].why, jstr(told, "why")))
				alarm->problems[k].told = true;
	pthread_mutex_unlock(&alarm->lock);
}

/* ---- telling */

static bool deliver(struct alarm *alarm, const struct news *news)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	json_auto_t *message = json_pack("{s:s, s:O, s:O, s:O}", "server_name",
					 own_keys_server_name(alarm->notary->own), "conflicts",
					 news->conflicts, "compromised", news->compromised,
					 "problems", news->problems);
	mx_autofree char *text = mx_json_text(message);
	const struct net_request request = {
		.method = "POST", .url = alarm->url, .headers = headers, .body = mx_slice(text)
	};
	mx_arena_auto *mem = mx_arena_new(0);
	struct net_response response;

	net_fetch(alarm->notary->net, &request, mem, &response);
	if (response.rc == 0 && response.status / 100 == 2) {
		mx_metric_add(alarm->delivered, 1);
		return true;
	}
	mx_metric_add(alarm->failed, 1);
	mx_log(MX_LOG_ERROR, "the alarm is not delivered, trying again", "url", alarm->url, "why",
	       response.rc ? mx_error_text(&response.err, response.rc) : "its answer is no success",
	       NULL);
	return false;
}

void alarm_look(struct alarm *alarm)
{
	struct news news = { .after_ms = alarm->told_until_ms,
			     .until_ms = mx_now_ms() - SETTLE_MS,
			     .conflicts = json_array(),
			     .compromised = json_array(),
			     .problems = json_array() };
	mx_arena_auto *mem = mx_arena_new(0);

	if (alarm->url) {
		add_conflicts(alarm, mem, &news);
		add_compromised(alarm, mem, &news);
		add_problems(alarm, &news);
	}
	if (!is_any(&news) || deliver(alarm, &news)) {
		mark_told(alarm, &news);
		if (news.until_ms > alarm->told_until_ms)
			alarm->told_until_ms = news.until_ms;
	}
	news_done(&news);
}

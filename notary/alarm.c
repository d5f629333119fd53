#include "notary/alarm.h"

#include "notary/inspect.h"
#include "notary/notary.h"
#include "notary/own_keys.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/log.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "shared/keys/key_history.h"
#include "shared/net/net.h"

#define CONFLICTS_TOLD 1000

struct alarm {
	struct notary *notary;
	char *url;
	int64_t told_until_ms; /* conflicts last seen up to then were delivered */
};

struct alarm *alarm_new(struct notary *notary, const char *url)
{
	struct alarm *alarm = mx_calloc(1, sizeof(*alarm));

	alarm->notary = notary;
	alarm->url = url ? mx_strdup(url) : NULL;
	alarm->told_until_ms = mx_now_ms();
	return alarm;
}

void alarm_free(struct alarm *alarm)
{
	if (!alarm)
		return;
	mx_free(alarm->url);
	mx_free(alarm);
}

/* Conflicts since the last delivery, as a JSON array; NULL if there are none. */
static json_t *news(struct alarm *alarm)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_conflict *conflicts;
	json_t *list = NULL;
	size_t len;

	if (key_history_conflicts(alarm->notary->history, mx_slice(""), CONFLICTS_TOLD, mem,
				  &conflicts, &len, NULL))
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (conflicts[i].last_seen_ms <= alarm->told_until_ms)
			continue;
		if (!list)
			list = json_array();
		json_array_append_new(list, inspect_conflict(&conflicts[i]));
	}
	return list;
}

static bool deliver(struct alarm *alarm, json_t *conflicts)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	json_auto_t *message = json_pack("{s:s, s:O}", "server_name",
					 own_keys_server_name(alarm->notary->own), "conflicts",
					 conflicts);
	mx_autofree char *text = mx_json_text(message);
	const struct net_request request = {
		.method = "POST", .url = alarm->url, .headers = headers, .body = mx_slice(text)
	};
	mx_arena_auto *mem = mx_arena_new(0);
	struct net_response response;

	net_fetch(alarm->notary->net, &request, mem, &response);
	if (response.rc == 0 && response.status / 100 == 2)
		return true;
	mx_log(MX_LOG_ERROR, "the alarm is not delivered, trying again", "url", alarm->url, "why",
	       response.rc ? response.err.text : "its answer is no success", NULL);
	return false;
}

void alarm_look(struct alarm *alarm)
{
	struct key_history_stats stats;
	json_auto_t *conflicts = NULL;
	int64_t now_ms = mx_now_ms();

	key_history_stats(alarm->notary->history, &stats);
	if (!alarm->url || stats.conflicts == 0)
		return;
	conflicts = news(alarm);
	if (!conflicts || deliver(alarm, conflicts))
		alarm->told_until_ms = now_ms - 1;
}

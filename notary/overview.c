#include "notary/overview.h"

#include "notary/budget.h"
#include "notary/inspect.h"
#include "notary/notary.h"
#include "notary/refresh.h"
#include "notary/seal.h"
#include "notary/trust.h"
#include "shared/core/arena.h"
#include "shared/core/metrics.h"
#include "shared/core/time.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"
#include "shared/keys/own_keys.h"

static json_t *counts_json(struct notary *notary)
{
	struct key_history_stats stats;

	key_history_stats(notary->history, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "servers",
			 (json_int_t)stats.servers, "versions", (json_int_t)stats.versions,
			 "conflicts", (json_int_t)stats.conflicts, "kept_fresh",
			 (json_int_t)refresh_count(notary->refresh), "cached",
			 (json_int_t)stats.cached_entries, "in_flight",
			 (json_int_t)key_fetch_in_flight(notary->fetcher), "backed_off",
			 (json_int_t)key_fetch_backed_off(notary->fetcher), "decisions",
			 (json_int_t)trust_count(notary->trust));
}

static json_t *worst_json(struct notary *notary, bool slow, size_t max)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_fetch_state *states = mx_arena_calloc(mem, max + 1, sizeof(*states));
	size_t len = key_fetch_worst(notary->fetcher, slow, states, max, mem);
	json_t *list = json_array();

	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, inspect_fetch(&states[i]));
	return list;
}

static json_t *budget_json(struct notary *notary)
{
	return json_pack("{s:I, s:I}", "left", (json_int_t)budget_left(notary->budget), "askers",
			 (json_int_t)budget_askers(notary->budget));
}

json_t *overview_json(struct notary *notary, size_t worst)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "server_name",
			 own_keys_server_name(notary->own), "version", TRINITY_VERSION, "now_ts",
			 (json_int_t)mx_now_ms(), "uptime_s",
			 (json_int_t)((mx_mono_ms() - notary->started_mono_ms) / MX_SECOND_MS),
			 "keys_valid_until_ts", (json_int_t)own_keys_valid_until_ms(notary->own),
			 "keys", seal_list(notary->seal), "budget", budget_json(notary), "counts",
			 counts_json(notary), "slow", worst_json(notary, true, worst), "failing",
			 worst_json(notary, false, worst));
}

/* ---- gauges: what the modules do not count themselves */

static double read_uptime(void *ctx)
{
	const struct notary *notary = ctx;

	return (double)(mx_mono_ms() - notary->started_mono_ms) / MX_SECOND_MS;
}

static double read_kept_fresh(void *ctx)
{
	return (double)refresh_count(((struct notary *)ctx)->refresh);
}

static double read_decisions(void *ctx)
{
	return (double)trust_count(((struct notary *)ctx)->trust);
}

static double read_own_validity(void *ctx)
{
	int64_t valid_until_ms = own_keys_valid_until_ms(((struct notary *)ctx)->own);

	return (double)(valid_until_ms - mx_now_ms()) / MX_SECOND_MS;
}

static double read_budget_left(void *ctx)
{
	return budget_left(((struct notary *)ctx)->budget);
}

static double read_askers(void *ctx)
{
	return (double)budget_askers(((struct notary *)ctx)->budget);
}

void overview_metrics(struct notary *notary)
{
	static const struct {
		const char *name, *help;
		double (*read)(void *ctx);
	} gauges[] = {
		{ "notary_uptime_seconds", "Time since the start", read_uptime },
		{ "notary_kept_fresh", "Servers refreshed in the background", read_kept_fresh },
		{ "notary_decisions", "Servers that an operator denied or pinned", read_decisions },
		{ "notary_own_keys_valid_seconds", "How long the published key object is valid yet",
		  read_own_validity },
		{ "notary_cold_budget_left", "Unknown servers that may be asked for at once",
		  read_budget_left },
		{ "notary_cold_budget_askers", "Askers with a budget of their own", read_askers },
	};

	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		mx_gauge_fn(notary->metrics, gauges[i].name, gauges[i].help, "", gauges[i].read,
			    notary);
}

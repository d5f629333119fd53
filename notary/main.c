/* trinity-notary: start and stop order, reload. */
#include "notary/alarm.h"
#include "notary/budget.h"
#include "notary/commands.h"
#include "notary/notary.h"
#include "notary/notary_conf.h"
#include "notary/overview.h"
#include "notary/refresh.h"
#include "notary/routes.h"
#include "notary/seal.h"
#include "notary/trust.h"
#include "notary/warm.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/time.h"
#include "shared/crypto/ed25519.h"
#include "shared/daemon/daemon.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"
#include "shared/keys/own_keys.h"
#include "shared/store/store.h"

#define TABLES_MAX 32
/* An eighth of the configured cache is for the store's pages: entries in memory answer, pages only
 * load them. */
#define STORE_SHARE 8

static struct trust_lists lists_of(const struct notary_conf *conf)
{
	return (struct trust_lists){
		.allow = conf->trust.allow,
		.allow_len = conf->trust.allow_count,
		.deny = conf->trust.deny,
		.deny_len = conf->trust.deny_count,
		.one_signature = conf->trust.one_signature,
		.one_signature_len = conf->trust.one_signature_count,
	};
}

static struct budget_conf budget_of(const struct notary_conf *conf)
{
	return (struct budget_conf){
		.burst = conf->fetch.cold_burst,
		.per_minute = conf->fetch.cold_per_minute,
		.total_burst = conf->fetch.cold_total_burst,
		.total_per_minute = conf->fetch.cold_total_per_minute,
	};
}

static void set_limits(struct daemon *daemon, const struct notary_conf *conf)
{
	struct http_limit limits[LIMIT_COUNT] = { 0 };

	limits[LIMIT_QUERY].per_second = conf->limit.requests_per_second;
	limits[LIMIT_QUERY].burst = conf->limit.burst ? conf->limit.burst
						      : conf->limit.requests_per_second;
	limits[LIMIT_READ] = limits[LIMIT_QUERY];
	daemon_limits(daemon, limits);
}

static bool one_signature(void *ctx, struct mx_slice server)
{
	return trust_one_signature(ctx, server);
}

static void make_counters(struct notary *notary)
{
	static const char name[] = "notary_answers_total";
	static const char help[] = "Servers in queries, by how they were answered";
	struct mx_metrics *metrics = notary->metrics;

	notary->counters.warm = mx_counter_new(metrics, name, help, "how=\"warm\"");
	notary->counters.known = mx_counter_new(metrics, name, help, "how=\"known\"");
	notary->counters.fetched = mx_counter_new(metrics, name, help, "how=\"fetched\"");
	notary->counters.stale = mx_counter_new(metrics, name, help, "how=\"stale\"");
	notary->counters.missing = mx_counter_new(metrics, name, help, "how=\"missing\"");
	notary->counters.denied = mx_counter_new(metrics, name, help, "how=\"denied\"");
	notary->counters.budget = mx_counter_new(metrics, name, help, "how=\"over_budget\"");
	notary->counters.deadline = mx_counter_new(
		metrics, "notary_deadline_total",
		"Queries answered in part because their deadline passed", "");
}

static size_t cache_bytes(const struct notary *notary)
{
	return (size_t)notary->conf->daemon.cache_mb * 1024 * 1024;
}

static int open_store(struct daemon *daemon, struct notary *notary, struct mx_error *err)
{
	static const struct store_table *const own_tables[] = { &trust_table, &refresh_table,
								NULL };
	const struct store_table *tables[TABLES_MAX] = { 0 };
	const struct store_conf conf = {
		.tables = tables,
		.cache_bytes = cache_bytes(notary) / STORE_SHARE,
	};
	size_t len = 0;

	for (size_t i = 0; key_history_tables[i]; i++)
		tables[len++] = key_history_tables[i];
	for (size_t i = 0; own_tables[i]; i++)
		tables[len++] = own_tables[i];
	return daemon_store(daemon, &conf, &notary->store, err);
}

static int open_own_keys(struct notary *notary, struct mx_error *err)
{
	const struct own_keys_conf conf = {
		.server_name = notary->conf->server_name,
		.signing_file = notary->conf->keys.signing_file,
		.validity_ms = notary->conf->keys.validity_hours * MX_HOUR_MS,
	};
	struct seal_conf seal = { .countersign_file = notary->conf->keys.countersign_file };
	int rc = own_keys_new(&conf, &notary->own, err);

	seal.own = notary->own;
	return rc ? rc : seal_new(&seal, &notary->seal, err);
}

static int open_history(struct notary *notary, struct mx_error *err)
{
	const struct key_history_conf conf = {
		.store = notary->store,
		.cache_bytes = cache_bytes(notary) / STORE_SHARE * (STORE_SHARE - 1),
		.seal = seal_object,
		.seal_ctx = notary->seal,
		.seal_id = seal_id(notary->seal),
		.prepared_free = warm_free,
		.metrics = notary->metrics,
		.metrics_prefix = "notary",
	};

	return key_history_new(&conf, &notary->history, err);
}

static void open_fetcher(struct notary *notary)
{
	const struct key_fetch_conf conf = {
		.net = notary->net,
		.history = notary->history,
		.policy_any = one_signature,
		.ctx = notary->trust,
		.connect_ms = notary->conf->fetch.connect_ms,
		.total_ms = notary->conf->fetch.total_ms,
		.metrics = notary->metrics,
		.metrics_prefix = "notary",
	};

	notary->fetcher = key_fetcher_new(&conf);
}

/* A full disk keeps it out of the history, and nobody from asking: the refresher tries again. */
static int publish_own_keys(struct notary *notary, struct mx_error *err)
{
	int rc = own_keys_refresh(notary->own, notary->history, err);

	if (rc != -MX_STORE_FULL)
		return rc;
	mx_log(MX_LOG_WARN, "the disk is full: starting without recording the own key object",
	       NULL);
	return 0;
}

static int open_modules(struct daemon *daemon, struct notary *notary, struct mx_error *err)
{
	const struct trust_lists lists = lists_of(notary->conf);
	const struct budget_conf budget = budget_of(notary->conf);
	int rc = open_store(daemon, notary, err);

	if (rc == 0)
		rc = daemon_net(daemon, &notary->net, err);
	if (rc == 0)
		rc = open_own_keys(notary, err);
	if (rc == 0)
		rc = trust_new(notary->store, &lists, &notary->trust, err);
	if (rc == 0)
		rc = open_history(notary, err);
	if (rc)
		return rc;
	open_fetcher(notary);
	notary->budget = budget_new(&budget);
	notary->alarm = alarm_new(notary, notary->conf->alarm_url);
	overview_metrics(notary);
	rc = refresh_new(notary, &notary->refresh, err);
	return rc ? rc : publish_own_keys(notary, err);
}

static void notary_stop(void *ctx)
{
	struct notary *notary = ctx;

	refresh_stop(notary->refresh);
	if (notary->fetcher)
		key_fetch_save(notary->fetcher, NULL);
	key_fetcher_free(notary->fetcher);
	refresh_free(notary->refresh);
	alarm_free(notary->alarm);
	budget_free(notary->budget);
	key_history_free(notary->history);
	trust_free(notary->trust);
	seal_free(notary->seal);
	own_keys_free(notary->own);
	mx_free(notary);
}

static int notary_start(struct daemon *daemon, const void *conf, void **ret_ctx,
			struct mx_error *err)
{
	struct notary *notary = mx_calloc(1, sizeof(*notary));
	int rc;

	notary->conf = conf;
	notary->metrics = daemon_metrics(daemon);
	notary->started_mono_ms = mx_mono_ms();
	make_counters(notary);
	set_limits(daemon, conf);
	rc = open_modules(daemon, notary, err);
	if (rc) {
		notary_stop(notary);
		return rc;
	}
	refresh_start(notary->refresh);
	*ret_ctx = notary;
	return 0;
}

static void reload_keys(struct notary *notary)
{
	struct mx_error err = { 0 };

	if (seal_reload(notary->seal, &err) == 0) {
		alarm_problem(notary->alarm, ALARM_KEY_FILES, NULL);
		return;
	}
	mx_log(MX_LOG_ERROR, "the key files do not load, the old keys go on signing", "why",
	       err.text, NULL);
	alarm_problem(notary->alarm, ALARM_KEY_FILES, err.text);
}

/* Keys, lists and budgets; every entry is sealed again if the keys changed. */
static void notary_reload(void *ctx, const void *conf_ptr)
{
	const struct notary_conf *conf = conf_ptr;
	const struct trust_lists lists = lists_of(conf);
	const struct budget_conf budget = budget_of(conf);
	struct notary *notary = ctx;
	struct mx_error err = { 0 };

	trust_set_lists(notary->trust, &lists);
	budget_set(notary->budget, &budget);
	/* What is sealed while the keys change is sealed again: nobody can say with which. */
	key_history_reseal(notary->history, mx_slice(""));
	reload_keys(notary);
	key_history_reseal(notary->history, seal_id(notary->seal));
	if (refresh_reload(notary->refresh, conf->refresh.prefetch_file, &err))
		mx_log(MX_LOG_WARN, "the prefetch list is not read again, the old one stays", "why",
		       err.text, NULL);
}

/* The signing file is made at the first start; the others are only read. */
static void notary_paths(const void *conf_ptr, struct daemon_paths *paths)
{
	const struct notary_conf *conf = conf_ptr;

	daemon_path_add(paths, conf->keys.signing_file, DAEMON_PATH_WRITE | DAEMON_PATH_BACKUP);
	daemon_path_add(paths, conf->keys.countersign_file, DAEMON_PATH_BACKUP);
	daemon_path_add(paths, conf->refresh.prefetch_file, 0);
}

static const char *const fixed_keys[] = {
	"server_name",  "keys",  "query",     "fetch.connect_ms", "fetch.total_ms",
	"refresh.days", "limit", "alarm_url", "status_page",      NULL,
};

static const struct daemon_command *const commands[] = { notary_commands, NULL };

static const struct daemon_app app = {
	.name = "trinity-notary",
	.default_conf = "/etc/trinity/notary.yaml",
	.conf_schema = &notary_conf_schema,
	.conf_check = notary_conf_check,
	.fixed_keys = fixed_keys,
	.paths = notary_paths,
	.start = notary_start,
	.reload = notary_reload,
	.stop = notary_stop,
	.routes = notary_routes,
	.admin_routes = notary_admin_routes,
	.commands = commands,
};

int main(int argc, char **argv)
{
	mx_crypto_init();
	return daemon_main(&app, argc, argv);
}

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/time.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/log_setup.h"
#include "shared/daemon/notify.h"
#include "shared/daemon/process_metrics.h"
#include "shared/daemon/state.h"
#include "shared/http/spool.h"
#include "shared/net/net.h"
#include "shared/store/store.h"

#include <unistd.h>

/* What is not over by then is cut off; systemd and the like kill a little later. */
#define STOP_SECONDS 10

/* ---- what start() of the app asks for */

struct mx_metrics *daemon_metrics(struct daemon *daemon)
{
	return daemon->metrics;
}

int daemon_store(struct daemon *daemon, const struct store_conf *conf, struct store **ret_store,
		 struct mx_error *err)
{
	const struct daemon_conf *values = conf_values(daemon->conf);
	struct store_conf full = *conf;
	int rc;

	full.directory = mx_arena_strf(daemon->mem, "%s/store", values->data_directory);
	if (!full.metrics)
		full.metrics = daemon->metrics;
	rc = store_open(&full, &daemon->store, err);
	if (rc == 0)
		*ret_store = daemon->store;
	return rc;
}

static const char *const *list_of(const struct daemon *daemon, char *const *texts, unsigned len)
{
	const char **list = mx_arena_calloc(daemon->mem, len + 1u, sizeof(*list));

	for (unsigned i = 0; i < len; i++)
		list[i] = mx_arena_strdup(daemon->mem, texts[i]);
	return list;
}

static const char *kept_text(const struct daemon *daemon, const char *text)
{
	return text ? mx_arena_strdup(daemon->mem, text) : NULL;
}

int daemon_net(struct daemon *daemon, struct net **ret_net, struct mx_error *err)
{
	const struct daemon_conf *values = conf_values(daemon->conf);
	const struct net_conf conf = {
		.allow = list_of(daemon, values->outbound.allow, values->outbound.allow_count),
		.deny = list_of(daemon, values->outbound.deny, values->outbound.deny_count),
		.dns_servers = kept_text(daemon, values->outbound.dns_servers),
		.ca_file = kept_text(daemon, values->outbound.ca_file),
		.transfers_max = values->outbound.transfers,
		.user_agent = "Trinity/" TRINITY_VERSION,
		.metrics = daemon->metrics,
	};
	int rc = net_new(&conf, &daemon->net, err);

	if (rc == 0)
		*ret_net = daemon->net;
	return rc;
}

void daemon_limits(struct daemon *daemon, const struct http_limit limits[LIMIT_COUNT])
{
	memcpy(daemon->limits, limits, sizeof(daemon->limits));
	if (daemon->server)
		http_server_set_limits(daemon->server, limits);
}

void daemon_routes(struct daemon *daemon, const struct route *const *routes)
{
	daemon->routes = routes;
}

void daemon_authenticate(struct daemon *daemon, int (*authenticate)(struct req *r))
{
	daemon->authenticate = authenticate;
}

void daemon_pass(struct daemon *daemon, int (*pass)(struct req *r))
{
	daemon->pass = pass;
}

void daemon_contact(struct daemon *daemon, const char *(*admin_contact)(struct req *r))
{
	daemon->admin_contact = admin_contact;
}

void daemon_tree(struct daemon *daemon, const struct daemon_tree *tree)
{
	daemon->tree = *tree;
}

int daemon_spool(struct daemon *daemon, uint64_t (*max)(void *ctx), struct mx_error *err)
{
	const struct daemon_conf *values = conf_values(daemon->conf);

	daemon->spool_directory = mx_arena_strf(daemon->mem, "%s/spool", values->data_directory);
	daemon->spool_max = max;
	return spool_prepare(daemon->spool_directory, err);
}

/* ---- life */

static struct daemon *daemon_new(const struct daemon_app *app, struct conf *conf)
{
	struct daemon *daemon = mx_calloc(1, sizeof(*daemon));

	daemon->app = app;
	daemon->routes = app->routes;
	daemon->conf = daemon->first_conf = conf;
	daemon->mem = mx_arena_new(0);
	daemon->metrics = mx_metrics_new();
	daemon->data_lock = -1;
	daemon->started_ms = mx_now_ms();
	daemon->started_mono_ms = mx_mono_ms();
	pthread_mutex_init(&daemon->reload_lock, NULL);
	daemon_paths_collect(app, conf, &daemon->paths);
	process_metrics_add(daemon->metrics, app->name, daemon->started_ms);
	return daemon;
}

static void daemon_free(struct daemon *daemon)
{
	if (daemon->data_lock >= 0)
		close(daemon->data_lock);
	daemon_paths_done(&daemon->paths);
	mx_metrics_free(daemon->metrics);
	pthread_mutex_destroy(&daemon->reload_lock);
	mx_arena_free(daemon->mem);
	for (size_t i = 0; i < daemon->retired.len; i++)
		conf_free(daemon->retired.items[i].conf);
	mx_vec_done(&daemon->retired);
	if (daemon->conf != daemon->first_conf)
		conf_free(daemon->conf);
	conf_free(daemon->first_conf);
	mx_free(daemon);
}

/* Store and outbound client are opened by the app's start(), in that order. */
static int start(struct daemon *daemon, struct mx_error *err)
{
	const struct daemon_conf *values = conf_values(daemon->conf);
	int rc = data_directory_take(values->data_directory, &daemon->data_lock, err);

	if (rc)
		return rc;
	backup_clear(values->data_directory);
	sandbox_enter(daemon);
	rc = daemon->app->start(daemon, values, &daemon->ctx, err);
	if (rc)
		return rc;
	daemon->app_started = true;
	return listeners_start(daemon, err);
}

/* Backwards; also after a start that failed half-way. */
static void stop(struct daemon *daemon)
{
	daemon->phase = PHASE_STOPPING;
	signals_deadline(STOP_SECONDS);
	notify_send("STOPPING=1");
	listeners_stop(daemon);
	if (daemon->app_started)
		daemon->app->stop(daemon->ctx);
	if (daemon->net)
		net_free(daemon->net);
	if (daemon->store)
		store_close(daemon->store);
}

static void say_ready(struct daemon *daemon)
{
	daemon->phase = PHASE_READY;
	notify_send("READY=1");
	mx_log(MX_LOG_INFO, "ready", "daemon", daemon->app->name, "version", TRINITY_VERSION,
	       "took_ms", mx_log_num(mx_mono_ms() - daemon->started_mono_ms), "seccomp",
	       daemon->seccomp ? "on" : "off", "landlock", mx_log_num(daemon->landlock), NULL);
}

int daemon_run(const struct daemon_app *app, struct conf *conf)
{
	struct daemon *daemon = daemon_new(app, conf);
	struct mx_error err = { 0 };
	int rc;

	log_setup_by(conf_values(conf));
	privileges_limit();
	signals_block();
	rc = start(daemon, &err);
	if (rc == 0) {
		say_ready(daemon);
		signals_serve(daemon);
		mx_log(MX_LOG_INFO, "stopping", NULL);
	} else {
		mx_log(MX_LOG_ERROR, "the daemon cannot start", "why", mx_error_text(&err, rc),
		       NULL);
	}
	stop(daemon);
	if (rc == 0)
		mx_log(MX_LOG_INFO, "stopped", NULL);
	daemon_free(daemon);
	return rc ? 1 : 0;
}

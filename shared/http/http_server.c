#include "shared/http/http_server.h"

#include "shared/core/alloc.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/tls.h"
#include "shared/http/dispatch.h"
#include "shared/http/exchange.h"
#include "shared/http/gate_limit.h"
#include "shared/http/lanes.h"
#include "shared/http/listener.h"
#include "shared/http/park.h"
#include "shared/http/server.h"
#include "shared/schema/schema.h"

#include <microhttpd.h>
#include <time.h>
#include <unistd.h>

#define NET_THREADS             32
#define CONNECTIONS_MAX         16384
#define CONNECTIONS_PER_ADDRESS 256
#define HEADER_DEADLINE_MS      (10 * MX_SECOND_MS)
#define BODY_DEADLINE_MS        (30 * MX_SECOND_MS)
#define IDLE_MS                 (60 * MX_SECOND_MS)
#define STOP_POLL_MS            5

static struct http_conf with_defaults(const struct http_conf *given)
{
	struct http_conf conf = *given;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned cpus = cores > 0 ? (unsigned)cores : 1;

	conf.io_threads = conf.io_threads ? conf.io_threads : cpus;
	conf.work_threads = conf.work_threads ? conf.work_threads : 2 * cpus;
	conf.net_threads = conf.net_threads ? conf.net_threads : NET_THREADS;
	conf.connections_max = conf.connections_max ? conf.connections_max : CONNECTIONS_MAX;
	conf.connections_per_address = conf.connections_per_address ? conf.connections_per_address
								    : CONNECTIONS_PER_ADDRESS;
	conf.header_deadline_ms = conf.header_deadline_ms ? conf.header_deadline_ms
							  : HEADER_DEADLINE_MS;
	conf.body_deadline_ms = conf.body_deadline_ms ? conf.body_deadline_ms : BODY_DEADLINE_MS;
	conf.idle_ms = conf.idle_ms ? conf.idle_ms : IDLE_MS;
	return conf;
}

/* ---- routes */

static int check_route(struct http_server *server, struct route_entry *entry, struct mx_error *err)
{
	const struct route *route = entry->route;

	if (route->auth != AUTH_NONE && !server->app.authenticate)
		return mx_fail(err, MX_BAD_CONFIG, "%s needs an authenticator", route->path);
	if (route->txn != TXN_NONE && !server->app.store)
		return mx_fail(err, MX_BAD_CONFIG, "%s needs a store", route->path);
	if ((route->flags & ROUTE_SPOOL) && !server->app.spool_directory)
		return mx_fail(err, MX_BAD_CONFIG, "%s needs a directory for bodies", route->path);
	if (!route->body || (route->flags & ROUTE_RAW_BODY))
		return 0;
	entry->body = mx_schema_find(route->body);
	if (!entry->body)
		return mx_fail(err, MX_BAD_CONFIG, "%s: there is no schema %s", route->path,
			       route->body);
	return 0;
}

static int check_routes(struct http_server *server, struct mx_error *err)
{
	for (unsigned i = 0; i < router_len(server->router); i++) {
		int rc = check_route(server, router_entry(server->router, i), err);

		if (rc)
			return rc;
	}
	return 0;
}

/* ---- metrics */

static double read_connections(void *ctx)
{
	return conn_count(((struct http_server *)ctx)->conns);
}

static double read_refused(void *ctx)
{
	return (double)conn_refused_count(((struct http_server *)ctx)->conns);
}

static double read_late(void *ctx)
{
	return (double)conn_late_count(((struct http_server *)ctx)->conns);
}

static double read_parked(void *ctx)
{
	return park_parked(((struct http_server *)ctx)->park);
}

static double read_work_queue(void *ctx)
{
	return lanes_queued(((struct http_server *)ctx)->lanes, LANE_WORK);
}

static double read_net_queue(void *ctx)
{
	return lanes_queued(((struct http_server *)ctx)->lanes, LANE_NET);
}

static const struct {
	const char *name, *help, *labels;
	double (*read)(void *ctx);
} gauges[] = {
	{ "http_connections", "Open connections", "", read_connections },
	{ "http_connections_refused", "Connections refused by a cap, since start", "",
	  read_refused },
	{ "http_connections_late", "Connections closed by a deadline, since start", "", read_late },
	{ "http_parked", "Long polls that wait", "", read_parked },
	{ "http_queued", "Requests that wait for a thread", "lane=\"work\"", read_work_queue },
	{ "http_queued", "Requests that wait for a thread", "lane=\"net\"", read_net_queue },
};

static char *metric_name(const struct http_server *server, const char *name)
{
	const char *prefix = server->app.metrics_prefix;

	return mx_strf("%s_%s", prefix ? prefix : "mx", name);
}

static void add_answers(struct http_server *server)
{
	static const char *const methods[ROUTE_METHODS] = { "", "GET", "POST", "PUT", "DELETE" };
	unsigned routes = router_len(server->router) + 1;
	mx_autofree char *name = metric_name(server, "http_requests_total");

	server->answers = mx_calloc(routes * STATUS_CLASSES, sizeof(*server->answers));
	for (unsigned i = 0; i < routes * STATUS_CLASSES; i++) {
		bool routed = i / STATUS_CLASSES + 1 < routes;
		const struct route *route =
			routed ? router_entry(server->router, i / STATUS_CLASSES)->route : NULL;
		mx_autofree char *labels = mx_strf(
			"route=\"%s %s\",code=\"%uxx\"", route ? methods[route->method] : "",
			route ? route->path : "", i % STATUS_CLASSES + 2);

		server->answers[i] = mx_counter_new(server->app.metrics, name,
						    "Answers by route and class", labels);
	}
}

static void add_counters(struct http_server *server)
{
	mx_autofree char *seconds = metric_name(server, "http_request_seconds");

	if (!server->app.metrics)
		return;
	add_answers(server);
	server->durations[0] = mx_histogram_new(server->app.metrics, seconds,
						"From the last byte in to the reply",
						"lane=\"work\"");
	server->durations[1] = mx_histogram_new(
		server->app.metrics, seconds, "From the last byte in to the reply", "lane=\"net\"");
}

/* Last: they ask the server whenever the page is written. */
static void add_gauges(struct http_server *server)
{
	for (size_t i = 0; server->app.metrics && i < sizeof(gauges) / sizeof(gauges[0]); i++) {
		mx_autofree char *name = metric_name(server, gauges[i].name);

		mx_gauge_fn(server->app.metrics, name, gauges[i].help, gauges[i].labels,
			    gauges[i].read, server);
	}
}

/* ---- start */

static void run_in_lane(struct exchange *ex, enum route_lane lane)
{
	dispatch_run(ex, lane);
}

/* What runs, not what we were built with. 0.9.77 was the last one before 1.0. */
static bool has_old_parser(void)
{
	return strverscmp(MHD_get_version(), "0.9.78") < 0;
}

static void start_parts(struct http_server *server, const struct http_conf *conf)
{
	const struct park_calls calls = { dispatch_again, dispatch_gone };
	const struct conn_limits limits = {
		.total = conf->connections_max,
		.per_address = conf->connections_per_address,
		.limit_loopback = conf->limit_loopback,
		.header_ms = conf->header_deadline_ms,
		.body_ms = conf->body_deadline_ms,
		.idle_ms = conf->idle_ms,
	};

	server->check_layout = has_old_parser();
	server->limiter = limiter_new(conf->limits);
	server->conns = conn_registry_new(&limits, &server->trusted);
	server->park = park_new(&calls);
	server->lanes = lanes_new(conf->work_threads, conf->net_threads, run_in_lane);
}

static int open_listeners(struct http_server *server, const struct http_conf *conf,
			  struct mx_error *err)
{
	server->listeners = mx_calloc(conf->listen_len, sizeof(*server->listeners));
	server->listeners_len = conf->listen_len;
	for (unsigned i = 0; i < conf->listen_len; i++)
		server->listeners[i].fd = -1;
	for (unsigned i = 0; i < conf->listen_len; i++) {
		const struct http_listen *where = &conf->listen[i];
		int rc = listener_open(&server->listeners[i], where, err);

		if (rc)
			return rc;
		if (where->tls && !conf->tls)
			return mx_fail(err, MX_BAD_CONFIG, "%s has TLS but no certificate",
				       where->address);
	}
	return 0;
}

static int start_listeners(struct http_server *server, const struct http_conf *conf,
			   struct mx_error *err)
{
	if (conf->tls) {
		(conf->peer_authorities ? mx_tls_serve_peers : mx_tls_serve)(conf->tls);
		gnutls_session_ticket_key_generate(&server->ticket_key);
	}
	for (unsigned i = 0; i < conf->listen_len; i++) {
		int rc = listener_start(&server->listeners[i], server, conf, conf->listen[i].tls,
					err);

		if (rc)
			return rc;
	}
	return 0;
}

static int prepare(struct http_server *server, const struct http_conf *conf, struct mx_error *err)
{
	int rc = router_new(server->app.routes, server->app.param_types, &server->router, err);

	for (const struct route_alias *a = server->app.aliases; rc == 0 && a && a->path; a++)
		rc = router_alias(server->router, a, err);
	if (rc)
		return rc;
	rc = check_routes(server, err);
	if (rc)
		return rc;
	if (!peer_ranges_load(conf->trusted_proxies, &server->trusted))
		return mx_fail(err, MX_BAD_CONFIG, "A trusted proxy is not an address range");
	return open_listeners(server, conf, err);
}

int http_server_start(const struct http_conf *given, const struct http_app *app,
		      struct http_server **ret_server, struct mx_error *err)
{
	struct http_conf conf = with_defaults(given);
	struct http_server *server = mx_calloc(1, sizeof(*server));
	int rc;

	server->app = *app;
	pthread_mutex_init(&server->name_lock, NULL);
	rc = prepare(server, &conf, err);
	if (rc == 0) {
		start_parts(server, &conf);
		add_counters(server);
		rc = start_listeners(server, &conf, err);
	}
	if (rc) {
		http_server_stop(server, 0);
		return rc;
	}
	add_gauges(server);
	*ret_server = server;
	return 0;
}

/* ---- stop */

static void sleep_ms(int64_t ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* Nothing tells when the last reply has left, and this happens once in a process. */
static void wait_quiet(struct http_server *server, int64_t grace_ms)
{
	int64_t until_ms = mx_mono_ms() + grace_ms;

	while (conn_active_count(server->conns) > 0 && mx_mono_ms() < until_ms)
		sleep_ms(STOP_POLL_MS);
}

/* Handlers and commits under way cannot be cut off: their memory is theirs. */
static void wait_resumed(struct http_server *server)
{
	while (park_suspended(server->park) > 0)
		sleep_ms(STOP_POLL_MS);
}

static void stop_parts(struct http_server *server, int64_t grace_ms)
{
	atomic_store(&server->stopping, true);
	for (unsigned i = 0; i < server->listeners_len; i++)
		listener_quiesce(&server->listeners[i]);
	park_close(server->park);
	wait_quiet(server, grace_ms);
	park_refuse(server->park);
	wait_resumed(server);
}

void http_server_stop(struct http_server *server, int64_t grace_ms)
{
	if (!server)
		return;
	if (server->park)
		stop_parts(server, grace_ms);
	for (unsigned i = 0; i < server->listeners_len; i++)
		listener_close(&server->listeners[i]);
	mx_free(server->listeners);
	lanes_free(server->lanes);
	park_free(server->park);
	conn_registry_free(server->conns);
	limiter_free(server->limiter);
	peer_ranges_done(&server->trusted);
	router_free(server->router);
	mx_free(server->answers);
	if (server->ticket_key.data) {
		gnutls_memset(server->ticket_key.data, 0, server->ticket_key.size);
		gnutls_free(server->ticket_key.data);
	}
	pthread_mutex_destroy(&server->name_lock);
	mx_free(server);
}

uint16_t http_server_port(const struct http_server *server, unsigned i)
{
	return server->listeners[i].port;
}

void http_server_set_limits(struct http_server *server, const struct http_limit limits[LIMIT_COUNT])
{
	limiter_set(server->limiter, limits);
}

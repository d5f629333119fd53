#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/daemon/admin.h"
#include "shared/daemon/admin_address.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/state.h"

#include <sys/resource.h>

#define PUBLIC_GRACE_MS 6000
#define ADMIN_GRACE_MS  1000

#define FILES_RESERVED 64

#define ADMIN_IO_THREADS   1
#define ADMIN_WORK_THREADS 2
#define ADMIN_NET_THREADS  4
#define ADMIN_CONNECTIONS  256

/* Copies: the configuration may be replaced while the listeners run. */
static const struct http_listen *copy_listen(const struct daemon *daemon,
					     const struct daemon_conf *values)
{
	struct http_listen *listen = mx_arena_calloc(daemon->mem, values->listen_count,
						     sizeof(*listen));

	for (unsigned i = 0; i < values->listen_count; i++)
		listen[i] = (struct http_listen){
			.address = mx_arena_strdup(daemon->mem, values->listen[i].address),
			.port = values->listen[i].port,
			.tls = values->listen[i].tls,
		};
	return listen;
}

static const char *const *copy_texts(const struct daemon *daemon, char *const *texts, unsigned len)
{
	const char **copy = mx_arena_calloc(daemon->mem, len + 1u, sizeof(*copy));

	for (unsigned i = 0; i < len; i++)
		copy[i] = mx_arena_strdup(daemon->mem, texts[i]);
	return copy;
}

/* "trinity-notary" counts as "notary". */
static const char *metrics_prefix(const struct daemon *daemon)
{
	const char *dash = strchr(daemon->app->name, '-');

	return dash ? dash + 1 : daemon->app->name;
}

static void log_listening(const struct http_server *server, const struct http_listen *listen,
			  unsigned len, const char *what)
{
	for (unsigned i = 0; i < len; i++)
		mx_log(MX_LOG_INFO, what, "address", listen[i].address, "port",
		       mx_starts_with(listen[i].address, "unix:")
			       ? NULL
			       : mx_log_num(http_server_port(server, i)),
		       "tls", listen[i].tls ? "true" : "false", NULL);
}

static int start_admin(struct daemon *daemon, struct mx_error *err)
{
	const struct daemon_conf *values = conf_values(daemon->conf);
	struct admin_address address;
	struct http_listen listen = { 0 };
	const struct http_conf conf = {
		.listen = &listen,
		.listen_len = 1,
		.io_threads = ADMIN_IO_THREADS,
		.work_threads = ADMIN_WORK_THREADS,
		.net_threads = ADMIN_NET_THREADS,
		.connections_max = ADMIN_CONNECTIONS,
	};
	const struct http_app app = {
		.ctx = daemon->ctx,
		.routes = admin_routes(daemon),
		.param_types = daemon->app->param_types,
		.authenticate = admin_guard,
		.store = daemon->store,
		.metrics = daemon->metrics,
		.metrics_prefix = mx_arena_strf(daemon->mem, "%s_admin", metrics_prefix(daemon)),
	};
	int rc = admin_address_parse(values->admin, &address, err);

	if (rc)
		return rc;
	listen.address = mx_arena_strdup(daemon->mem, address.host);
	listen.port = address.port;
	rc = http_server_start(&conf, &app, &daemon->admin, err);
	if (rc == 0)
		log_listening(daemon->admin, &listen, 1, "admin listener is open");
	return rc;
}

/* At its own limit libmicrohttpd stops accepting; at the process's it spins. So some descriptors
 * stay free for the store, the log and the outbound client. */
static unsigned connections_by_files(const struct daemon_conf *values)
{
	struct rlimit limit;
	rlim_t taken = FILES_RESERVED + values->outbound.transfers, most;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return values->http.connections;
	most = limit.rlim_cur > 2 * taken ? limit.rlim_cur - taken : limit.rlim_cur / 4;
	if (values->http.connections <= most)
		return values->http.connections;
	mx_log(MX_LOG_WARN, "fewer connections than configured: the limit of open files is low",
	       "connections", mx_log_num((int64_t)most), "files",
	       mx_log_num((int64_t)limit.rlim_cur), NULL);
	return (unsigned)most;
}

static int start_public(struct daemon *daemon, struct mx_error *err)
{
	const struct daemon_conf *values = conf_values(daemon->conf);
	struct http_conf conf = {
		.listen = copy_listen(daemon, values),
		.listen_len = values->listen_count,
		.tls = daemon->tls,
		.io_threads = values->http.io_threads,
		.work_threads = values->http.work_threads,
		.net_threads = values->http.net_threads,
		.connections_max = connections_by_files(values),
		.connections_per_address = values->http.connections_per_address,
		.trusted_proxies = copy_texts(daemon, values->http.trusted_proxies,
					      values->http.trusted_proxies_count),
	};
	const struct http_app app = {
		.ctx = daemon->ctx,
		.routes = daemon->routes,
		.aliases = daemon->app->aliases,
		.param_types = daemon->app->param_types,
		.authenticate = daemon->authenticate,
		.pass = daemon->pass,
		.spool_directory = daemon->spool_directory,
		.spool_max = daemon->spool_max,
		.admin_contact = daemon->admin_contact,
		.store = daemon->store,
		.metrics = daemon->metrics,
		.metrics_prefix = metrics_prefix(daemon),
		.plural_missing = daemon->app->plural_missing,
		.plus_is_blank = daemon->app->plus_is_blank,
	};
	int rc;

	memcpy(conf.limits, daemon->limits, sizeof(conf.limits));
	rc = http_server_start(&conf, &app, &daemon->server, err);
	if (rc == 0)
		log_listening(daemon->server, conf.listen, conf.listen_len, "listening");
	return rc;
}

int listeners_start(struct daemon *daemon, struct mx_error *err)
{
	int rc = certificate_load(daemon, err);

	if (rc == 0)
		rc = start_admin(daemon, err);
	if (rc == 0)
		rc = start_public(daemon, err);
	return rc;
}

void listeners_stop(struct daemon *daemon)
{
	if (daemon->server)
		http_server_stop(daemon->server, PUBLIC_GRACE_MS);
	if (daemon->admin)
		http_server_stop(daemon->admin, ADMIN_GRACE_MS);
	daemon->server = daemon->admin = NULL;
	certificate_free(daemon);
}

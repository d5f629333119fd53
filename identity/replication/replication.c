#include "identity/replication/replication.h"

#include "identity/binding/binding.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/replication/peers.h"
#include "identity/replication/replication_db.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/crypto/tls.h"
#include "shared/daemon/files.h"
#include "shared/http/http_server.h"
#include "shared/net/net.h"
#include "shared/store/store.h"

#define AUTHORITIES_MAX    (4u * 1024 * 1024)
#define SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

#define CONNECTIONS 256
#define THREADS     2
#define GRACE_MS    2000

/* ---- from peers */

static int load_authorities(struct replication *replication, struct mx_error *err)
{
	const char *file = replication->conf->ca_file;
	size_t len;

	if (file_read(file ? file : SYSTEM_AUTHORITIES, AUTHORITIES_MAX, &replication->authorities,
		      &len, NULL))
		return mx_fail(err, MX_BAD_CONFIG, "replication.ca_file: %s cannot be read",
			       file ? file : SYSTEM_AUTHORITIES);
	return 0;
}

static int start_server(struct replication *replication, struct mx_error *err)
{
	static const struct route *const routes[] = { replication_routes, NULL };
	struct identity *identity = replication->identity;
	const struct http_listen listen = {
		.address = replication->conf->address,
		.port = replication->conf->port,
		.tls = true,
	};
	const struct http_conf conf = {
		.listen = &listen,
		.listen_len = 1,
		.tls = replication->tls,
		.peer_authorities = replication->authorities,
		.io_threads = 1,
		.work_threads = THREADS,
		.net_threads = 1,
		.connections_max = CONNECTIONS,
	};
	const struct http_app app = {
		.ctx = identity,
		.routes = routes,
		.store = identity->store,
		.metrics = identity->metrics,
		.metrics_prefix = "identity_replication",
	};
	int rc = http_server_start(&conf, &app, &replication->server, err);

	if (rc == 0)
		mx_log(MX_LOG_INFO, "peers may push", "address", listen.address, "port",
		       mx_log_num(listen.port), NULL);
	return rc;
}

static int open_server(struct replication *replication, struct mx_error *err)
{
	int rc;

	if (!replication->conf->port)
		return 0;
	rc = load_authorities(replication, err);
	return rc ? rc : start_server(replication, err);
}

/* ---- to peers */

/* The addresses of peers are the operator's word: private ones are usual. */
static int open_net(struct replication *replication, struct mx_error *err)
{
	static const char *const everywhere[] = { "0.0.0.0/0", "::/0", NULL };
	const struct replication_conf *conf = replication->conf;
	const struct net_conf net = {
		.allow = everywhere,
		.dns_servers = replication->identity->conf->daemon.outbound.dns_servers,
		.ca_file = conf->ca_file,
		.certificate_file = conf->certificate,
		.key_file = conf->key,
		.transfers_max = REPLICATION_PEERS_MAX,
		.user_agent = "Trinity/" TRINITY_VERSION,
	};

	return net_new(&net, &replication->net, err);
}

/* On the committer's thread. */
static void log_changed(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct replication *replication = ctx;

	(void)key;
	(void)value;
	for (unsigned i = 0; i < replication->conf->peers_count; i++)
		if (replication->pushers[i])
			pusher_wake(replication->pushers[i]);
}

static void start_pushers(struct replication *replication)
{
	const struct replication_conf *conf = replication->conf;

	replication->pushers = mx_calloc(conf->peers_count + 1u, sizeof(*replication->pushers));
	for (unsigned i = 0; i < conf->peers_count; i++)
		if (conf->peers[i].url)
			replication->pushers[i] = pusher_start(replication, i);
	store_watch(replication->identity->store, &binding_log_table, log_changed, replication);
}

static void stop_pushers(struct replication *replication)
{
	if (!replication->pushers)
		return;
	store_watch(replication->identity->store, &binding_log_table, NULL, NULL);
	for (unsigned i = 0; i < replication->conf->peers_count; i++)
		if (replication->pushers[i])
			pusher_stop(replication->pushers[i]);
	mx_free(replication->pushers);
}

/* ---- life */

static void add_metrics(struct replication *replication, struct mx_metrics *metrics)
{
	if (!metrics)
		return;
	replication->received = mx_counter_new(metrics, "identity_replication_received_total",
					       "Associations that peers have pushed", "");
	replication->refused = mx_counter_new(metrics, "identity_replication_refused_total",
					      "Associations of peers that do not verify", "");
}

static int open_parts(struct replication *replication, struct mx_error *err)
{
	const struct replication_conf *conf = replication->conf;
	int rc = mx_tls_load(conf->certificate, conf->key, &replication->tls, err);

	if (rc == 0)
		rc = open_net(replication, err);
	if (rc == 0)
		rc = open_server(replication, err);
	if (rc == 0)
		start_pushers(replication);
	return rc;
}

int replication_open(struct identity *identity, struct replication **ret_replication,
		     struct mx_error *err)
{
	const struct replication_conf *conf = &identity->conf->replication;
	struct replication *replication;
	int rc;

	if (!conf->port && !conf->peers_count)
		return 0;
	replication = mx_calloc(1, sizeof(*replication));
	replication->identity = identity;
	replication->conf = conf;
	add_metrics(replication, identity->metrics);
	/* Before the first request, which looks there. */
	*ret_replication = replication;
	rc = open_parts(replication, err);
	if (rc) {
		*ret_replication = NULL;
		replication_close(replication);
	}
	return rc;
}

void replication_reload(struct replication *replication)
{
	struct mx_error err = { 0 };

	if (replication && mx_tls_reload(replication->tls, &err))
		mx_log(MX_LOG_ERROR,
		       "the certificate of replication does not load, the old one "
		       "stays",
		       "why", err.text, NULL);
}

void replication_close(struct replication *replication)
{
	if (!replication)
		return;
	http_server_stop(replication->server, GRACE_MS);
	stop_pushers(replication);
	if (replication->net)
		net_free(replication->net);
	mx_tls_free(replication->tls);
	mx_free(replication->authorities);
	mx_free(replication);
}

uint64_t replication_told(const struct identity *identity)
{
	const struct replication_conf *conf = &identity->conf->replication;
	uint64_t told = UINT64_MAX, position;

	for (unsigned i = 0; i < conf->peers_count; i++) {
		if (!conf->peers[i].url)
			continue;
		if (replication_db_position(identity->store, conf->peers[i].name, &position, NULL))
			return 0;
		if (position < told)
			told = position;
	}
	return told;
}

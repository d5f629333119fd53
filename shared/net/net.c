#include "shared/net/net.h"

#include "shared/core/alloc.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/net/cidr.h"
#include "shared/net/dns.h"
#include "shared/net/job.h"
#include "shared/net/state.h"
#include "shared/net/transfer.h"
#include "shared/net/trust.h"
#include "shared/net/wellknown.h"

#include <dlfcn.h>
#include <signal.h>

#define TRANSFERS_MAX   256
#define PER_ADDRESS_MAX 2
#define CONNECTIONS_MAX 64L /* kept alive for reuse */
#define USER_AGENT      "Trinity"

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

/* libcurl starts libssh2 for protocols that nobody here speaks, and that starts all of OpenSSL:
 * 1.3 MiB. Who starts it first says how much of it there shall be. */
static void ssh_start_bare(void)
{
	const int without_crypto = 1; /* LIBSSH2_INIT_NO_CRYPTO */
	int (*start)(int flags) = (int (*)(int))dlsym(RTLD_DEFAULT, "libssh2_init");

	if (start)
		start(without_crypto);
}

static void curl_start(void)
{
	ssh_start_bare();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct net *net = ctx;

	(void)easy, (void)socket_ctx;
	net_loop_watch(&net->loop,
		       (struct net_ready){
			       .fd = fd,
			       .owner = NET_SOCKET_CURL,
			       .readable = what != CURL_POLL_REMOVE && (what & CURL_POLL_IN),
			       .writable = what != CURL_POLL_REMOVE && (what & CURL_POLL_OUT) });
	return 0;
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
	struct net *net = ctx;

	(void)multi;
	net->curl_due_ms = timeout_ms < 0 ? -1 : mx_mono_ms() + timeout_ms;
	return 0;
}

static void ready_handle(struct net *net, const struct net_ready *ready)
{
	int mask = 0, running;

	if (ready->owner == NET_SOCKET_DNS) {
		net_dns_ready(net->dns, ready);
		return;
	}
	mask |= ready->readable ? CURL_CSELECT_IN : 0;
	mask |= ready->writable ? CURL_CSELECT_OUT : 0;
	mask |= ready->failed ? CURL_CSELECT_ERR : 0;
	curl_multi_socket_action(net->multi, ready->fd, mask, &running);
}

static void curl_tick(struct net *net)
{
	int running;

	if (net->curl_due_ms < 0 || mx_mono_ms() < net->curl_due_ms)
		return;
	net->curl_due_ms = -1;
	curl_multi_socket_action(net->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static void collect_finished(struct net *net)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(net->multi, &left))) {
		struct net_transfer *transfer = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		net_transfer_finish(transfer, result);
	}
}

static void take_submitted(struct net *net)
{
	struct net_link *link, *jobs = &net->jobs;
	struct net_link taken;

	net_list_init(&taken);
	pthread_mutex_lock(&net->lock);
	while ((link = net_list_pop(&net->submitted)))
		net_list_push(&taken, link);
	net->stopping = net->stop_asked;
	pthread_mutex_unlock(&net->lock);
	while ((link = net_list_pop(&taken)))
		net_job_start(net_entry(link, struct net_job, link));
	if (!net->stopping)
		return;
	for (link = jobs->next; link != jobs; link = link->next)
		net_task_wake(&net->loop, &net_entry(link, struct net_job, link)->task);
}

static int64_t earlier(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

/* Everything that can be done without waiting; then when to come back. */
static int64_t work(struct net *net)
{
	int64_t due, now;

	curl_tick(net);
	collect_finished(net);
	take_submitted(net);
	due = net_timers_fire(&net->loop, mx_mono_ms());
	net_loop_run(&net->loop);
	now = mx_mono_ms();
	due = earlier(due, net_dns_tick(net->dns, now));
	due = earlier(due, net->curl_due_ms);
	mx_metric_set(net->running, net->slots.total);
	mx_metric_set(net->waiting, net->slots.waiting);
	if (net->stopping || !net_list_empty(&net->loop.runnable))
		return 0;
	if (due < 0)
		return -1;
	return due > now ? due - now : 0;
}

static bool is_over(struct net *net)
{
	bool over;

	if (!net->stopping || !net_list_empty(&net->jobs))
		return false;
	pthread_mutex_lock(&net->lock);
	over = net_list_empty(&net->submitted);
	pthread_mutex_unlock(&net->lock);
	return over;
}

static void *thread_main(void *ctx)
{
	struct net *net = ctx;

	mx_thread_yields(); /* handshakes with strangers are long */
	while (!is_over(net)) {
		struct net_ready ready[NET_READY_MAX];
		size_t len = net_loop_poll(&net->loop, work(net), ready);

		for (size_t i = 0; i < len; i++)
			ready_handle(net, &ready[i]);
	}
	return NULL;
}

static int cidr_list(const char *const *texts, struct mx_cidr_set **ret_set, struct mx_error *err)
{
	size_t len = 0;

	while (texts && texts[len])
		len++;
	return mx_cidr_set_new(texts, len, ret_set, err);
}

static uint16_t *ports_copy(const uint16_t *ports)
{
	size_t len = 0;

	while (ports && ports[len])
		len++;
	return ports ? mx_memdup(ports, (len + 1) * sizeof(*ports)) : NULL;
}

static void metrics_init(struct net *net, struct mx_metrics *metrics)
{
	static const enum mx_code results[] = { MX_OK,        MX_REMOTE_FAILED, MX_REMOTE_TIMEOUT,
						MX_TOO_LARGE, MX_INVALID_PARAM, MX_ADDRESS_REFUSED,
						MX_BUSY };

	for (size_t i = 0; metrics && i < sizeof(results) / sizeof(results[0]); i++) {
		mx_autofree char *label = mx_strf("result=\"%s\"", mx_errc(results[i])->name);

		net->finished[results[i]] = mx_counter_new(metrics, "net_requests_total",
							   "Outbound requests by result", label);
	}
	if (!metrics)
		return;
	net->running = mx_gauge_new(metrics, "net_transfers_running",
				    "Outbound transfers under way", "");
	net->waiting = mx_gauge_new(metrics, "net_transfers_waiting",
				    "Outbound transfers that wait for a free slot", "");
	net->duration = mx_histogram_new(metrics, "net_request_seconds",
					 "Outbound requests from start to end", "");
}

static void multi_init(struct net *net)
{
	net->curl_due_ms = -1;
	net->multi = curl_multi_init();
	if (!net->multi)
		abort();
	curl_multi_setopt(net->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(net->multi, CURLMOPT_SOCKETDATA, net);
	curl_multi_setopt(net->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(net->multi, CURLMOPT_TIMERDATA, net);
	curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
}

static int parts_init(struct net *net, const struct net_conf *conf, struct mx_error *err)
{
	int rc = cidr_list(conf->allow, &net->allow, err);

	if (rc == 0)
		rc = cidr_list(conf->deny, &net->deny, err);
	if (rc == 0)
		rc = net_trust_new(conf->ca_file, &net->trust, err);
	if (rc == 0 && !net_loop_init(&net->loop))
		rc = mx_fail(err, MX_UNKNOWN, "No file descriptors left");
	if (rc == 0)
		rc = net_dns_new(&net->loop, conf->dns_servers, &net->dns, err);
	return rc;
}

int net_new(const struct net_conf *conf, struct net **ret_net, struct mx_error *err)
{
	struct net *net = mx_calloc(1, sizeof(*net));
	int rc;

	pthread_once(&curl_once, curl_start);
	pthread_mutex_init(&net->lock, NULL);
	net->loop.epoll_fd = net->loop.wake_fd = -1;
	net_list_init(&net->jobs);
	net_list_init(&net->submitted);
	net_slots_init(&net->slots, conf->transfers_max ? conf->transfers_max : TRANSFERS_MAX,
		       conf->per_address_max ? conf->per_address_max : PER_ADDRESS_MAX);
	net->low_ports = ports_copy(conf->low_ports);
	net->user_agent = mx_strdup(conf->user_agent ? conf->user_agent : USER_AGENT);
	if (conf->certificate_file) {
		net->certificate_file = mx_strdup(conf->certificate_file);
		net->key_file = mx_strdup(conf->key_file);
	}
	net->wellknown = net_wellknown_new(net, conf);
	metrics_init(net, conf->metrics);
	multi_init(net);
	rc = parts_init(net, conf, err);
	if (rc) {
		net_free(net);
		return rc;
	}
	net->thread = mx_thread_start("net", thread_main, net);
	net->thread_runs = true;
	*ret_net = net;
	return 0;
}

static void thread_stop(struct net *net)
{
	if (!net->thread_runs)
		return;
	pthread_mutex_lock(&net->lock);
	net->stop_asked = true;
	pthread_mutex_unlock(&net->lock);
	net_loop_interrupt(&net->loop);
	pthread_join(net->thread, NULL);
}

void net_free(struct net *net)
{
	if (!net)
		return;
	thread_stop(net);
	curl_multi_cleanup(net->multi);
	net_dns_free(net->dns);
	net_wellknown_free(net->wellknown);
	net_slots_done(&net->slots);
	net_trust_free(net->trust);
	net_loop_done(&net->loop);
	mx_cidr_set_free(net->allow);
	mx_cidr_set_free(net->deny);
	mx_free(net->low_ports);
	mx_free(net->user_agent);
	mx_free(net->certificate_file);
	mx_free(net->key_file);
	pthread_mutex_destroy(&net->lock);
	mx_free(net);
}

void net_start(struct net *net, const struct net_request *request, net_done_fn *done, void *ctx)
{
	net_job_submit(net_job_new(net, request, done, ctx));
}

#include "shared/net/wellknown.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/lru.h"
#include "shared/core/map.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/net/job.h"
#include "shared/net/state.h"
#include "shared/net/wellknown_answer.h"

#define MIN_MS          (5 * MX_MINUTE_MS)
#define MAX_MS          (48 * MX_HOUR_MS)
#define DEFAULT_MS      MX_DAY_MS
#define ERROR_MS        MX_HOUR_MS /* it said no, or something unusable */
#define RETRY_MS        (2 * MX_MINUTE_MS) /* it could not be asked; doubles */
#define USABLE_MS       (2 * MX_HOUR_MS) /* how long an old answer outlives failures */
#define REFRESH_PERCENT 80 /* of its time, then it is asked for again */
#define JITTER_PERCENT  10
#define CACHE_ENTRIES   20000

/* Less than a request has, so that a silent web server leaves time for SRV and port 8448. */
#define CONNECT_MS 3000
#define TOTAL_MS   4000
#define REDIRECTS  5
#define PORT_HTTPS 443

struct net_wellknown {
	struct net *net;
	int64_t min_ms, max_ms;
	uint16_t port;
	struct mx_lru *answers;
	struct mx_map flights;
};

/* A fetch under way, and who waits for it. */
struct flight {
	struct net_wellknown *wellknown;
	struct net_job *job;
	struct net_link waits;
	char *host;
};

static void delegation_free(void *ptr)
{
	struct net_delegation *delegation = ptr;

	mx_free(delegation->server);
	mx_free(delegation->reason);
	mx_free(delegation);
}

static void flight_free(void *ptr)
{
	struct flight *flight = ptr;

	mx_free(flight->host);
	mx_free(flight);
}

struct net_wellknown *net_wellknown_new(struct net *net, const struct net_conf *conf)
{
	struct net_wellknown *wellknown = mx_calloc(1, sizeof(*wellknown));

	wellknown->net = net;
	wellknown->min_ms = conf->wellknown_min_ms ? conf->wellknown_min_ms : MIN_MS;
	wellknown->max_ms = conf->wellknown_max_ms ? conf->wellknown_max_ms : MAX_MS;
	wellknown->port = conf->wellknown_port ? conf->wellknown_port : PORT_HTTPS;
	wellknown->answers = mx_lru_new(CACHE_ENTRIES, 0, delegation_free);
	return wellknown;
}

void net_wellknown_free(struct net_wellknown *wellknown)
{
	if (!wellknown)
		return;
	mx_map_done(&wellknown->flights, flight_free);
	mx_lru_free(wellknown->answers);
	mx_free(wellknown);
}

static int64_t at_most(int64_t value, int64_t max)
{
	return value < max ? value : max;
}

static void keep_for(struct net_delegation *delegation, int64_t now, int64_t lifetime)
{
	delegation->fresh_until_ms = now + lifetime;
	delegation->refresh_at_ms = delegation->fresh_until_ms;
	delegation->usable_until_ms = delegation->fresh_until_ms;
}

static void keep_valid(const struct net_wellknown *wellknown, struct net_delegation *delegation,
		       struct mx_slice headers)
{
	struct net_freshness fresh = net_wellknown_freshness(headers, mx_now_ms());
	int64_t lifetime = fresh.given ? fresh.lifetime_ms : mx_jitter(DEFAULT_MS, JITTER_PERCENT);
	int64_t now = mx_mono_ms();

	if (lifetime < wellknown->min_ms)
		lifetime = wellknown->min_ms;
	keep_for(delegation, now, at_most(lifetime, wellknown->max_ms));
	delegation->refresh_at_ms = now +
				    (delegation->fresh_until_ms - now) * REFRESH_PERCENT / 100;
	delegation->usable_until_ms += USABLE_MS;
}

/* Not its word but an accident: the old answer counts for longer. */
static bool is_passing(const struct net_response *response)
{
	if (response->rc)
		return response->rc != -MX_TOO_LARGE && response->rc != -MX_ADDRESS_REFUSED;
	return response->status >= 500 || response->status == 429;
}

static bool keep_old(const struct net_wellknown *wellknown, struct net_delegation *old)
{
	int64_t now = mx_mono_ms(), again = now + at_most(RETRY_MS, wellknown->max_ms);

	if (!old || !old->server || now >= old->usable_until_ms)
		return false;
	old->refresh_at_ms = again;
	if (old->fresh_until_ms < again)
		old->fresh_until_ms = again;
	return true;
}

static int64_t error_lifetime(const struct net_delegation *delegation, bool passing)
{
	int64_t lifetime = RETRY_MS;

	if (!passing)
		return mx_jitter(ERROR_MS, JITTER_PERCENT);
	for (unsigned i = 1; i < delegation->failures && lifetime < ERROR_MS; i++)
		lifetime *= 2;
	return mx_jitter(at_most(lifetime, ERROR_MS), JITTER_PERCENT);
}

static char *read_answer(const struct net_response *response, char **ret_server)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_error err = { 0 };
	const char *server;

	if (response->rc)
		return mx_strdup(mx_error_text(&response->err, response->rc));
	if (response->status != 200)
		return mx_strf("HTTP status %d", response->status);
	if (net_wellknown_parse(response->body, mem, &server, &err))
		return mx_strdup(mx_error_text(&err, -(int)err.code));
	*ret_server = mx_strdup(server);
	return NULL;
}

static void learn(struct flight *flight, const struct net_response *response)
{
	struct net_wellknown *wellknown = flight->wellknown;
	struct mx_slice host = mx_slice(flight->host);
	struct net_delegation *old = mx_lru_find(wellknown->answers, host);
	struct net_delegation *delegation;
	bool passing = is_passing(response);

	if (passing && keep_old(wellknown, old))
		return;
	delegation = mx_calloc(1, sizeof(*delegation));
	delegation->reason = read_answer(response, &delegation->server);
	if (delegation->server) {
		keep_valid(wellknown, delegation, mx_str_slice(&flight->job->cache_headers));
	} else {
		delegation->failures = (old ? old->failures : 0) + 1;
		keep_for(delegation, mx_mono_ms(),
			 at_most(error_lifetime(delegation, passing), wellknown->max_ms));
	}
	mx_lru_put(wellknown->answers, host, delegation, 1);
}

static void fetched(void *ctx, const struct net_response *response)
{
	struct flight *flight = ctx;
	struct net_wellknown *wellknown = flight->wellknown;

	if (!wellknown->net->stopping)
		learn(flight, response);
	net_wait_wake_all(&wellknown->net->loop, &flight->waits);
	mx_map_remove(&wellknown->flights, mx_slice(flight->host));
	flight_free(flight);
}

static struct flight *flight_start(struct net_wellknown *wellknown, const char *host)
{
	static const char *const headers[] = { "Accept: application/json", NULL };
	mx_autofree char *url = mx_strf("https://%s:%u/.well-known/matrix/server", host,
					(unsigned)wellknown->port);
	struct flight *flight = mx_calloc(1, sizeof(*flight));
	const struct net_request request = {
		.url = url,
		.headers = headers,
		.max_bytes = NET_WELLKNOWN_BYTES,
		.connect_ms = CONNECT_MS,
		.total_ms = TOTAL_MS,
		.redirects = REDIRECTS,
	};

	flight->wellknown = wellknown;
	flight->host = mx_strdup(host);
	net_list_init(&flight->waits);
	mx_map_put(&wellknown->flights, mx_slice(host), flight);
	flight->job = net_job_new(wellknown->net, &request, fetched, flight);
	net_job_start(flight->job);
	return flight;
}

const struct net_delegation *net_wellknown_ask(struct net_wellknown *wellknown, const char *host,
					       struct net_wait *wait, struct net_task *task)
{
	struct net_delegation *known = mx_lru_find(wellknown->answers, mx_slice(host));
	struct flight *flight = mx_map_find(&wellknown->flights, mx_slice(host));
	int64_t now = mx_mono_ms();
	bool fresh = known && now < known->fresh_until_ms;

	if (!flight && (!fresh || now >= known->refresh_at_ms))
		flight = flight_start(wellknown, host);
	if (fresh)
		return known;
	net_wait_add(&flight->waits, wait, task);
	return NULL;
}

#include "shared/net/dns.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/lru.h"
#include "shared/core/map.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>

#define QUERY_TIMEOUT_MS 700 /* of the first try; c-ares doubles it */
#define QUERY_TRIES      3
#define EDNS_BYTES       1232 /* fits every path without fragments */
#define IN_FLIGHT_MAX    256
#define CACHE_ENTRIES    10000

/* A lifetime of 0 must still reach those who wait for the answer. */
#define TTL_MIN_MS    MX_SECOND_MS
#define TTL_MAX_MS    MX_DAY_MS
#define NONE_TTL_MS   MX_MINUTE_MS
#define FAILED_TTL_MS (10 * MX_SECOND_MS)
#define STALE_MS      MX_HOUR_MS /* how long after its time an answer helps out */
#define STALE_TTL_MS  (30 * MX_SECOND_MS)

struct net_dns {
	struct net_loop *loop;
	ares_channel channel;
	struct mx_map lookups; /* wanted now, by key */
	struct net_link queue; /* those beyond IN_FLIGHT_MAX */
	unsigned in_flight;
	bool starting;
	struct mx_lru *answers;
};

struct lookup {
	struct net_link link; /* in the queue */
	struct net_dns *dns;
	struct net_link waits;
	enum net_dns_kind kind;
	char *key; /* a letter for the kind, and the name */
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_init(void)
{
	ares_library_init(ARES_LIB_INIT_ALL);
}

static void answer_free(void *ptr)
{
	struct net_dns_answer *answer = ptr;

	mx_free(answer->addresses);
	mx_free(answer->srvs);
	mx_free(answer);
}

static void lookup_free(void *ptr)
{
	struct lookup *lookup = ptr;

	mx_free(lookup->key);
	mx_free(lookup);
}

static void socket_changed(void *ctx, ares_socket_t fd, int readable, int writable)
{
	struct net_dns *dns = ctx;

	net_loop_watch(dns->loop,
		       (struct net_ready){ fd, NET_SOCKET_DNS, readable != 0, writable != 0 });
}

int net_dns_new(struct net_loop *loop, const char *servers, struct net_dns **ret_dns,
		struct mx_error *err)
{
	struct net_dns *dns = mx_calloc(1, sizeof(*dns));
	/* No search list: a peer's name must never turn into one of the local domain. */
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.timeout = QUERY_TIMEOUT_MS,
		.tries = QUERY_TRIES,
		.ednspsz = EDNS_BYTES,
		.sock_state_cb = socket_changed,
		.sock_state_cb_data = dns,
		.lookups = (char[]){ "b" },
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
		   ARES_OPT_SOCK_STATE_CB | (servers ? ARES_OPT_LOOKUPS : 0);

	pthread_once(&library_once, library_init);
	dns->loop = loop;
	net_list_init(&dns->queue);
	dns->answers = mx_lru_new(CACHE_ENTRIES, 0, answer_free);
	if (ares_init_options(&dns->channel, &options, mask) != ARES_SUCCESS) {
		net_dns_free(dns);
		return mx_fail(err, MX_BAD_CONFIG, "The resolver cannot be set up");
	}
	if (servers && ares_set_servers_ports_csv(dns->channel, servers) != ARES_SUCCESS) {
		net_dns_free(dns);
		return mx_fail(err, MX_BAD_CONFIG, "%.80s is no list of DNS servers", servers);
	}
	*ret_dns = dns;
	return 0;
}

void net_dns_free(struct net_dns *dns)
{
	if (!dns)
		return;
	while (net_list_pop(&dns->queue))
		continue;
	if (dns->channel)
		ares_destroy(dns->channel);
	mx_map_done(&dns->lookups, lookup_free);
	mx_lru_free(dns->answers);
	mx_free(dns);
}

/* What failed becomes the old answer again while that may still be used. */
static bool revive(struct net_dns *dns, struct mx_slice key, int64_t now)
{
	struct net_dns_answer *old = mx_lru_find(dns->answers, key);

	if (!old || old->status != NET_DNS_FOUND || now >= old->usable_until_ms)
		return false;
	old->stale = true;
	old->fresh_until_ms = now + STALE_TTL_MS;
	return true;
}

static int64_t lifetime(const struct net_dns_answer *answer, int64_t ttl_ms)
{
	if (answer->status == NET_DNS_NONE)
		return NONE_TTL_MS;
	if (answer->status == NET_DNS_FAILED)
		return FAILED_TTL_MS;
	if (ttl_ms > TTL_MAX_MS)
		return TTL_MAX_MS;
	return ttl_ms < TTL_MIN_MS ? TTL_MIN_MS : ttl_ms;
}

static void queue_start(struct net_dns *dns);

static void lookup_done(struct lookup *lookup, struct net_dns_answer *answer, int64_t ttl_ms)
{
	struct net_dns *dns = lookup->dns;
	struct mx_slice key = mx_slice(lookup->key);
	int64_t now = mx_mono_ms();

	answer->fresh_until_ms = now + lifetime(answer, ttl_ms);
	answer->usable_until_ms = answer->fresh_until_ms + STALE_MS;
	if (answer->status == NET_DNS_FAILED && revive(dns, key, now))
		answer_free(answer);
	else
		mx_lru_put(dns->answers, key, answer, 1);
	net_wait_wake_all(dns->loop, &lookup->waits);
	mx_map_remove(&dns->lookups, key);
	lookup_free(lookup);
	dns->in_flight--;
	queue_start(dns);
}

static struct net_dns_answer *answer_new(int status)
{
	struct net_dns_answer *answer = mx_calloc(1, sizeof(*answer));

	if (status == ARES_SUCCESS)
		return answer;
	answer->reason = ares_strerror(status);
	answer->status = NET_DNS_FAILED;
	if (status == ARES_ENODATA || status == ARES_ENOTFOUND || status == ARES_EBADNAME)
		answer->status = NET_DNS_NONE;
	return answer;
}

/* At most half of NET_DNS_ADDRESSES_MAX of each family, so that none crowds out the other. */
static void addresses_take(struct net_dns_answer *answer, const struct ares_addrinfo_node *node,
			   int64_t *ttl)
{
	size_t counts[2] = { 0 };

	answer->addresses = mx_calloc(NET_DNS_ADDRESSES_MAX, sizeof(answer->addresses[0]));
	for (; node; node = node->ai_next) {
		size_t *count = &counts[node->ai_family == AF_INET6];

		if (*count == NET_DNS_ADDRESSES_MAX / 2 ||
		    !net_address_from(node->ai_addr, &answer->addresses[answer->len]))
			continue;
		++*count;
		answer->len++;
		*ttl = node->ai_ttl < *ttl ? node->ai_ttl : *ttl;
	}
}

static void addresses_come(void *ctx, int status, int timeouts, struct ares_addrinfo *found)
{
	struct net_dns_answer *answer = answer_new(status);
	int64_t ttl = INT32_MAX;

	(void)timeouts;
	if (status == ARES_SUCCESS) {
		for (const struct ares_addrinfo_cname *c = found->cnames; c; c = c->next)
			ttl = c->ttl < ttl ? c->ttl : ttl;
		addresses_take(answer, found->nodes, &ttl);
	}
	if (found)
		ares_freeaddrinfo(found);
	if (status == ARES_SUCCESS && answer->len == 0) {
		answer->status = NET_DNS_NONE;
		answer->reason = ares_strerror(ARES_ENODATA);
	}
	lookup_done(ctx, answer, ttl * MX_SECOND_MS);
}

static void srv_come(void *ctx, int status, int timeouts, unsigned char *message, int len)
{
	struct net_dns_answer *answer = answer_new(status);
	uint32_t ttl = 0;

	(void)timeouts;
	if (status == ARES_SUCCESS) {
		answer->srvs = mx_calloc(NET_SRV_MAX, sizeof(answer->srvs[0]));
		if (!net_srv_parse(mx_slice_of(message, (size_t)len), answer->srvs, &answer->len,
				   &ttl)) {
			answer->status = NET_DNS_FAILED;
			answer->reason = "Malformed answer";
		} else if (answer->len == 0) {
			answer->status = NET_DNS_NONE;
			answer->reason = ares_strerror(ARES_ENODATA);
		}
	}
	lookup_done(ctx, answer, ttl * MX_SECOND_MS);
}

static void lookup_start(struct lookup *lookup)
{
	const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
						   .ai_socktype = SOCK_STREAM };
	struct net_dns *dns = lookup->dns;
	const char *name = lookup->key + 1;

	if (lookup->kind == NET_DNS_SRV)
		ares_query(dns->channel, name, ns_c_in, ns_t_srv, srv_come, lookup);
	else
		ares_getaddrinfo(dns->channel, name, NULL, &hints, addresses_come, lookup);
}

static void queue_start(struct net_dns *dns)
{
	struct net_link *link;

	/* Look-ups may end at once and come back here: one loop for all of them. */
	if (dns->starting)
		return;
	dns->starting = true;
	while (dns->in_flight < IN_FLIGHT_MAX && (link = net_list_pop(&dns->queue))) {
		dns->in_flight++;
		lookup_start(net_entry(link, struct lookup, link));
	}
	dns->starting = false;
}

static struct lookup *lookup_new(struct net_dns *dns, enum net_dns_kind kind, const char *key)
{
	struct lookup *lookup = mx_calloc(1, sizeof(*lookup));

	lookup->dns = dns;
	lookup->kind = kind;
	lookup->key = mx_strdup(key);
	net_list_init(&lookup->waits);
	mx_map_put(&dns->lookups, mx_slice(key), lookup);
	net_list_push(&dns->queue, &lookup->link);
	return lookup;
}

const struct net_dns_answer *net_dns_ask(struct net_dns *dns, enum net_dns_kind kind,
					 const char *name, struct net_wait *wait,
					 struct net_task *task)
{
	mx_autofree char *key = mx_strf("%c%s", kind == NET_DNS_SRV ? 'S' : 'A', name);
	const struct net_dns_answer *answer = mx_lru_find(dns->answers, mx_slice(key));
	struct lookup *lookup;

	if (answer && mx_mono_ms() < answer->fresh_until_ms)
		return answer;
	lookup = mx_map_find(&dns->lookups, mx_slice(key));
	if (!lookup)
		lookup = lookup_new(dns, kind, key);
	net_wait_add(&lookup->waits, wait, task);
	queue_start(dns);
	return NULL;
}

void net_dns_ready(struct net_dns *dns, const struct net_ready *ready)
{
	ares_process_fd(dns->channel, ready->readable ? ready->fd : ARES_SOCKET_BAD,
			ready->writable ? ready->fd : ARES_SOCKET_BAD);
}

int64_t net_dns_tick(struct net_dns *dns, int64_t mono_ms)
{
	struct timeval due;

	if (dns->in_flight == 0)
		return -1;
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	if (!ares_timeout(dns->channel, NULL, &due))
		return -1;
	return mono_ms + due.tv_sec * MX_SECOND_MS + due.tv_usec / 1000 + 1;
}

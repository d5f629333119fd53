/* Names to addresses and SRV records, by c-ares, with a cache. Network thread only. */
#pragma once

#include "shared/net/address.h"
#include "shared/net/loop.h"
#include "shared/net/srv.h"

struct mx_error;
struct net_dns;

enum net_dns_kind { NET_DNS_ADDRESSES, NET_DNS_SRV };

enum net_dns_status {
	NET_DNS_FOUND,
	NET_DNS_NONE, /* the name or the kind of record does not exist */
	NET_DNS_FAILED, /* nobody could say */
};

#define NET_DNS_ADDRESSES_MAX 8

struct net_dns_answer {
	enum net_dns_status status;
	const char *reason; /* if not found: a text that lives for ever */
	bool stale; /* too old, but the servers fail */
	int64_t fresh_until_ms, usable_until_ms;
	size_t len;
	struct net_address *addresses; /* one of these two, by kind */
	struct net_srv *srvs;
};

/* servers: "192.0.2.1:53,…", NULL = the system's. -MX_BAD_CONFIG if they are no such list. */
int net_dns_new(struct net_loop *loop, const char *servers, struct net_dns **ret_dns,
		struct mx_error *err);
void net_dns_free(struct net_dns *dns);

/* The answer if it is known, borrowed until the next call; or NULL: then task is woken when it
 * has come, and asks again. */
const struct net_dns_answer *net_dns_ask(struct net_dns *dns, enum net_dns_kind kind,
					 const char *name, struct net_wait *wait,
					 struct net_task *task);

void net_dns_ready(struct net_dns *dns, const struct net_ready *ready);

/* Time-outs; when to call it again, -1 if nothing is under way. */
int64_t net_dns_tick(struct net_dns *dns, int64_t mono_ms);

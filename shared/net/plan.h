/* Where a request goes: what discovery or an URL comes to. Network thread only. */
#pragma once

#include "shared/net/dns.h"

#include <jansson.h>

#define NET_PLACES_MAX      4
#define NET_HOST_MAX        256
#define NET_HOST_HEADER_MAX 264

/* What a step returns that has to wait: its task is woken, and it is run again from its start. */
enum { NET_PENDING = 1 };

struct net_place {
	uint16_t port;
	size_t len;
	struct net_address addresses[NET_DNS_ADDRESSES_MAX];
};

struct net_plan {
	char host[NET_HOST_MAX]; /* that the certificate is for; no brackets, no port */
	char host_header[NET_HOST_HEADER_MAX];
	size_t len;
	struct net_place places[NET_PLACES_MAX]; /* in the order of trying */
};

/* Somebody who looks for a place, over several runs. */
struct net_search {
	struct net *net;
	struct net_task *task;
	struct net_wait waits[NET_PLACES_MAX];
	uint32_t seed; /* makes the choice among SRV records the same in every run */
	json_t *steps; /* what was found on the way, for people; may be NULL */
};

void net_search_cancel(struct net_search *search);

/* The permitted addresses of a host name or literal; the port is set by the caller. slot: which
 * of the search's waits to use. NET_PENDING, -MX_REMOTE_FAILED or -MX_ADDRESS_REFUSED. */
int net_place_find(struct net_search *search, unsigned slot, const char *host,
		   struct net_place *ret_place, struct mx_error *err);

/* Whether a port that a peer named may be contacted. */
bool net_port_permitted(const struct net *net, uint16_t port);

/* The whole discovery. NET_PENDING, -MX_INVALID_PARAM for what is no server name, and as
 * above. */
int net_discover(struct net_search *search, const char *server, struct net_plan *ret_plan,
		 struct mx_error *err);

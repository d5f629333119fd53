/* SRV records: reading them from a DNS answer, and the order in which targets are tried.
 * RFC 2782. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_SRV_TARGET_MAX 256
#define NET_SRV_MAX        16 /* what lies behind is not looked at */

struct net_srv {
	uint16_t priority, weight, port;
	char target[NET_SRV_TARGET_MAX]; /* "" is the root: there is no such service */
};

/* The SRV records of a DNS message, at most NET_SRV_MAX, and the smallest of their lifetimes.
 * Records whose target is no host name are left out. False if the message is malformed. */
bool net_srv_parse(struct mx_slice message, struct net_srv ret_srvs[NET_SRV_MAX], size_t *ret_len,
		   uint32_t *ret_ttl);

/* By priority, and by chance within one priority, in proportion to the weights.
 * below(ctx, n) gives a number from 0 to n - 1. */
void net_srv_order(struct net_srv *srvs, size_t len, uint32_t (*below)(void *ctx, uint32_t bound),
		   void *ctx);

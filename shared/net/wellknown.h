/* What names delegate to by /.well-known/matrix/server: fetched, and kept as its caching headers
 * ask, within bounds. Network thread only. */
#pragma once

#include "shared/net/loop.h"

struct net;
struct net_conf;
struct net_wellknown;

struct net_delegation {
	char *server; /* a valid server name; NULL = it does not delegate */
	char *reason; /* then why */
	int64_t refresh_at_ms, fresh_until_ms, usable_until_ms;
	unsigned failures; /* in a row */
};

struct net_wellknown *net_wellknown_new(struct net *net, const struct net_conf *conf);
void net_wellknown_free(struct net_wellknown *wellknown);

/* Borrowed until the next call. NULL: task is woken when it is known, and asks again. */
const struct net_delegation *net_wellknown_ask(struct net_wellknown *wellknown, const char *host,
					       struct net_wait *wait, struct net_task *task);

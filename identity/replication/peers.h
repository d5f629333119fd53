/* The peers, and what the parts of this folder share about them. */
#pragma once

#include "identity/replication/replication_conf.h"
#include "shared/http/route.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct http_server;
struct identity;
struct mx_metric;
struct mx_tls;
struct net;
struct pusher;

struct replication {
	struct identity *identity;
	const struct replication_conf *conf;
	struct net *net;
	struct mx_tls *tls;
	char *authorities; /* PEM of ca_file; as long as the server */
	struct http_server *server; /* NULL: peers cannot push */
	struct pusher **pushers; /* for each peer; NULL for those without a URL */
	struct mx_metric *received, *refused; /* associations */
};

/* push_in.c: what peers ask; r->app is the identity, whose replication this is. */
extern const struct route replication_routes[];

/* push_out.c: begins to push to conf->peers[i]. */
struct pusher *pusher_start(struct replication *replication, unsigned i);
/* Ours have changed. Any thread. */
void pusher_wake(struct pusher *pusher);
/* What is under way is cut short: it is pushed again by the next start. */
void pusher_stop(struct pusher *pusher);

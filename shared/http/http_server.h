/* Listeners and the dispatcher: libmicrohttpd moves bytes, the gates decide in one order.
 * Header gate → route → body cap and deadline → authenticate → rate limit → path and query
 * types → JSON scan → schema → handler → commit → reply; the first refusal answers. */
#pragma once

#include "shared/core/error.h"
#include "shared/http/route.h"

#include <stdbool.h>
#include <stdint.h>

struct http_server;
struct mx_metrics;
struct mx_tls;
struct req;
struct store;

struct http_limit {
	double per_second; /* 0 = not limited */
	double burst;
};

struct http_listen {
	const char *address; /* "127.0.0.1", "::", or "unix:/path" (mode 0660) */
	uint16_t port; /* 0 = any; see http_server_port() */
	bool tls;
};

struct http_conf {
	const struct http_listen *listen;
	unsigned listen_len;
	struct mx_tls *tls; /* needed if a listener has tls; borrowed */
	const char *peer_authorities; /* PEM, or NULL: clients of listeners with tls are asked for
					 a certificate, see req_certificate(). A process
					 has one such server */
	unsigned io_threads; /* 0 = cores */
	unsigned work_threads; /* 0 = 2 × cores */
	unsigned net_threads; /* 0 = 32 */
	unsigned connections_max; /* 0 = 16,384 */
	unsigned connections_per_address; /* 0 = 256; loopback is not limited by it… */
	bool limit_loopback; /* …unless this is set */
	int64_t header_deadline_ms; /* 0 = 10 s, from the connection's or last reply's end */
	int64_t body_deadline_ms; /* 0 = 30 s */
	int64_t idle_ms; /* 0 = 60 s between requests */
	struct http_limit limits[LIMIT_COUNT]; /* per client address, or per user once known */
	const char *const *trusted_proxies; /* CIDRs, NULL-ended: X-Forwarded-For counts */
};

struct http_app {
	void *ctx; /* r->app */
	const struct route *const *routes; /* NULL-ended list of tables, each ended by { 0 } */
	const struct route_alias *aliases; /* ended by { 0 }; NULL: none */
	const struct param_type *param_types; /* ended by { 0 }; "server_name", "user_id",
						 "room_id", "event_id", "key_id" are built in */
	/* Fills user, device, origin, or refuses. Runs in the row's lane; for LANE_IO rows it may
	 * return -MX_MOVE_WORK. NULL: rows may only have AUTH_NONE. */
	int (*authenticate)(struct req *r);
	/* The last gate, after the schema: 0, or why the handler is not run; -MX_PARK to be run
	 * again itself. NULL: none. */
	int (*pass)(struct req *r);
	struct store *store; /* NULL: rows may only have TXN_NONE */
	struct mx_metrics *metrics; /* may be NULL; its page asks the running
				       server: not to be written after the stop */
	const char *metrics_prefix; /* "notary" */
	bool plural_missing; /* M_MISSING_PARAMS, and M_BAD_JSON also for what is no JSON:
				identity service */
	bool plus_is_blank; /* in queries: so browsers' URLSearchParams writes blanks. Else '+'
			       is itself, as in the addresses that people are looked up by */
	const char *server_header; /* NULL = none is sent */
	const char *spool_directory; /* its own, see spool_prepare(); NULL: no row may have
					ROUTE_SPOOL */
	uint64_t (*spool_max)(void *ctx); /* bytes of one body */
	/* Whom people may turn to when there is no room: a URI, for `admin_contact`; of r->mem or
	 * of what lives longer. With it, rows for browsers answer MX_STORE_FULL as clients expect
	 * it. NULL: nobody is named. */
	const char *(*admin_contact)(struct req *r);
};

/* Returns with all listeners open. -MX_BAD_CONFIG if an address cannot be used. */
int http_server_start(const struct http_conf *conf, const struct http_app *app,
		      struct http_server **ret_server, struct mx_error *err);

/* Stops accepting, lets requests under way end (at most grace_ms, parked ones are run with
 * timed_out), then frees all. */
void http_server_stop(struct http_server *server, int64_t grace_ms);

/* The real port of listener i. */
uint16_t http_server_port(const struct http_server *server, unsigned i);

/* Rates may change while it runs (reload); everything else needs a restart. */
void http_server_set_limits(struct http_server *server,
			    const struct http_limit limits[LIMIT_COUNT]);

/* The one outbound HTTP client: deadline, size cap, verified TLS, and a filter on the address
 * that each connection really goes to. One thread drives all transfers and DNS look-ups. */
#pragma once

#include "shared/core/error.h"
#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_cidr_set;
struct mx_metrics;
struct net;

struct net_conf {
	const char *const *allow, *const *deny; /* CIDRs, NULL-ended or NULL */
	const char *dns_servers; /* "127.0.0.1:5353,…"; NULL = the system's */
	const char *ca_file; /* NULL = the system's */
	const char *certificate_file, *key_file; /* PEM, or both NULL: shown to servers that ask who
						    the client is; read at every connection */
	unsigned transfers_max; /* 0 = 256 at once; the others wait */
	unsigned per_address_max; /* 0 = 2 at once to one IP address */
	/* Ports of federation names that may be contacted besides 443, 8448 and 1024–65535;
	 * 0-ended, may be NULL. */
	const uint16_t *low_ports;
	/* Well-known answers: bounds of what a peer's caching headers may ask; 0 = the defaults
	 * 5 min, 48 h; 24 h without headers, 1 h for errors. */
	int64_t wellknown_min_ms, wellknown_max_ms;
	uint16_t wellknown_port; /* 0 = 443; tests have to do without it */
	const char *user_agent; /* NULL = "Trinity" */
	struct mx_metrics *metrics;
};

int net_new(const struct net_conf *conf, struct net **ret_net, struct mx_error *err);
/* Calls under way end with -MX_BUSY. */
void net_free(struct net *net);

struct net_request {
	const char *method; /* NULL = GET */
	const char *url; /* https:// or http://; or instead of it: */
	const char *server; /* a Matrix server name, found by discovery, with */
	const char *target; /* path and query on it */
	const char *const *headers; /* "Name: value", NULL-ended, or NULL */
	struct mx_slice body; /* empty = none */
	size_t max_bytes; /* of the decoded answer; 0 = 64 KiB */
	int64_t connect_ms; /* 0 = 3 s */
	int64_t total_ms; /* 0 = 8 s, discovery included */
	unsigned redirects; /* how many may be followed; 0 = none (3xx is then
			       the answer) */
	const _Atomic bool *hurry; /* of net_fetch() only: true ends the waiting with
				      -MX_BUSY, though what was asked may still happen */
};

struct net_response {
	int rc; /* 0: there is an answer, of any status. -MX_REMOTE_FAILED,
		   -MX_REMOTE_TIMEOUT, -MX_ADDRESS_REFUSED, -MX_TOO_LARGE,
		   -MX_INVALID_PARAM (no valid name), -MX_BUSY */
	struct mx_error err; /* what went wrong, for operators: "TLS: …", "DNS: …" */
	bool sent; /* the peer may have got the request, whatever rc is */
	int status;
	int64_t retry_after_ms; /* as its Retry-After header says; 0 = nothing */
	struct mx_slice body; /* borrowed until the callback returns */
	const char *content_type; /* may be NULL */
	char address[64]; /* the peer's, "" if none was reached */
	char certificate_sha256[65]; /* of the peer's, hex; "" if none was seen */
	int64_t took_ms;
};

typedef void net_done_fn(void *ctx, const struct net_response *response);

/* Copies the request. done runs exactly once, on the network thread, later, and must be short. */
void net_start(struct net *net, const struct net_request *request, net_done_fn *done, void *ctx);

/* Straight-line form for LANE_NET: waits. The body is in mem. */
struct mx_arena;
void net_fetch(struct net *net, const struct net_request *request, struct mx_arena *mem,
	       struct net_response *ret_response);

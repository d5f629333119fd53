/* The running server: what its parts share. */
#pragma once

#include "shared/http/conn.h"
#include "shared/http/http_server.h"
#include "shared/http/router.h"

#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdatomic.h>

struct lanes;
struct limiter;
struct listener;
struct mx_metric;
struct park;

#define STATUS_CLASSES 4 /* 2xx … 5xx */

struct http_server {
	struct http_app app;
	struct router *router;
	struct limiter *limiter;
	struct lanes *lanes;
	struct park *park;
	struct conn_registry *conns;
	struct peer_ranges trusted;
	gnutls_datum_t ticket_key; /* of TLS session tickets; data NULL without TLS */
	struct listener *listeners;
	unsigned listeners_len;
	bool check_layout; /* the library's parser is an old one: see wire_layout.h */
	_Atomic uint64_t strange_bytes; /* on the disk, of who sends without being known yet */
	_Atomic bool stopping; /* connections end with the answers that they wait for */
	pthread_mutex_t name_lock; /* adding the Server header to a shared reply */
	struct mx_metric **answers; /* [(route index or router_len()) * STATUS_CLASSES] */
	struct mx_metric *durations[2]; /* of the work and the net lane */
};

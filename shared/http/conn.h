/* Open connections: who they are, how many an address has, and deadlines that the library lacks
 * (it knows only idle time, so one byte a second would keep a connection for ever). */
#pragma once

#include "shared/http/peer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct conn_registry;
struct exchange;

/* What a connection is at; each has its own deadline. */
enum conn_phase {
	CONN_OPEN, /* nothing was asked yet: handshake and first header */
	CONN_BODY,
	CONN_BUSY, /* the request is ours: no deadline here */
	CONN_REPLY,
	CONN_IDLE, /* between requests, or in the next header */
};

struct http_conn {
	struct http_conn *prev, *next;
	int fd;
	struct peer peer;
	char client[PEER_TEXT_MAX];
	bool trusted; /* a proxy of ours: X-Forwarded-For counts */
	bool counted; /* in its address's count */
	struct exchange *ex; /* the request under way, between the library's callbacks */

	/* Written by the connection's I/O thread only. The count changes with every phase, so the
	 * watchdog sees that something happened without any clock on the way of a request. */
	_Atomic uint32_t mark; /* count << 3 | phase */
	_Atomic uint64_t received; /* bytes of bodies */

	/* The watchdog's notes. */
	uint32_t seen_mark;
	int64_t seen_ms; /* when it saw that mark first */
	int64_t header_ms; /* when it saw the next header begin; 0 = it did not */
	int64_t window_ms; /* start of the window in which the rate is measured… */
	uint64_t window_bytes; /* …and how far the connection was then */
	bool late;
};

struct conn_limits {
	unsigned total, per_address;
	bool limit_loopback;
	int64_t header_ms, body_ms, idle_ms;
};

/* Starts the watchdog's thread. */
struct conn_registry *conn_registry_new(const struct conn_limits *limits,
					const struct peer_ranges *trusted);
/* After the last connection was closed. */
void conn_registry_free(struct conn_registry *registry);

/* Before accepting: false if there are too many, in all or of this address. */
bool conn_may_open(struct conn_registry *registry, const struct sockaddr *address);

struct http_conn *conn_open(struct conn_registry *registry, int fd, const struct sockaddr *address);
/* Before the descriptor is closed: nothing touches it afterwards. */
void conn_close(struct conn_registry *registry, struct http_conn *conn);

unsigned conn_count(struct conn_registry *registry);
/* Those with a request or a reply under way. */
unsigned conn_active_count(struct conn_registry *registry);
int64_t conn_refused_count(struct conn_registry *registry);
int64_t conn_late_count(struct conn_registry *registry);

/* One round of the watchdog; it runs by itself, tests call it too. */
void conn_watch(struct conn_registry *registry, int64_t now_ms);

static inline void conn_set_phase(struct http_conn *conn, enum conn_phase phase)
{
	uint32_t mark = atomic_load_explicit(&conn->mark, memory_order_relaxed);

	atomic_store_explicit(&conn->mark, ((mark >> 3) + 1) << 3 | (uint32_t)phase,
			      memory_order_relaxed);
}

static inline void conn_add_received(struct http_conn *conn, uint64_t bytes)
{
	atomic_fetch_add_explicit(&conn->received, bytes, memory_order_relaxed);
}

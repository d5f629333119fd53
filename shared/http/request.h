/* A request as its handler sees it, and the reply that it shapes. */
#pragma once

#include "shared/core/error.h"
#include "shared/core/slice.h"
#include "shared/http/route.h"

#include <jansson.h>
#include <stdbool.h>

struct mx_arena;
struct http_server;
struct store_txn;
struct store_view;
struct reply_body;
struct spool;
struct req_wake;

struct req {
	struct mx_arena *mem; /* as long as the request; emptied before each run */
	void *app; /* the daemon's context */
	const struct route *route;
	enum http_method method;
	bool head_only; /* HEAD, answered as GET without its body: nothing may happen */
	const char *target; /* raw, with its query: what X-Matrix signs */
	const char *id; /* for logs: 8 characters */
	const char *client; /* address of the peer, or by X-Forwarded-For of a
			       trusted proxy; text form */
	struct mx_slice raw; /* the body's bytes */
	struct spool *spool; /* ROUTE_SPOOL: the body instead */
	json_t *body; /* after scanner and schema; NULL without a schema */
	struct store_view *view; /* TXN_READ; both in LANE_WORK runs only, else NULL: no… */
	struct store_txn *txn; /* TXN_WRITE; …snapshot may wait for the network */
	const char *user, *device, *origin; /* what the authenticator found */
	struct mx_error err;
	json_t *err_fields; /* more members of the error object; owned */
	uint64_t err_size; /* of what has no such part, with -MX_BAD_RANGE */
	enum route_lane lane; /* where this run is: never block in LANE_IO. After a park
				 it is the lane that it parked in */
	unsigned run; /* 0, 1, …: how often the handler was started over */
	bool timed_out; /* parked, and the deadline passed: answer what there is */
	void *kept; /* the handler's own, survives reruns… */
	void (*kept_free)(void *kept); /* …and is released with the request */
};

/* ---- asking */

/* A path parameter, decoded and checked. Never NULL for a name of the route's path. */
const char *req_param(const struct req *r, const char *name);

/* The first value of a query parameter, decoded ('+' stays '+'); NULL if absent. */
const char *req_query(struct req *r, const char *name);
/* Whether it is there more than once. */
bool req_query_twice(struct req *r, const char *name);
/* 0 with other if absent; -MX_INVALID_PARAM if it is no integer. */
int req_query_i64(struct req *r, const char *name, int64_t other, int64_t *ret_value);
const char *req_header(const struct req *r, const char *name);

/* Of a server with peer_authorities: the client's certificate in DER, signed by one of them and
 * valid now; empty without one. Its names are for the caller to look at. In r->mem. */
struct mx_slice req_certificate(struct req *r);

/* ---- answering; the last call wins, none means `{}` */

/* Takes the reference. */
void reply_json(struct req *r, json_t *json);
/* bytes: from r->mem or static; content_type: a literal. */
void reply_bytes(struct req *r, const char *content_type, struct mx_slice bytes);
/* Bytes from mx_alloc, taken over and freed after sending. */
void reply_owned(struct req *r, const char *content_type, char *bytes, size_t len);
/* A piece of an open file, which is taken over and closed after sending. Not read before. */
struct reply_file {
	int fd;
	uint64_t from, len;
};
void reply_file(struct req *r, const char *content_type, const struct reply_file *file);
void reply_redirect(struct req *r, const char *location);
/* A status other than the row's, with whatever body is set. */
void reply_status(struct req *r, int status);
/* At most 8 a reply; copied into r->mem. */
void reply_header(struct req *r, const char *name, const char *value);

/* A prepared answer for many requests: its bytes and headers are made once and sent from any
 * thread without copying. */
struct reply_body *reply_body_new(const char *content_type, const void *bytes, size_t len,
				  bool cors); /* copies */
struct reply_body *reply_body_ref(struct reply_body *body);
void reply_body_unref(struct reply_body *body);
/* Takes a reference of its own. Headers are the body's: those of reply_header() are not sent. */
void reply_shared(struct req *r, struct reply_body *body);

/* ---- a transaction of the handler's own, in a row with TXN_NONE and LANE_WORK */

/*
 * Hands it to the committer at once, so under a lock such calls keep their order. The reply is set
 * before; the handler may still let go of what it holds, and returns 0. The request is answered
 * when the commit has ended: after -MX_CONFLICT the handler is run again, other failures are
 * answered as errors. Once a run.
 */
void req_commit(struct req *r, struct store_txn *txn);

/* ---- waiting without a thread */

/*
 * Before the last look at what is waited for: a handle that other threads may wake. Then either
 * `return -MX_PARK`, and the handler is run again after the first req_wake() or timeout_ms from
 * the first park (r->timed_out), whichever comes first; a wake that came before is not lost.
 * Or answer at once; the handle then does nothing. Each call replaces the request's handle.
 * The returned reference is the caller's.
 */
struct req_wake *req_wake_new(struct req *r, int64_t timeout_ms);
struct req_wake *req_wake_ref(struct req_wake *wake);
void req_wake_unref(struct req_wake *wake);
void req_wake(struct req_wake *wake); /* any thread, any time, also after the request's end */

/* One request from its first byte to the end of its reply: what the parts of this folder share. */
#pragma once

#include "shared/core/str.h"
#include "shared/http/conn.h"
#include "shared/http/header_gate.h"
#include "shared/http/request.h"
#include "shared/http/router.h"
#include "shared/http/target.h"

#include <stdatomic.h>
#include <stdint.h>

struct MHD_Connection;
struct http_server;

#define REPLY_HEADERS_MAX 8

enum reply_kind {
	REPLY_EMPTY_OBJECT,
	REPLY_JSON,
	REPLY_BYTES,
	REPLY_OWNED,
	REPLY_SHARED,
	REPLY_FILE,
};

struct reply_header {
	const char *name, *value;
};

struct reply {
	enum reply_kind kind;
	int status; /* 0 = 200 */
	const char *content_type;
	struct mx_slice bytes; /* REPLY_BYTES; of REPLY_OWNED, to be freed */
	json_t *json;
	struct reply_body *shared;
	struct reply_file file; /* REPLY_FILE */
	struct reply_header headers[REPLY_HEADERS_MAX];
	unsigned headers_len;
	unsigned allow; /* methods of a 405, bits 1 << method */
	bool cors;
};

/* Who may touch an exchange: its I/O thread until it is suspended, then whoever it was handed to
 * (a lane, the committer, the park) until that one resumes it. */
enum exchange_state {
	EXCHANGE_NEW, /* the target was read, the headers were not */
	EXCHANGE_BODY, /* the body is being read */
	EXCHANGE_REFUSED, /* like BODY, but the reply is known already */
	EXCHANGE_RUNNING,
	EXCHANGE_RERUN, /* resumed, to be run again on the I/O thread */
	EXCHANGE_ANSWERED, /* resumed, the reply may go out */
	EXCHANGE_GONE, /* resumed, nobody is there to hear it */
};

struct exchange {
	struct req req; /* first: handlers see only this */
	struct http_server *server;
	struct http_conn *conn;
	struct MHD_Connection *mhd;
	struct peer peer; /* of req.client */
	char client[PEER_TEXT_MAX]; /* req.client, if a proxy stands between */
	enum exchange_state state;
	bool suspended;
	unsigned gate; /* the next gate of dispatch.c */
	unsigned conflicts;
	bool commits; /* req_commit() was called in this run… */
	int commit_rc; /* …and this came of it */
	_Atomic unsigned ends; /* of the handler and of its commit: how many are to come */
	struct mx_slice raw_target; /* in the library's buffer, then in `own` */
	struct mx_arena *own; /* as long as the request, unlike req.mem */
	struct target target;
	struct head head;
	const struct route_entry *entry;
	const char *params[ROUTE_PARAMS_MAX];
	struct mx_str body;
	uint64_t body_seen, body_max;
	struct reply reply;
	struct req_wake *wake;
	int64_t deadline_ms; /* monotonic, of a parked or moved request; 0 = not set */
	int64_t park_until_ms; /* set by the first park */
	int64_t began_us; /* when it left the I/O thread; 0 = it did not */
	char id[12];
	struct exchange *next; /* in a pool or a queue */
};

/* Of this thread's pool, empty. Recycled, so that a request costs no allocation. */
struct exchange *exchange_take(void);
/* On any thread; drops everything that the request held. */
void exchange_give(struct exchange *ex);

/* Forgets what a run of the handler left behind: arena, reply, error. */
void exchange_clear_run(struct exchange *ex);
/* The same for one that waits, which may be one of thousands: it has no arena until
 * exchange_clear_run(). */
void exchange_rest(struct exchange *ex);

static inline struct exchange *exchange_of(struct req *r)
{
	return (struct exchange *)r;
}

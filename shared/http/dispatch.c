#include "shared/http/dispatch.h"

#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/time.h"
#include "shared/http/exchange.h"
#include "shared/http/gates.h"
#include "shared/http/lanes.h"
#include "shared/http/park.h"
#include "shared/http/reply.h"
#include "shared/http/server.h"
#include "shared/http/spool.h"
#include "shared/store/store.h"

#include <assert.h>
#include <stdatomic.h>

#define BODY_MAX      (64 * 1024) /* of rows that do not say */
#define DEADLINE_MS   MX_MINUTE_MS /* the same */
#define STRANGE_MAX   (UINT64_C(256) * 1024 * 1024) /* bytes of bodies of who is not known yet */
#define CONFLICTS_MAX 256 /* each means that somebody else got through */

/* ---- the route */

static enum http_method method_of(const char *name)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = { { "GET", GET },
			{ "POST", POST },
			{ "PUT", PUT },
			{ "HEAD", GET },
			{ "DELETE", DELETE } };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (streq(name, methods[i].name))
			return methods[i].method;
	return METHOD_NONE;
}

/* Spec: client-server API, "Web Browser Clients": OPTIONS is answered for every path. */
static bool is_preflight(const char *method)
{
	return streq(method, "OPTIONS");
}

static int parse_target(struct exchange *ex)
{
	const struct target_line line = {
		.raw = ex->raw_target,
		.host = ex->head.host,
		.plus_is_blank = ex->server->app.plus_is_blank,
	};
	int rc = target_parse(&line, ex->own, &ex->target, &ex->req.err);

	ex->req.target = rc ? "" : ex->target.raw;
	return rc;
}

static int check_media(struct exchange *ex)
{
	const struct route *route = ex->entry->route;

	if (head_is_encoded(&ex->head))
		return mx_fail(&ex->req.err, MX_UNSUPPORTED_TYPE,
			       "Requests with a content encoding are not accepted");
	if (route->body && !(route->flags & ROUTE_RAW_BODY) && head_is_form(&ex->head))
		return mx_fail(&ex->req.err, MX_UNSUPPORTED_TYPE, "JSON is expected");
	return 0;
}

static int check_size(struct exchange *ex)
{
	uint64_t len = head_body_len(&ex->head);

	ex->body_max = ex->entry->route->body_max ? ex->entry->route->body_max : BODY_MAX;
	if (ex->entry->route->flags & ROUTE_SPOOL)
		ex->body_max = ex->server->app.spool_max(ex->server->app.ctx);
	return len != UINT64_MAX && len > ex->body_max ? -MX_TOO_LARGE : 0;
}

static int find_route(struct exchange *ex)
{
	ex->entry = router_find(ex->server->router, ex->req.method, &ex->target, &ex->reply.allow);
	ex->reply.cors = !ex->entry || (ex->entry->route->flags & ROUTE_CORS);
	if (!ex->entry)
		return ex->reply.allow ? -MX_BAD_METHOD : -MX_UNRECOGNIZED;
	ex->req.route = ex->entry->route;
	return 0;
}

int dispatch_route(struct exchange *ex, const char *method)
{
	int rc;

	ex->reply.cors = true;
	ex->req.app = ex->server->app.ctx;
	ex->req.method = method_of(method);
	ex->req.head_only = streq(method, "HEAD");
	ex->req.target = "";
	if (is_preflight(method) && mx_slice_is(ex->raw_target, "*"))
		return 0;
	if (ex->req.method == METHOD_NONE && !is_preflight(method))
		return -MX_BAD_METHOD;
	rc = parse_target(ex);
	if (rc || is_preflight(method))
		return rc;
	rc = find_route(ex);
	if (rc == 0)
		rc = check_media(ex);
	return rc ? rc : check_size(ex);
}

/* ---- the end */

static void count_answer(struct exchange *ex)
{
	struct http_server *server = ex->server;
	unsigned route = ex->entry ? ex->entry->index : router_len(server->router);
	unsigned class = (unsigned)(ex->reply.status ? ex->reply.status : 200) / 100 - 2;

	if (!server->answers || class >= STATUS_CLASSES)
		return;
	mx_metric_add(server->answers[route * STATUS_CLASSES + class], 1);
	if (ex->began_us)
		mx_metric_observe_us(server->durations[ex->req.lane == LANE_NET],
				     mx_mono_us() - ex->began_us);
}

static void log_failure(struct exchange *ex, int rc)
{
	bool ours = rc == -MX_UNKNOWN || rc == -MX_STORE;

	if (!ours && !mx_log_wants(MX_LOG_DEBUG))
		return;
	mx_log(ours ? MX_LOG_ERROR : MX_LOG_DEBUG, "request refused", "request", ex->id, "route",
	       ex->entry ? ex->entry->route->path : NULL, "code",
	       mx_errc((enum mx_code) - rc)->name, "why", mx_error_text(&ex->req.err, rc), NULL);
}

/* Dispatcher's own answers and codes that make no sense outside. */
static int outside_code(int rc)
{
	if (rc > 0 || -rc >= MX_CODE_COUNT || rc == -MX_PARK || rc == -MX_MOVE_WORK ||
	    rc == -MX_MOVE_NET)
		return -MX_UNKNOWN;
	return rc;
}

bool dispatch_finish(struct exchange *ex, int rc)
{
	if (rc) {
		rc = outside_code(rc);
		log_failure(ex, rc);
		reply_error(ex, rc);
	}
	reply_seal(ex);
	count_answer(ex);
	ex->state = EXCHANGE_ANSWERED;
	if (!ex->suspended)
		return true;
	park_resume(ex->server->park, ex);
	return false;
}

/* ---- handing over */

/* False: the server stops, and ex stays here. */
static bool leave_io(struct exchange *ex)
{
	const struct route *route = ex->entry->route;

	if (ex->suspended)
		return true;
	ex->began_us = mx_mono_us();
	ex->deadline_ms = ex->began_us / 1000 +
			  (route->deadline_ms ? route->deadline_ms : DEADLINE_MS);
	return park_suspend(ex->server->park, ex);
}

static bool move_to(struct exchange *ex, enum route_lane lane)
{
	if (!leave_io(ex) || !lanes_push(ex->server->lanes, ex, lane))
		return dispatch_finish(ex, -MX_BUSY);
	return false;
}

void dispatch_again(struct exchange *ex)
{
	ex->req.run++;
	if (ex->req.lane != LANE_IO) {
		lanes_push_again(ex->server->lanes, ex, ex->req.lane);
		return;
	}
	ex->state = EXCHANGE_RERUN;
	park_resume(ex->server->park, ex);
}

void dispatch_gone(struct exchange *ex)
{
	ex->state = EXCHANGE_GONE;
	park_resume(ex->server->park, ex);
}

/* ---- transactions: only in the work lane, where nothing waits for the network */

static void txn_begin(struct exchange *ex, enum route_lane lane)
{
	struct store *store = ex->server->app.store;

	if (lane != LANE_WORK)
		return;
	if (ex->entry->route->txn == TXN_READ)
		ex->req.view = store_view_begin(store);
	if (ex->entry->route->txn == TXN_WRITE)
		ex->req.txn = store_txn_begin(store);
}

/* Everything but a transaction that is to be committed. */
static void txn_end(struct exchange *ex, int rc)
{
	if (ex->req.view)
		store_view_end(ex->req.view);
	ex->req.view = NULL;
	if (rc && ex->req.txn) {
		store_txn_abort(ex->req.txn);
		ex->req.txn = NULL;
	}
}

/* On the committer's thread, or at once. */
static void committed(void *ctx, int rc)
{
	struct exchange *ex = ctx;

	if (rc != -MX_CONFLICT) {
		dispatch_finish(ex, rc);
		return;
	}
	if (++ex->conflicts > CONFLICTS_MAX) {
		dispatch_finish(ex, -MX_BUSY);
		return;
	}
	ex->req.run++;
	lanes_push_again(ex->server->lanes, ex, LANE_WORK);
}

/* Transactions live in the work lane, so the connection is suspended. */
static bool commit(struct exchange *ex)
{
	struct store_txn *txn = ex->req.txn;

	ex->req.txn = NULL;
	reply_seal(ex); /* the committer has better things to do */
	store_txn_commit_async(txn, committed, ex);
	return false;
}

/* Handler and commit end in any order; whoever is last goes on with the exchange. */
static void one_ended(struct exchange *ex)
{
	if (atomic_fetch_sub(&ex->ends, 1) == 1)
		committed(ex, ex->commit_rc);
}

static void own_committed(void *ctx, int rc)
{
	struct exchange *ex = ctx;

	ex->commit_rc = rc;
	one_ended(ex);
}

void req_commit(struct req *r, struct store_txn *txn)
{
	struct exchange *ex = exchange_of(r);

	assert(r->lane == LANE_WORK && !r->txn && !ex->commits);
	ex->commits = true;
	atomic_store(&ex->ends, 2);
	reply_seal(ex);
	store_txn_commit_async(txn, own_committed, ex);
}

/* The handler is through; it must not say otherwise, as its commit is under way. */
static bool commit_goes_on(struct exchange *ex, int rc)
{
	assert(rc == 0);
	(void)rc;
	ex->commits = false;
	one_ended(ex);
	return false;
}

/* ---- running */

/* It stood in a queue too long. Who was parked is told by req.timed_out instead. */
static bool is_over(const struct exchange *ex)
{
	return ex->deadline_ms && !ex->park_until_ms && mx_mono_ms() > ex->deadline_ms;
}

static int run_once(struct exchange *ex, enum route_lane lane)
{
	struct req *r = &ex->req;
	bool cors = ex->entry->route->flags & ROUTE_CORS;
	int rc;

	exchange_clear_run(ex);
	ex->reply.cors = cors;
	r->lane = lane;
	rc = ex->park_until_ms ? gates_again(ex) : 0;
	if (rc == 0)
		rc = gates_pass(ex, false);
	if (rc)
		return rc;
	txn_begin(ex, lane);
	rc = ex->entry->route->handler(r);
	txn_end(ex, rc);
	return rc;
}

static bool run_elsewhere(struct exchange *ex, enum route_lane lane)
{
	ex->req.run++;
	return move_to(ex, lane);
}

static bool end_run(struct exchange *ex, int rc)
{
	if (ex->commits)
		return commit_goes_on(ex, rc);
	if (rc == -MX_MOVE_WORK)
		return run_elsewhere(ex, LANE_WORK);
	if (rc == -MX_MOVE_NET)
		return run_elsewhere(ex, LANE_NET);
	if (rc == 0 && ex->req.txn)
		return commit(ex);
	return dispatch_finish(ex, rc);
}

bool dispatch_run(struct exchange *ex, enum route_lane lane)
{
	int rc;

	if (is_over(ex))
		return dispatch_finish(ex, -MX_BUSY);
	mx_log_set_request(ex->id);
	rc = run_once(ex, lane);
	mx_log_set_request(NULL);
	/* A handler that parks although its time is over, or without a handle, is broken. */
	if (rc != -MX_PARK || !ex->wake || ex->req.timed_out)
		return end_run(ex, rc);
	if (!leave_io(ex))
		return dispatch_finish(ex, -MX_BUSY);
	exchange_rest(ex);
	if (!park_wait(ex->server->park, ex))
		dispatch_again(ex);
	return false;
}

/* Who is known only to the store is asked for after the body: all of them share a little room. */
int dispatch_spool(struct exchange *ex)
{
	struct spool_conf conf = { .directory = ex->server->app.spool_directory };
	int rc;

	ex->req.lane = LANE_IO;
	rc = gates_pass(ex, true);
	if (rc == -MX_MOVE_WORK || rc == -MX_MOVE_NET) {
		conf.shared = &ex->server->strange_bytes;
		conf.shared_max = STRANGE_MAX;
		rc = 0;
	}
	/* What the store keeps free is not for bodies either. */
	if (rc == 0 && ex->server->app.store && store_is_full(ex->server->app.store))
		rc = -MX_STORE_FULL;
	return rc ? rc : spool_new(&conf, &ex->req.spool, &ex->req.err);
}

bool dispatch_start(struct exchange *ex)
{
	enum route_lane lane = ex->entry->route->lane;
	int rc = 0;

	conn_set_phase(ex->conn, CONN_BUSY);
	ex->state = EXCHANGE_RUNNING;
	ex->req.raw = mx_str_slice(&ex->body);
	if (lane == LANE_IO)
		return dispatch_run(ex, LANE_IO);
	/* What needs no authenticator is refused without taking anybody's time. */
	if (ex->entry->route->auth == AUTH_NONE)
		rc = gates_pass(ex, true);
	return rc ? dispatch_finish(ex, rc) : move_to(ex, lane);
}

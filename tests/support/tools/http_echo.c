/* A server with routes of every kind, for the functional tests and benches of shared/http.
 * http_echo [NAME=VALUE …] prints "ready PORT TLS_PORT LIBRARY" and serves until EOF on its
 * input. */
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/tls.h"
#include "shared/http/http_server.h"
#include "shared/http/request.h"
#include "shared/http/spool.h"
#include "shared/json/json.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const struct store_table counts = { .name = "counts" };

struct echo {
	struct reply_body *hello;
	struct mx_metrics *metrics;
	pthread_mutex_t lock;
	struct waiter *waiters;
	struct store *store;
	pthread_cond_t wrote;
	uint64_t written; /* counts, so far */
	const char *spool; /* directory of bodies */
	int64_t spool_max;
};

struct waiter {
	struct waiter *next;
	struct echo *echo;
	struct req_wake *wake;
	char *name;
	bool woken;
};

/* ---- memory only */

static int get_hello(struct req *r)
{
	struct echo *echo = r->app;

	reply_shared(r, echo->hello);
	return 0;
}

static int get_moved(struct req *r)
{
	if (r->lane == LANE_IO)
		return -MX_MOVE_WORK;
	if (r->lane == LANE_WORK)
		return -MX_MOVE_NET;
	reply_json(r, json_pack("{s:i}", "run", (int)r->run));
	return 0;
}

/* ---- what a request looks like from inside */

static int get_echo(struct req *r)
{
	int64_t number;
	int rc = req_query_i64(r, "number", -1, &number);

	if (rc)
		return rc;
	reply_json(r, json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:I}", "name", req_param(r, "name"),
				"target", r->target, "q", req_query(r, "q"), "authorization",
				req_header(r, "Authorization"), "client", r->client, "number",
				(json_int_t)number));
	return 0;
}

static int get_nothing(struct req *r)
{
	(void)r;
	return 0;
}

static int post_json(struct req *r)
{
	reply_json(r, json_pack("{s:O?}", "body", r->body));
	return 0;
}

static int post_raw(struct req *r)
{
	reply_bytes(r, "application/octet-stream", r->raw);
	return 0;
}

static int get_whoami(struct req *r)
{
	reply_json(r, json_pack("{s:s}", "user", r->user));
	return 0;
}

/* ---- replies of all shapes */

static int get_big(struct req *r)
{
	int64_t len;
	int rc = req_query_i64(r, "bytes", 0, &len);
	char *bytes;

	if (rc)
		return rc;
	bytes = mx_alloc((size_t)len + 1);
	memset(bytes, 'x', (size_t)len);
	reply_owned(r, "text/plain", bytes, (size_t)len);
	return 0;
}

static int get_redirect(struct req *r)
{
	reply_redirect(r, "/io/hello");
	return 0;
}

static int get_failure(struct req *r)
{
	if (req_query(r, "retry"))
		r->err.retry_after_ms = 1500;
	if (req_query(r, "fields"))
		r->err_fields = json_pack("{s:b}", "soft_logout", 1);
	reply_header(r, "X-Dropped", "because the reply is an error");
	return req_query(r, "retry") ? -MX_LIMIT_EXCEEDED : -MX_UNKNOWN_TOKEN;
}

static int get_headers(struct req *r)
{
	reply_header(r, "Cache-Control", "public, max-age=60");
	reply_header(r, "X-Split", "a\r\nX-Injected: b");
	reply_status(r, 201);
	return 0;
}

/* ---- waiting */

static int get_slow(struct req *r)
{
	struct timespec pause = { 0 };
	int64_t ms;
	int rc = req_query_i64(r, "ms", 100, &ms);

	if (rc)
		return rc;
	pause.tv_sec = ms / 1000;
	pause.tv_nsec = ms % 1000 * 1000000;
	nanosleep(&pause, NULL);
	return 0;
}

static void waiter_free(void *ptr)
{
	struct waiter *waiter = ptr;
	struct echo *echo = waiter->echo;

	pthread_mutex_lock(&echo->lock);
	for (struct waiter **link = &echo->waiters; *link; link = &(*link)->next) {
		if (*link != waiter)
			continue;
		*link = waiter->next;
		break;
	}
	pthread_mutex_unlock(&echo->lock);
	req_wake_unref(waiter->wake);
	mx_free(waiter->name);
	mx_free(waiter);
}

static int wait_begin(struct req *r, int64_t ms)
{
	struct echo *echo = r->app;
	struct waiter *waiter = mx_calloc(1, sizeof(*waiter));

	waiter->echo = echo;
	waiter->name = mx_strdup(req_param(r, "name"));
	waiter->wake = req_wake_new(r, ms);
	r->kept = waiter;
	r->kept_free = waiter_free;
	pthread_mutex_lock(&echo->lock);
	waiter->next = echo->waiters;
	echo->waiters = waiter;
	pthread_mutex_unlock(&echo->lock);
	return -MX_PARK;
}

static int get_wait(struct req *r)
{
	struct waiter *waiter = r->kept;
	struct echo *echo = r->app;
	int64_t ms;
	bool woken;
	int rc = req_query_i64(r, "ms", 10000, &ms);

	if (rc)
		return rc;
	if (!waiter)
		return wait_begin(r, ms);
	pthread_mutex_lock(&echo->lock);
	woken = waiter->woken;
	pthread_mutex_unlock(&echo->lock);
	if (!woken && !r->timed_out)
		return -MX_PARK;
	reply_json(r, json_pack("{s:b, s:b, s:i}", "woken", woken, "timed_out", r->timed_out, "run",
				(int)r->run));
	return 0;
}

/* ?early=1 wakes without a reason: the waiter has to park again. */
static int put_wake(struct req *r)
{
	struct echo *echo = r->app;
	int count = 0;

	pthread_mutex_lock(&echo->lock);
	for (struct waiter *w = echo->waiters; w; w = w->next) {
		if (!streq(w->name, req_param(r, "name")))
			continue;
		w->woken = !req_query(r, "early");
		req_wake(w->wake);
		count++;
	}
	pthread_mutex_unlock(&echo->lock);
	reply_json(r, json_pack("{s:i}", "woken", count));
	return 0;
}

/* ---- the store */

static uint64_t count_of(struct mx_slice value)
{
	struct record_reader reader = record_open(value);

	return record_u64(&reader);
}

static int count_up(struct req *r, struct store_txn *txn)
{
	struct mx_slice key = mx_slice(req_param(r, "name")), value;
	mx_str_auto record = { 0 };
	uint64_t count = 0;
	int rc = store_txn_get(txn, &counts, key, r->mem, &value);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc == 0)
		count = count_of(value);
	record_begin(&record, 1);
	record_put_u64(&record, count + 1);
	store_txn_put(txn, &counts, key, mx_str_slice(&record));
	reply_json(r, json_pack("{s:I}", "count", (json_int_t)count + 1));
	return 0;
}

static int put_count(struct req *r)
{
	int rc = count_up(r, r->txn);

	return rc == 0 && req_query(r, "fail") ? -MX_FORBIDDEN : rc;
}

static void on_count(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct echo *echo = ctx;

	(void)key;
	(void)value;
	pthread_mutex_lock(&echo->lock);
	echo->written++;
	pthread_cond_broadcast(&echo->wrote);
	pthread_mutex_unlock(&echo->lock);
}

static uint64_t written(struct echo *echo)
{
	uint64_t count;

	pthread_mutex_lock(&echo->lock);
	count = echo->written;
	pthread_mutex_unlock(&echo->lock);
	return count;
}

/* Until the commit has ended: this one, or the one that it conflicts with. */
static void linger(struct echo *echo, uint64_t before)
{
	const struct timespec moment = { .tv_nsec = 300000 };

	pthread_mutex_lock(&echo->lock);
	while (echo->written == before)
		pthread_cond_wait(&echo->wrote, &echo->lock);
	pthread_mutex_unlock(&echo->lock);
	nanosleep(&moment, NULL);
}

/* ?fail=1: the commit does; ?late=1: the handler returns after it. */
static int put_own_count(struct req *r)
{
	static const char long_key[STORE_KEY_MAX + 1];
	struct echo *echo = r->app;
	uint64_t before = written(echo);
	struct store_txn *txn = store_txn_begin(echo->store);
	int rc = count_up(r, txn);

	if (rc) {
		store_txn_abort(txn);
		return rc;
	}
	if (req_query(r, "fail"))
		store_txn_put(txn, &counts, mx_slice_of(long_key, sizeof(long_key)), MX_SLICE(""));
	req_commit(r, txn);
	if (req_query(r, "late"))
		linger(echo, before);
	return 0;
}

static int get_count(struct req *r)
{
	struct mx_slice value;
	int rc = store_get(r->view, &counts, mx_slice(req_param(r, "name")), r->mem, &value);

	if (rc)
		return rc;
	reply_json(r, json_pack("{s:I}", "count", (json_int_t)count_of(value)));
	return 0;
}

/* ---- bodies and replies that are files */

static uint64_t spool_max(void *ctx)
{
	return (uint64_t)((struct echo *)ctx)->spool_max;
}

/* ?keep=NAME: the file stays, beside the directory of bodies. */
static int post_spool(struct req *r)
{
	const struct echo *echo = r->app;
	const char *name = req_query(r, "keep");
	unsigned char last = 0;
	uint64_t len = spool_len(r->spool);
	int rc = 0;

	if (len && pread(spool_fd(r->spool), &last, 1, (off_t)len - 1) != 1)
		return -MX_STORE;
	if (name)
		rc = spool_keep(r->spool, mx_arena_strf(r->mem, "%s/../%s", echo->spool, name),
				&r->err);
	reply_json(r, json_pack("{s:I, s:i, s:s?}", "len", (json_int_t)len, "last", (int)last,
				"user", r->user));
	return rc;
}

static int get_file(struct req *r)
{
	const struct echo *echo = r->app;
	const char *path = mx_arena_strf(r->mem, "%s/../%s", echo->spool, req_param(r, "name"));
	struct reply_file file = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	int64_t from = 0, len = 0;
	int rc = req_query_i64(r, "from", 0, &from);

	if (rc == 0)
		rc = req_query_i64(r, "len", 0, &len);
	if (rc == 0 && file.fd < 0)
		rc = -MX_NOT_FOUND;
	if (rc)
		return rc;
	file.from = (uint64_t)from;
	file.len = (uint64_t)len;
	reply_status(r, from ? 206 : 200);
	reply_file(r, "application/octet-stream", &file);
	return req_query(r, "fail") ? -MX_FORBIDDEN : 0;
}

static int get_metrics(struct req *r)
{
	struct echo *echo = r->app;
	struct mx_str page = { 0 };
	size_t len;

	mx_metrics_write(echo->metrics, &page);
	len = page.len;
	reply_owned(r, "text/plain; version=0.0.4", mx_str_steal(&page), len);
	return 0;
}

#define SCHEMA   "notary/query"
#define BIG_BODY (8 * 1024 * 1024)

static const struct route routes[] = {
	{ GET, "/io/hello", get_hello, .lane = LANE_IO, .flags = ROUTE_CORS },
	{ GET, "/io/limited", get_hello, .lane = LANE_IO, .limit = LIMIT_QUERY },
	{ GET, "/io/moved", get_moved, .lane = LANE_IO },
	{ GET, "/io/wait/{name}", get_wait, .lane = LANE_IO },
	{ GET, "/io/server/{name:server_name}", get_echo, .lane = LANE_IO, .flags = ROUTE_CORS },
	{ POST, "/io/json", post_json, .lane = LANE_IO, .body = SCHEMA },
	{ POST, "/io/json/big", post_json, .lane = LANE_IO, .body = SCHEMA, .body_max = BIG_BODY },
	{ GET, "/echo/{name}", get_echo, .flags = ROUTE_CORS },
	{ GET, "/room/{name:room_id}/event/{event:event_id}", get_echo },
	{ GET, "/user/{name:user_id}", get_echo },
	{ GET, "/key/{name:key_id}", get_echo },
	{ GET, "/whoami", get_whoami, .auth = AUTH_USER, .flags = ROUTE_CORS },
	{ GET, "/slash", get_nothing, .flags = ROUTE_SLASH },
	{ POST, "/json", post_json, .body = SCHEMA, .flags = ROUTE_CORS },
	{ POST, "/json/to", post_json, .body = "admin/backup" },
	{ POST, "/form", post_json, .body = "admin/backup", .flags = ROUTE_FORM },
	{ POST, "/json/big", post_json, .body = SCHEMA, .body_max = BIG_BODY },
	{ PUT, "/json", post_json, .body = SCHEMA, .flags = ROUTE_OPTIONAL_BODY },
	{ POST, "/raw", post_raw, .flags = ROUTE_RAW_BODY, .body_max = 1024 * 1024 },
	{ POST, "/small", post_raw, .flags = ROUTE_RAW_BODY, .body_max = 16 },
	{ POST, "/spool", post_spool, .auth = AUTH_USER, .flags = ROUTE_RAW_BODY | ROUTE_SPOOL },
	{ POST, "/spool/open", post_spool, .flags = ROUTE_RAW_BODY | ROUTE_SPOOL },
	{ GET, "/file/{name}", get_file },
	{ DELETE, "/nothing", get_nothing },
	{ GET, "/big", get_big },
	{ GET, "/redirect", get_redirect },
	{ GET, "/headers", get_headers },
	{ GET, "/failure", get_failure },
	{ GET, "/slow", get_slow, .lane = LANE_NET },
	{ GET, "/busy", get_slow },
	{ GET, "/wait/{name}", get_wait },
	{ PUT, "/wake/{name}", put_wake },
	{ PUT, "/count/{name}", put_count, .txn = TXN_WRITE },
	{ PUT, "/own/count/{name}", put_own_count },
	{ GET, "/count/{name}", get_count, .txn = TXN_READ },
	{ GET, "/metrics", get_metrics, .lane = LANE_IO },
	{ 0 },
};

static int authenticate(struct req *r)
{
	const char *header = req_header(r, "Authorization");

	if (!header || !mx_starts_with(header, "Bearer"))
		return -MX_MISSING_TOKEN;
	if (streq(header, "Bearer stored") && r->lane == LANE_IO)
		return -MX_MOVE_WORK;
	if (streq(header, "Bearer stored"))
		header = "Bearer good";
	if (!streq(header, "Bearer good"))
		return -MX_UNKNOWN_TOKEN;
	r->user = mx_arena_strdup(r->mem, "@good:test");
	return 0;
}

/* ---- options */

static const char *text_of(char **argv, const char *name)
{
	for (argv++; *argv; argv++)
		if (mx_starts_with(*argv, name) && (*argv)[strlen(name)] == '=')
			return *argv + strlen(name) + 1;
	return NULL;
}

static int64_t number_of(char **argv, const char *name)
{
	int64_t number = 0;
	const char *text = text_of(argv, name);

	if (text && !mx_parse_i64(mx_slice(text), &number)) {
		fprintf(stderr, "%s must be a number\n", name);
		exit(2);
	}
	return number;
}

static unsigned listen_on(char **argv, struct http_listen list[3])
{
	const char *unix_path = text_of(argv, "unix");
	const char *address = text_of(argv, "address");
	unsigned len = 0;

	list[len++] = (struct http_listen){ address ? address : "127.0.0.1",
					    (uint16_t)number_of(argv, "port"), false };
	if (text_of(argv, "cert"))
		list[len++] = (struct http_listen){ "127.0.0.1",
						    (uint16_t)number_of(argv, "tls_port"), true };
	if (unix_path)
		list[len++] = (struct http_listen){ unix_path, 0, false };
	return len;
}

static void fail(const struct mx_error *err)
{
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void serve(struct http_server *server, bool tls)
{
	char byte;

	printf("ready %u %u %s\n", http_server_port(server, 0),
	       tls ? http_server_port(server, 1) : 0, MHD_get_version());
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static struct http_conf conf_of(char **argv)
{
	struct http_conf conf = {
		.io_threads = (unsigned)number_of(argv, "io"),
		.work_threads = (unsigned)number_of(argv, "work"),
		.net_threads = (unsigned)number_of(argv, "net"),
		.connections_max = (unsigned)number_of(argv, "total"),
		.connections_per_address = (unsigned)number_of(argv, "per_address"),
		.limit_loopback = number_of(argv, "limit_loopback") != 0,
		.header_deadline_ms = number_of(argv, "header_ms"),
		.body_deadline_ms = number_of(argv, "body_ms"),
		.idle_ms = number_of(argv, "idle_ms"),
	};

	conf.limits[LIMIT_QUERY] = (struct http_limit){ (double)number_of(argv, "rate"),
							(double)number_of(argv, "burst") };
	return conf;
}

int main(int argc, char **argv)
{
	static const struct route *const tables[] = { routes, NULL };
	static const struct store_table *const store_tables[] = { &counts, NULL };
	const char *proxies[] = { text_of(argv, "proxy"), NULL };
	struct store_conf store_conf = { .tables = store_tables };
	struct echo echo = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .wrote = PTHREAD_COND_INITIALIZER,
			     .metrics = mx_metrics_new() };
	struct http_app app = { .ctx = &echo,
				.routes = tables,
				.authenticate = authenticate,
				.metrics = echo.metrics,
				.metrics_prefix = "echo",
				.spool_directory = "/nowhere",
				.spool_max = spool_max };
	struct http_conf conf = conf_of(argv);
	struct http_listen list[3];
	struct http_server *server;
	struct mx_tls *tls = NULL;
	struct mx_error err = { 0 };

	(void)argc;
	signal(SIGXFSZ, SIG_IGN); /* a full disk, for the tests */
	mx_alloc_hook_jansson();
	echo.spool = text_of(argv, "spool");
	echo.spool_max = number_of(argv, "spool_max");
	if (echo.spool)
		app.spool_directory = echo.spool;
	echo.hello = reply_body_new("application/json", MX_SLICE("{\"hello\":\"world\"}").ptr, 17,
				    true);
	conf.listen = list;
	conf.listen_len = listen_on(argv, list);
	conf.trusted_proxies = proxies;
	if (store_open(&store_conf, &app.store, &err))
		fail(&err);
	echo.store = app.store;
	store_watch(app.store, &counts, on_count, &echo);
	if (text_of(argv, "cert") &&
	    mx_tls_load(text_of(argv, "cert"), text_of(argv, "key"), &tls, &err))
		fail(&err);
	conf.tls = tls;
	if (http_server_start(&conf, &app, &server, &err))
		fail(&err);
	serve(server, tls != NULL);
	http_server_stop(server, 2000);
	reply_body_unref(echo.hello);
	store_close(app.store);
	mx_tls_free(tls);
	mx_metrics_free(echo.metrics);
	return 0;
}

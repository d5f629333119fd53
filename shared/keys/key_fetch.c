/*
 * Locks: fetcher->lock, for the calls, the states and the queue of answers. Callbacks of waiters,
 * the network, the store and signature checks are outside it.
 */
#include "shared/core/thread.h"
#include "shared/keys/key_fetch.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/map.h"
#include "shared/core/time.h"
#include "shared/core/vec.h"
#include "shared/id/server_name.h"
#include "shared/keys/key_answer.h"
#include "shared/keys/key_backoff_db.h"
#include "shared/keys/key_history.h"
#include "shared/keys/key_metrics.h"
#include "shared/keys/key_states.h"
#include "shared/net/backoff.h"
#include "shared/net/net.h"

#include <pthread.h>

#define KEY_TARGET      "/_matrix/key/v2/server"
#define STATES_MAX      100000
#define CALLS_MAX       20000 /* servers asked or waiting to be asked at once */
#define QUEUE_BYTES_MAX (16u * 1024 * 1024) /* answers that wait for a recorder */
#define RECORDERS_MAX   32
#define SAVED_MAX       20000
#define NEGATIVE_MS     (60 * MX_SECOND_MS)
#define BUCKET_BURST    5
#define BUCKET_MS       (10 * MX_SECOND_MS)

struct waiter {
	struct waiter *next;
	key_fetched_fn *done;
	void *ctx;
};

/* One server being asked, from key_fetch() until its waiters know. */
struct call {
	struct key_fetcher *fetcher; /* a reference */
	struct call *next; /* in the queue */
	struct waiter *waiters;
	int64_t started_ms;
	struct key_answer answer;
	char server[];
};

struct key_fetcher {
	struct key_fetch_conf conf;
	_Atomic int refs; /* the owner's and one per call */
	pthread_mutex_t lock;
	pthread_cond_t has_work;
	struct mx_map calls; /* server → struct call */
	struct key_states *states;
	struct net_backoff *servers, *addresses;
	struct call *queue, **queue_end;
	size_t queue_bytes;
	bool stopping;
	pthread_t recorders[RECORDERS_MAX];
	unsigned recorders_len;
	struct key_answer_counters counters;
	struct mx_metric *not_asked, *in_flight, *backed_off;
};

/* ---- lifetimes */

static void fetcher_unref(struct key_fetcher *fetcher)
{
	if (atomic_fetch_sub(&fetcher->refs, 1) > 1)
		return;
	mx_map_done(&fetcher->calls, NULL);
	key_states_free(fetcher->states);
	net_backoff_free(fetcher->servers);
	net_backoff_free(fetcher->addresses);
	pthread_cond_destroy(&fetcher->has_work);
	pthread_mutex_destroy(&fetcher->lock);
	mx_free(fetcher);
}

static struct call *call_new(struct key_fetcher *fetcher, struct mx_slice server)
{
	struct call *call = mx_calloc(1, sizeof(*call) + server.len + 1);

	atomic_fetch_add(&fetcher->refs, 1);
	call->fetcher = fetcher;
	call->started_ms = mx_now_ms();
	memcpy(call->server, server.ptr, server.len);
	return call;
}

static void call_free(struct call *call)
{
	fetcher_unref(call->fetcher);
	mx_str_done(&call->answer.body);
	mx_free(call);
}

static void add_waiter(struct call *call, key_fetched_fn *done, void *ctx)
{
	struct waiter *waiter = mx_alloc(sizeof(*waiter));

	*waiter = (struct waiter){ call->waiters, done, ctx };
	call->waiters = waiter;
}

static void tell_waiters(struct waiter *waiter, int rc)
{
	while (waiter) {
		struct waiter *next = waiter->next;

		waiter->done(waiter->ctx, rc);
		mx_free(waiter);
		waiter = next;
	}
}

static void show_load(struct key_fetcher *fetcher)
{
	mx_metric_set(fetcher->in_flight, (int64_t)fetcher->calls.len);
	mx_metric_set(fetcher->backed_off, (int64_t)net_backoff_len(fetcher->servers));
}

/* ---- what follows from it */

static bool is_unknown(struct key_fetcher *fetcher, struct mx_slice server)
{
	struct key_entry *entry;
	bool unknown;

	if (key_history_load(fetcher->conf.history, server, &entry, NULL))
		return false;
	unknown = entry->len == 0;
	key_entry_unref(entry);
	return unknown;
}

/* An address counts as failing if nothing behind it spoke TLS: many servers share one. */
static void note_address(struct key_fetcher *fetcher, const struct key_answer *answer)
{
	struct mx_slice address = mx_slice(answer->address);

	if (address.len == 0)
		return;
	if (answer->status)
		net_backoff_worked(fetcher->addresses, address);
	else if (answer->certificate[0] == '\0' &&
		 (answer->rc == -MX_REMOTE_FAILED || answer->rc == -MX_REMOTE_TIMEOUT))
		net_backoff_failed(fetcher->addresses, address);
}

/* The call is over; with the lock held. */
static struct waiter *take_waiters(struct key_fetcher *fetcher, struct call *call)
{
	struct waiter *waiters = mx_steal(&call->waiters);

	mx_map_remove(&fetcher->calls, mx_slice(call->server));
	show_load(fetcher);
	return waiters;
}

static void settle(struct key_fetcher *fetcher, struct call *call, int rc)
{
	struct mx_slice server = mx_slice(call->server);
	bool is_ours = key_answer_is_ours(rc), failed = rc && !is_ours;
	const struct key_result result = {
		.rc = rc,
		.error = rc ? mx_error_text(&call->answer.err, rc) : "",
		.address = call->answer.address,
		.started_ms = call->started_ms,
		.took_ms = call->answer.took_ms,
		.negative_ms = failed && is_unknown(fetcher, server) ? fetcher->conf.negative_ms
								     : 0,
		.is_paid = !failed,
	};
	struct waiter *waiters;

	note_address(fetcher, &call->answer);
	if (failed)
		net_backoff_failed(fetcher->servers, server);
	else if (!is_ours)
		net_backoff_worked(fetcher->servers, server);
	pthread_mutex_lock(&fetcher->lock);
	key_states_add(fetcher->states, server, &result);
	waiters = take_waiters(fetcher, call);
	pthread_mutex_unlock(&fetcher->lock);
	tell_waiters(waiters, rc);
}

/* The next answer, or NULL when it is time to stop. */
static struct call *next_answer(struct key_fetcher *fetcher)
{
	struct call *call = NULL;

	pthread_mutex_lock(&fetcher->lock);
	while (!fetcher->stopping && !fetcher->queue)
		pthread_cond_wait(&fetcher->has_work, &fetcher->lock);
	if (!fetcher->stopping) {
		call = fetcher->queue;
		fetcher->queue = call->next;
		if (!fetcher->queue)
			fetcher->queue_end = &fetcher->queue;
		fetcher->queue_bytes -= call->answer.body.len;
	}
	pthread_mutex_unlock(&fetcher->lock);
	return call;
}

static int judge(struct key_fetcher *fetcher, struct call *call)
{
	struct mx_slice server = mx_slice(call->server);
	const struct key_fetch_conf *conf = &fetcher->conf;
	bool any = conf->policy_any && conf->policy_any(conf->ctx, server);

	return key_answer_judge(
		&(struct key_judge){
			.history = conf->history,
			.counters = &fetcher->counters,
			.server = call->server,
			.policy = any ? KEY_POLICY_ANY : KEY_POLICY_ALL,
		},
		&call->answer);
}

static void *recorder(void *ctx)
{
	struct key_fetcher *fetcher = ctx;
	struct call *call;

	mx_thread_yields();
	while ((call = next_answer(fetcher))) {
		settle(fetcher, call, judge(fetcher, call));
		call_free(call);
	}
	return NULL;
}

/* ---- asking */

static void enqueue(struct key_fetcher *fetcher, struct call *call)
{
	struct key_answer *answer = &call->answer;

	if (fetcher->queue_bytes + answer->body.len > QUEUE_BYTES_MAX) {
		mx_str_done(&answer->body);
		answer->rc = mx_fail(&answer->err, MX_BUSY, "Too many answers at once");
	}
	fetcher->queue_bytes += answer->body.len;
	*fetcher->queue_end = call;
	fetcher->queue_end = &call->next;
	pthread_cond_signal(&fetcher->has_work);
}

/* On the network's thread: only copies and hands over. */
static void answered(void *ctx, const struct net_response *response)
{
	struct call *call = ctx;
	struct key_fetcher *fetcher = call->fetcher;
	struct waiter *waiters = NULL;
	bool stopping;

	key_answer_take(&call->answer, response);
	pthread_mutex_lock(&fetcher->lock);
	stopping = fetcher->stopping;
	if (stopping)
		waiters = take_waiters(fetcher, call);
	else
		enqueue(fetcher, call);
	pthread_mutex_unlock(&fetcher->lock);
	tell_waiters(waiters, -MX_BUSY);
	if (stopping)
		call_free(call);
}

static bool is_backed_off(struct net_backoff *set, struct mx_slice key)
{
	return net_backoff_until_ms(set, key, NULL) != 0;
}

/* Both with the lock held. */
static bool may_ask(struct key_fetcher *fetcher, struct mx_slice server)
{
	return key_states_may(fetcher->states, server) &&
	       !is_backed_off(fetcher->servers, server) &&
	       !is_backed_off(fetcher->addresses,
			      mx_slice(key_states_address(fetcher->states, server)));
}

static int begin(struct key_fetcher *fetcher, struct mx_slice server, bool force,
		 struct call **ret_call)
{
	if (fetcher->stopping || fetcher->calls.len >= CALLS_MAX)
		return -MX_BUSY;
	if (!force && !(may_ask(fetcher, server) && net_backoff_may_try(fetcher->servers, server)))
		return -MX_BACKED_OFF;
	*ret_call = call_new(fetcher, server);
	mx_map_put(&fetcher->calls, server, *ret_call);
	show_load(fetcher);
	return 0;
}

static void ask(struct key_fetcher *fetcher, struct call *call)
{
	const struct net_request request = {
		.server = call->server,
		.target = KEY_TARGET,
		.max_bytes = KEY_OBJECT_MAX,
		.connect_ms = fetcher->conf.connect_ms,
		.total_ms = fetcher->conf.total_ms,
	};

	net_start(fetcher->conf.net, &request, answered, call);
}

void key_fetch(struct key_fetcher *fetcher, struct mx_slice server, bool force,
	       key_fetched_fn *done, void *ctx)
{
	struct call *call, *fresh = NULL;
	int rc = 0;

	if (!mx_server_name_valid(server)) {
		done(ctx, -MX_INVALID_PARAM);
		return;
	}
	pthread_mutex_lock(&fetcher->lock);
	call = mx_map_find(&fetcher->calls, server);
	if (!call || fetcher->stopping) {
		rc = begin(fetcher, server, force, &fresh);
		call = fresh;
	}
	if (rc == 0)
		add_waiter(call, done, ctx);
	pthread_mutex_unlock(&fetcher->lock);
	if (fresh)
		ask(fetcher, fresh);
	if (rc == 0)
		return;
	mx_metric_add(fetcher->not_asked, 1);
	done(ctx, rc);
}

bool key_fetch_may(struct key_fetcher *fetcher, struct mx_slice server)
{
	bool may;

	pthread_mutex_lock(&fetcher->lock);
	may = !fetcher->stopping &&
	      (mx_map_find(&fetcher->calls, server) || may_ask(fetcher, server));
	pthread_mutex_unlock(&fetcher->lock);
	return may;
}

/* ---- for operators */

bool key_fetch_state(struct key_fetcher *fetcher, struct mx_slice server,
		     struct key_fetch_state *ret_state)
{
	bool known;

	pthread_mutex_lock(&fetcher->lock);
	known = key_states_get(fetcher->states, server, ret_state);
	pthread_mutex_unlock(&fetcher->lock);
	if (known)
		ret_state->backed_off_until_ms = net_backoff_until_ms(fetcher->servers, server,
								      NULL);
	return known;
}

size_t key_fetch_worst(struct key_fetcher *fetcher, bool slow, struct key_fetch_state *ret_states,
		       size_t max, struct mx_arena *mem)
{
	size_t len;

	pthread_mutex_lock(&fetcher->lock);
	len = key_states_worst(fetcher->states, slow, ret_states, max, mem);
	pthread_mutex_unlock(&fetcher->lock);
	for (size_t i = 0; i < len; i++)
		ret_states[i].backed_off_until_ms = net_backoff_until_ms(
			fetcher->servers, ret_states[i].server, NULL);
	return len;
}

size_t key_fetch_in_flight(struct key_fetcher *fetcher)
{
	size_t len;

	pthread_mutex_lock(&fetcher->lock);
	len = fetcher->calls.len;
	pthread_mutex_unlock(&fetcher->lock);
	return len;
}

size_t key_fetch_backed_off(struct key_fetcher *fetcher)
{
	return net_backoff_len(fetcher->servers);
}

/* ---- over a restart */

struct saving {
	struct mx_vec(struct key_backoff_row) rows;
	struct mx_arena *mem;
	bool is_address;
};

static void save_one(void *ctx, struct mx_slice key, int64_t until_ms, unsigned failures)
{
	struct saving *saving = ctx;

	if (saving->rows.len >= SAVED_MAX || until_ms <= mx_now_ms())
		return;
	mx_vec_push(&saving->rows,
		    (struct key_backoff_row){ saving->is_address, mx_arena_slice(saving->mem, key),
					      until_ms, failures });
}

int key_fetch_save(struct key_fetcher *fetcher, struct mx_error *err)
{
	struct saving saving = { .mem = mx_arena_new(0) };
	int rc;

	net_backoff_each(fetcher->servers, save_one, &saving);
	saving.is_address = true;
	net_backoff_each(fetcher->addresses, save_one, &saving);
	rc = key_backoff_db_save(key_history_store(fetcher->conf.history), saving.rows.items,
				 saving.rows.len, err);
	mx_vec_done(&saving.rows);
	mx_arena_free(saving.mem);
	return rc;
}

static void restore(struct key_fetcher *fetcher)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_backoff_row *rows;
	struct mx_error err = { 0 };
	size_t len;

	if (key_backoff_db_load(key_history_store(fetcher->conf.history), SAVED_MAX, mem, &rows,
				&len, &err)) {
		mx_log(MX_LOG_WARN, "stored back-off is not readable, starting without", "why",
		       err.text, NULL);
		return;
	}
	for (size_t i = 0; i < len; i++)
		net_backoff_restore(rows[i].is_address ? fetcher->addresses : fetcher->servers,
				    rows[i].name, rows[i].until_ms, rows[i].failures);
}

/* ---- from start to end */

static void add_metrics(struct key_fetcher *fetcher)
{
	const struct key_metrics under = { fetcher->conf.metrics, fetcher->conf.metrics_prefix };

	key_answer_counters_init(&fetcher->counters, &under);
	fetcher->not_asked = key_counter_new(&under, "key_fetches_not_asked_total",
					     "Fetches not begun because of back-off or limits", "");
	fetcher->in_flight = key_gauge_new(&under, "key_fetches_in_flight", "Servers being asked");
	fetcher->backed_off = key_gauge_new(&under, "key_servers_backed_off",
					    "Servers left alone for a while");
}

static void set_defaults(struct key_fetch_conf *conf)
{
	if (!conf->negative_ms)
		conf->negative_ms = NEGATIVE_MS;
	if (!conf->bucket_burst)
		conf->bucket_burst = BUCKET_BURST;
	if (!conf->bucket_ms)
		conf->bucket_ms = BUCKET_MS;
	if (!conf->recorders)
		conf->recorders = 2;
	if (conf->recorders > RECORDERS_MAX)
		conf->recorders = RECORDERS_MAX;
}

static void start_recorders(struct key_fetcher *fetcher)
{
	while (fetcher->recorders_len < fetcher->conf.recorders)
		fetcher->recorders[fetcher->recorders_len++] = mx_thread_start("key-record",
									       recorder, fetcher);
}

struct key_fetcher *key_fetcher_new(const struct key_fetch_conf *conf)
{
	struct key_fetcher *fetcher = mx_calloc(1, sizeof(*fetcher));

	fetcher->conf = *conf;
	set_defaults(&fetcher->conf);
	fetcher->refs = 1;
	fetcher->queue_end = &fetcher->queue;
	pthread_mutex_init(&fetcher->lock, NULL);
	pthread_cond_init(&fetcher->has_work, NULL);
	fetcher->states = key_states_new(&(struct key_states_conf){
		.max = STATES_MAX,
		.burst = fetcher->conf.bucket_burst,
		.pause_ms = fetcher->conf.bucket_ms,
	});
	fetcher->servers = net_backoff_new(&(struct net_backoff_conf){ 0 });
	fetcher->addresses = net_backoff_new(&(struct net_backoff_conf){ 0 });
	add_metrics(fetcher);
	restore(fetcher);
	start_recorders(fetcher);
	return fetcher;
}

/* The waiters of all calls that no recorder will settle any more. */
static struct waiter *take_all_waiters(struct key_fetcher *fetcher)
{
	struct waiter *all = NULL, **end = &all;
	struct mx_slice server;
	size_t cursor = 0;
	void *value;

	while (mx_map_next(&fetcher->calls, &cursor, &server, &value)) {
		*end = mx_steal(&((struct call *)value)->waiters);
		while (*end)
			end = &(*end)->next;
	}
	mx_map_done(&fetcher->calls, NULL);
	fetcher->calls = (struct mx_map){ 0 };
	return all;
}

static void drop_queue(struct key_fetcher *fetcher)
{
	while (fetcher->queue) {
		struct call *call = fetcher->queue;

		fetcher->queue = call->next;
		call_free(call);
	}
}

void key_fetcher_free(struct key_fetcher *fetcher)
{
	struct waiter *waiters;

	if (!fetcher)
		return;
	pthread_mutex_lock(&fetcher->lock);
	fetcher->stopping = true;
	pthread_cond_broadcast(&fetcher->has_work);
	pthread_mutex_unlock(&fetcher->lock);
	for (unsigned i = 0; i < fetcher->recorders_len; i++)
		pthread_join(fetcher->recorders[i], NULL);
	pthread_mutex_lock(&fetcher->lock);
	waiters = take_all_waiters(fetcher);
	pthread_mutex_unlock(&fetcher->lock);
	tell_waiters(waiters, -MX_BUSY);
	drop_queue(fetcher);
	fetcher_unref(fetcher);
}

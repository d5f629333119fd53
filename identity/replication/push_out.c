/*
 * Ours, pushed to one peer by a thread of its own: a peer that hangs keeps nobody else waiting.
 * The position in the store moves behind what the peer has acknowledged, and never before.
 */
#include "identity/binding/binding.h"
#include "identity/identity.h"
#include "identity/replication/peers.h"
#include "identity/replication/replication_db.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "shared/net/net.h"
#include "shared/store/store.h"

#define BATCH         100
#define PUSH_TARGET   "/_matrix/identity/replicate/v1/push"
#define PUSH_TOTAL_MS (30 * MX_SECOND_MS)
#define RETRY_MS      (2 * MX_SECOND_MS) /* doubled by every failure */
#define RETRY_MAX_MS  (10 * MX_MINUTE_MS)
#define LOOK_MS       MX_MINUTE_MS /* without having been woken */

struct pusher {
	struct replication *replication;
	const struct replication_peer_conf *peer;
	struct mx_metric *sent, *skipped, *failing;
	_Atomic bool stopping;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	bool woken;
	pthread_t thread;

	/* Its thread's own. */
	uint64_t position;
	unsigned failures; /* in a row */
	uint64_t left_out[BATCH]; /* of the batch: what the peer cannot take */
	size_t left_out_len;
};

/* ---- a batch */

struct batch {
	struct binding *items;
	size_t len;
};

static int load_batch(struct pusher *pusher, struct mx_arena *mem, struct batch *ret_batch)
{
	struct identity *identity = pusher->replication->identity;
	struct identity_call call = {
		.identity = identity,
		.view = store_view_begin(identity->store),
		.mem = mem,
		.now_ms = mx_now_ms(),
	};
	int rc = binding_log(&call, pusher->position, BATCH, &ret_batch->items, &ret_batch->len);

	store_view_end(call.view);
	return rc;
}

static bool is_left_out(const struct pusher *pusher, const struct binding *binding)
{
	for (size_t i = 0; i < pusher->left_out_len; i++)
		if (pusher->left_out[i] == binding->number)
			return true;
	return false;
}

/* The bytes that were signed, under their numbers. False if there is nothing to say. */
static bool write_body(const struct pusher *pusher, const struct batch *batch, struct mx_str *out)
{
	bool any = false;

	mx_str_add_text(out, "{\"sgAssocs\":{");
	for (size_t i = 0; i < batch->len; i++) {
		const struct binding *binding = &batch->items[i];

		if (is_left_out(pusher, binding))
			continue;
		mx_str_addf(out, "%s\"%llu\":", any ? "," : "",
			    (unsigned long long)binding->number);
		mx_str_add_slice(out, binding->signed_json);
		any = true;
	}
	mx_str_add_text(out, "}}");
	return any;
}

/* ---- the answer */

static bool is_good(const struct net_response *response)
{
	return response->rc == 0 && response->status >= 200 && response->status < 300;
}

static bool read_number(const json_t *id, uint64_t *ret_number)
{
	int64_t number = json_integer_value(id);

	if (json_is_string(id) && !mx_parse_i64(mx_slice(json_string_value(id)), &number))
		return false;
	*ret_number = (uint64_t)number;
	return number > 0;
}

static void leave_out(struct pusher *pusher, const json_t *ids)
{
	char text[32];

	for (size_t i = 0; i < json_array_size(ids); i++) {
		uint64_t *number = &pusher->left_out[pusher->left_out_len];

		if (pusher->left_out_len == BATCH || !read_number(json_array_get(ids, i), number))
			return;
		pusher->left_out_len++;
		snprintf(text, sizeof(text), "%llu", (unsigned long long)*number);
		mx_log(MX_LOG_WARN, "a peer cannot take one of our bindings, which it does not get",
		       "peer", pusher->peer->name, "number", text, NULL);
		mx_metric_add(pusher->skipped, 1);
	}
}

/* Some of a batch can be unverifiable for the peer, which takes all or nothing: the others go
 * again without them. If all are, it has another key of ours, and that is for an operator. */
static bool go_without(struct pusher *pusher, const struct net_response *response, size_t sent,
		       struct mx_arena *mem)
{
	json_auto_t *answer = NULL;
	size_t failed;

	if (response->rc || response->status != 400 ||
	    mx_json_parse(response->body, &mx_json_default_limits, mem, &answer, NULL))
		return false;
	failed = json_array_size(jarr(answer, "failed_ids"));
	if (failed == 0 || failed >= sent)
		return false;
	leave_out(pusher, jarr(answer, "failed_ids"));
	return true;
}

static void log_failure(const struct pusher *pusher, const struct net_response *response)
{
	char status[32];

	snprintf(status, sizeof(status), "%d", response->status);
	mx_log(MX_LOG_WARN, "a peer does not take our bindings, they are pushed again later",
	       "peer", pusher->peer->name, "status", response->rc ? NULL : status, "why",
	       response->rc ? mx_error_text(&response->err, response->rc) : NULL, NULL);
}

static void note_failure(struct pusher *pusher, const struct net_response *response)
{
	/* The first one, then less and less often. */
	if ((pusher->failures & (pusher->failures + 1)) == 0)
		log_failure(pusher, response);
	pusher->failures++;
	mx_metric_set(pusher->failing, 1);
}

/* ---- pushing */

static void post(const struct pusher *pusher, const struct mx_str *body, struct mx_arena *mem,
		 struct net_response *ret_response)
{
	const char *url = pusher->peer->url;
	size_t len = strlen(url);
	mx_str_auto target = { 0 };
	struct net_request request = {
		.method = "POST",
		.body = mx_str_slice(body),
		.total_ms = PUSH_TOTAL_MS,
		.hurry = &pusher->stopping,
	};

	while (len > 0 && url[len - 1] == '/')
		len--;
	mx_str_add(&target, url, len);
	mx_str_add_text(&target, PUSH_TARGET);
	request.url = target.ptr;
	net_fetch(pusher->replication->net, &request, mem, ret_response);
}

/* False: the position could not be kept; the same is pushed again, and the peer knows it. */
static bool move_on(struct pusher *pusher, const struct batch *batch)
{
	uint64_t number = batch->items[batch->len - 1].number;
	struct mx_error err = { 0 };

	if (replication_db_set_position(pusher->replication->identity->store, pusher->peer->name,
					number, &err)) {
		mx_log(MX_LOG_WARN, "what a peer has got is not noted, it is pushed again", "peer",
		       pusher->peer->name, "why", err.text, NULL);
		return false;
	}
	pusher->position = number;
	pusher->left_out_len = 0;
	pusher->failures = 0;
	mx_metric_set(pusher->failing, 0);
	return true;
}

static bool push_batch(struct pusher *pusher, const struct batch *batch, struct mx_arena *mem)
{
	size_t sent = batch->len - pusher->left_out_len;
	struct net_response response = { 0 };
	mx_str_auto body = { 0 };

	if (!write_body(pusher, batch, &body))
		return move_on(pusher, batch);
	post(pusher, &body, mem, &response);
	if (is_good(&response)) {
		mx_metric_add(pusher->sent, (int64_t)sent);
		return move_on(pusher, batch);
	}
	if (pusher->stopping)
		return false;
	if (go_without(pusher, &response, sent, mem))
		return true;
	note_failure(pusher, &response);
	return false;
}

/* One step; true if the next one is due at once. */
static bool step(struct pusher *pusher)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct batch batch = { 0 };

	if (load_batch(pusher, mem, &batch)) {
		pusher->failures++;
		return false;
	}
	return batch.len > 0 && push_batch(pusher, &batch, mem);
}

/* ---- the thread */

static int64_t pause_ms(const struct pusher *pusher)
{
	int64_t pause = RETRY_MS;

	if (!pusher->failures)
		return LOOK_MS;
	for (unsigned i = 1; i < pusher->failures && pause < RETRY_MAX_MS; i++)
		pause *= 2;
	return pause < RETRY_MAX_MS ? pause : RETRY_MAX_MS;
}

/* A peer that fails is not asked sooner because there is more for it. */
static void wait_for_more(struct pusher *pusher)
{
	struct timespec until = mx_after_us(pause_ms(pusher) * 1000);
	int rc = 0;

	pthread_mutex_lock(&pusher->lock);
	while (rc == 0 && !pusher->stopping && (!pusher->woken || pusher->failures))
		rc = pthread_cond_timedwait(&pusher->wake, &pusher->lock, &until);
	pusher->woken = false;
	pthread_mutex_unlock(&pusher->lock);
}

static void *run(void *ctx)
{
	struct pusher *pusher = ctx;

	while (!pusher->stopping) {
		if (!step(pusher))
			wait_for_more(pusher);
	}
	return NULL;
}

static void add_metrics(struct pusher *pusher, struct mx_metrics *metrics)
{
	mx_autofree char *label = mx_strf("peer=\"%s\"", pusher->peer->name);

	if (!metrics)
		return;
	pusher->sent = mx_counter_new(metrics, "identity_replication_sent_total",
				      "Associations that a peer has taken", label);
	pusher->skipped = mx_counter_new(metrics, "identity_replication_skipped_total",
					 "Associations that a peer cannot take", label);
	pusher->failing = mx_gauge_new(metrics, "identity_replication_failing",
				       "Whether a peer takes nothing", label);
}

struct pusher *pusher_start(struct replication *replication, unsigned i)
{
	struct pusher *pusher = mx_calloc(1, sizeof(*pusher));
	struct mx_error err = { 0 };

	pusher->replication = replication;
	pusher->peer = &replication->conf->peers[i];
	add_metrics(pusher, replication->identity->metrics);
	if (replication_db_position(replication->identity->store, pusher->peer->name,
				    &pusher->position, &err))
		mx_log(MX_LOG_WARN, "where a peer is cannot be read, it gets everything again",
		       "peer", pusher->peer->name, NULL);
	pthread_mutex_init(&pusher->lock, NULL);
	mx_cond_init(&pusher->wake);
	pusher->thread = mx_thread_start("push", run, pusher);
	return pusher;
}

void pusher_wake(struct pusher *pusher)
{
	pthread_mutex_lock(&pusher->lock);
	pusher->woken = true;
	pthread_cond_signal(&pusher->wake);
	pthread_mutex_unlock(&pusher->lock);
}

void pusher_stop(struct pusher *pusher)
{
	pthread_mutex_lock(&pusher->lock);
	pusher->stopping = true;
	pthread_cond_signal(&pusher->wake);
	pthread_mutex_unlock(&pusher->lock);
	pthread_join(pusher->thread, NULL);
	pthread_cond_destroy(&pusher->wake);
	pthread_mutex_destroy(&pusher->lock);
	mx_free(pusher);
}

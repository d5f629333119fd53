#include "shared/outbox/outbox.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/lru.h"
#include "shared/core/metrics.h"
#include "shared/core/rand.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/outbox/state.h"
#include "shared/store/store.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

#define REPORTS_MAX      10000
#define ID_RANDOM_BITS   20
#define INTERRUPTED_TEXT "The daemon ended in the middle"

const struct store_table *const outbox_tables[] = { &outbox_table, NULL };

struct queue *outbox_queue(struct outbox *outbox, struct mx_slice kind)
{
	for (unsigned i = 0; i < outbox->queues_len; i++)
		if (mx_slice_is(kind, outbox->queues[i].kind.name))
			return &outbox->queues[i];
	return NULL;
}

/* ---- what the store says; under the lock */

static struct item *find(struct outbox *outbox, uint64_t id)
{
	return mx_map_find(&outbox->items, outbox_id_slice(&id));
}

void outbox_forget(struct outbox *outbox, struct item *item, enum outbox_result result)
{
	struct outbox_report *report = mx_calloc(1, sizeof(*report));

	report->stage = OUTBOX_ENDED;
	report->result = result;
	report->attempts = item->attempts;
	snprintf(report->why, sizeof(report->why), "%s", item->why);
	mx_lru_put(outbox->ended, outbox_id_slice(&item->id), report, 1);
	mx_metric_add(item->queue->ended[result], 1);
	mx_map_remove(&outbox->items, outbox_id_slice(&item->id));
	queue_remove(item);
}

void outbox_will_end(struct outbox *outbox, uint64_t id, enum outbox_result result)
{
	struct item *item;

	pthread_mutex_lock(&outbox->lock);
	item = find(outbox, id);
	if (item)
		item->end = result;
	pthread_mutex_unlock(&outbox->lock);
}

static void item_is_there(struct outbox *outbox, const struct outbox_row *row)
{
	struct queue *queue = outbox_queue(outbox, row->kind);
	struct item *item = find(outbox, row->id);

	if (!queue || (item && item->sending))
		return;
	if (item && item->due_ms != row->due_ms)
		queue_move(item, row->due_ms);
	if (item)
		return;
	item = queue_add(queue, row->id, row->lane, row->due_ms);
	item->created_ms = row->created_ms;
	item->attempts = row->attempts;
	item->result = OUTBOX_AGAIN;
	snprintf(item->why, sizeof(item->why), "%.*s", MX_SLICE_ARG(row->why));
	mx_map_put(&outbox->items, outbox_id_slice(&item->id), item);
}

static void item_is_gone(struct outbox *outbox, uint64_t id)
{
	struct item *item = find(outbox, id);

	if (item && item->sending)
		item->gone = true;
	else if (item)
		outbox_forget(outbox, item, item->end);
}

static void on_commit(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct outbox *outbox = ctx;
	struct outbox_row row;
	uint64_t id;

	pthread_mutex_lock(&outbox->lock);
	if (!value.ptr && outbox_id_read(key, &id))
		item_is_gone(outbox, id);
	else if (value.ptr && outbox_row_read(key, value, &row))
		item_is_there(outbox, &row);
	pthread_cond_broadcast(&outbox->changed);
	pthread_mutex_unlock(&outbox->lock);
}

/* ---- metrics */

static double read_waiting(void *ctx)
{
	struct queue *queue = ctx;
	size_t len;

	pthread_mutex_lock(&queue->outbox->lock);
	len = queue->items;
	pthread_mutex_unlock(&queue->outbox->lock);
	return (double)len;
}

static double read_oldest(void *ctx)
{
	struct queue *queue = ctx;
	int64_t now_ms = mx_now_ms(), oldest_ms = now_ms;
	struct mx_slice id;
	size_t cursor = 0;
	void *value;

	pthread_mutex_lock(&queue->outbox->lock);
	while (mx_map_next(&queue->outbox->items, &cursor, &id, &value)) {
		const struct item *item = value;

		if (item->queue == queue && item->created_ms < oldest_ms)
			oldest_ms = item->created_ms;
	}
	pthread_mutex_unlock(&queue->outbox->lock);
	return (double)(now_ms - oldest_ms) / MX_SECOND_MS;
}

static void add_metrics(struct queue *queue, struct mx_metrics *metrics)
{
	static const char *const results[] = {
		[OUTBOX_SENT] = "sent",       [OUTBOX_AGAIN] = "again",
		[OUTBOX_REFUSED] = "refused", [OUTBOX_UNSURE] = "unsure",
		[OUTBOX_EXPIRED] = "expired", [OUTBOX_WITHDRAWN] = "withdrawn",
	};
	mx_autofree char *kind = mx_strf("kind=\"%s\"", queue->kind.name);

	for (unsigned i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		mx_autofree char *labels = mx_strf("%s,result=\"%s\"", kind, results[i]);

		queue->ended[i] = mx_counter_new(metrics, "outbox_items_total",
						 "Items of the outbox by how they ended", labels);
	}
	mx_gauge_fn(metrics, "outbox_waiting", "Items that are not sent yet", kind, read_waiting,
		    queue);
	mx_gauge_fn(metrics, "outbox_oldest_seconds", "Age of the oldest item that is not sent yet",
		    kind, read_oldest, queue);
}

/* ---- life */

struct interrupted {
	struct outbox *outbox;
	struct mx_vec(uint64_t) ids;
};

static void take_row(void *ctx, const struct outbox_row *row)
{
	struct interrupted *interrupted = ctx;

	pthread_mutex_lock(&interrupted->outbox->lock);
	item_is_there(interrupted->outbox, row);
	pthread_mutex_unlock(&interrupted->outbox->lock);
	if (row->past_return)
		mx_vec_push(&interrupted->ids, row->id);
}

static int end_interrupted(struct outbox *outbox, uint64_t id, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_txn *txn = store_txn_begin(outbox->store);
	struct outbox_row row;
	int rc = outbox_db_get(txn, id, mem, &row);

	store_txn_abort(txn);
	if (rc || !outbox_queue(outbox, row.kind))
		return 0;
	mx_log(MX_LOG_WARN, "an item of the outbox may have been sent, it is not repeated", "kind",
	       outbox_queue(outbox, row.kind)->kind.name, "id", mx_log_num((int64_t)id), "why",
	       INTERRUPTED_TEXT, NULL);
	return outbox_end(outbox, &row, OUTBOX_UNSURE, err);
}

static int load(struct outbox *outbox, struct mx_error *err)
{
	struct interrupted interrupted = { .outbox = outbox };
	int rc;

	store_watch(outbox->store, &outbox_table, on_commit, outbox);
	rc = outbox_db_each(outbox->store, take_row, &interrupted, err);
	for (size_t i = 0; rc == 0 && i < interrupted.ids.len; i++)
		rc = end_interrupted(outbox, interrupted.ids.items[i], err);
	mx_vec_done(&interrupted.ids);
	return rc;
}

int outbox_new(const struct outbox_conf *conf, struct outbox **ret_outbox, struct mx_error *err)
{
	struct outbox *outbox = mx_calloc(1, sizeof(*outbox));
	int rc;

	assert(conf->kinds_len <= OUTBOX_KINDS_MAX);
	outbox->store = conf->store;
	outbox->queues_len = conf->kinds_len;
	outbox->ended = mx_lru_new(REPORTS_MAX, 0, mx_free);
	pthread_mutex_init(&outbox->lock, NULL);
	mx_cond_init(&outbox->changed);
	for (unsigned i = 0; i < conf->kinds_len; i++) {
		queue_init(&outbox->queues[i], outbox, &conf->kinds[i]);
		if (conf->metrics)
			add_metrics(&outbox->queues[i], conf->metrics);
	}
	rc = load(outbox, err);
	if (rc) {
		outbox_free(outbox);
		return rc;
	}
	*ret_outbox = outbox;
	return 0;
}

void outbox_start(struct outbox *outbox)
{
	for (unsigned i = 0; i < outbox->queues_len; i++)
		for (unsigned j = 0; j < outbox->queues[i].kind.parallel; j++)
			mx_vec_push(&outbox->threads,
				    mx_thread_start("outbox", outbox_worker, &outbox->queues[i]));
}

void outbox_stop(struct outbox *outbox, int64_t grace_ms)
{
	struct timespec until = mx_after_us(grace_ms * 1000);

	pthread_mutex_lock(&outbox->lock);
	outbox->stopping = true;
	pthread_cond_broadcast(&outbox->changed);
	while (outbox->sending > 0 &&
	       pthread_cond_timedwait(&outbox->changed, &outbox->lock, &until) == 0)
		continue;
	pthread_mutex_unlock(&outbox->lock);
	atomic_store(&outbox->hurry, true);
	for (size_t i = 0; i < outbox->threads.len; i++)
		pthread_join(outbox->threads.items[i], NULL);
	mx_vec_done(&outbox->threads);
}

static void free_item(void *item)
{
	queue_remove(item);
}

void outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return;
	outbox_stop(outbox, 0);
	store_watch(outbox->store, &outbox_table, NULL, NULL);
	mx_map_done(&outbox->items, free_item);
	for (unsigned i = 0; i < outbox->queues_len; i++)
		queue_done(&outbox->queues[i]);
	mx_lru_free(outbox->ended);
	pthread_cond_destroy(&outbox->changed);
	pthread_mutex_destroy(&outbox->lock);
	mx_free(outbox);
}

/* ---- adding and asking */

/* Later ones are greater; two of one millisecond collide once in a million times, and then the
 * transaction is run again. */
static uint64_t new_id(void)
{
	uint32_t random = mx_random_below(1u << ID_RANDOM_BITS);

	return (uint64_t)mx_now_ms() << ID_RANDOM_BITS | random;
}

uint64_t outbox_add(struct outbox *outbox, struct store_txn *txn,
		    const struct outbox_new_item *item)
{
	const int64_t now_ms = mx_now_ms();
	const struct outbox_row row = {
		.id = new_id(),
		.kind = mx_slice(item->kind),
		.lane = item->lane,
		.payload = item->payload,
		.created_ms = now_ms,
		.due_ms = item->not_before_ms > now_ms ? item->not_before_ms : now_ms,
	};

	assert(outbox_queue(outbox, row.kind));
	(void)outbox; /* without assertions */
	assert(item->lane.len <= OUTBOX_LANE_MAX && item->payload.len <= OUTBOX_PAYLOAD_MAX);
	outbox_db_add(txn, &row);
	return row.id;
}

static void report_of(const struct item *item, struct outbox_report *report)
{
	*report = (struct outbox_report){
		.stage = item->sending ? OUTBOX_SENDING : OUTBOX_WAITING,
		.result = item->result,
		.attempts = item->attempts,
		.next_ms = item->due_ms,
	};
	snprintf(report->why, sizeof(report->why), "%s", item->why);
}

void outbox_look(struct outbox *outbox, uint64_t id, struct outbox_report *ret_report)
{
	const struct outbox_report *ended;
	const struct item *item;

	*ret_report = (struct outbox_report){ .stage = OUTBOX_UNKNOWN };
	pthread_mutex_lock(&outbox->lock);
	item = find(outbox, id);
	ended = item ? NULL : mx_lru_find(outbox->ended, outbox_id_slice(&id));
	if (item)
		report_of(item, ret_report);
	else if (ended)
		*ret_report = *ended;
	pthread_mutex_unlock(&outbox->lock);
}

void outbox_watch(struct outbox *outbox, uint64_t id, struct req_wake *wake)
{
	struct item *item;

	pthread_mutex_lock(&outbox->lock);
	item = find(outbox, id);
	if (item)
		mx_vec_push(&item->watchers, req_wake_ref(wake));
	pthread_mutex_unlock(&outbox->lock);
	if (!item)
		req_wake(wake);
}

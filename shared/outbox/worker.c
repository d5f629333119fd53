/* Sending: one item at a time, from its turn to its end. */
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/rand.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/outbox/state.h"
#include "shared/store/store.h"

#include <stdatomic.h>
#include <stdio.h>

#define JITTER_PERCENT 20
#define CONFLICTS_MAX  20
#define DOUBLINGS_MAX  40

static int64_t pause_after(const struct outbox_kind *kind, unsigned attempts)
{
	int64_t pause = kind->first_ms;

	for (unsigned i = 1; i < attempts && i < DOUBLINGS_MAX && pause < kind->max_ms; i++)
		pause *= 2;
	return mx_jitter(pause < kind->max_ms ? pause : kind->max_ms, JITTER_PERCENT);
}

/* ---- in the store */

void outbox_end_in(struct outbox *outbox, struct store_txn *txn, const struct outbox_row *row,
		   enum outbox_result result)
{
	const struct queue *queue = outbox_queue(outbox, row->kind);
	const struct outbox_item item = { .id = row->id,
					  .kind = queue ? queue->kind.name : "",
					  .lane = row->lane,
					  .payload = row->payload,
					  .attempts = row->attempts,
					  .created_ms = row->created_ms };

	if (queue && queue->kind.ended)
		queue->kind.ended(queue->kind.ctx, txn, &item, result);
	outbox_db_delete(txn, row->id);
}

static int end_once(struct outbox *outbox, const struct outbox_row *row, enum outbox_result result,
		    struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_txn *txn = store_txn_begin(outbox->store);
	struct outbox_row stored;
	int rc = outbox_db_get(txn, row->id, mem, &stored);

	if (rc) {
		store_txn_abort(txn);
		return mx_fail(err, (enum mx_code) - rc, "%s", mx_errc((enum mx_code) - rc)->text);
	}
	outbox_end_in(outbox, txn, row, result);
	return store_txn_commit(txn, err);
}

int outbox_end(struct outbox *outbox, const struct outbox_row *row, enum outbox_result result,
	       struct mx_error *err)
{
	struct queue *queue = outbox_queue(outbox, row->kind);
	int rc = -MX_CONFLICT;

	outbox_will_end(outbox, row->id, result);
	for (int i = 0; queue && i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++)
		rc = end_once(outbox, row, result, err);
	return queue ? rc : -MX_NOT_FOUND;
}

static int put_again(struct outbox *outbox, const struct outbox_row *row, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_txn *txn = store_txn_begin(outbox->store);
	struct outbox_row stored;
	int rc = outbox_db_get(txn, row->id, mem, &stored);

	if (rc) {
		store_txn_abort(txn);
		return rc;
	}
	outbox_db_put(txn, row);
	return store_txn_commit(txn, err);
}

int outbox_no_return(struct outbox *outbox, const struct outbox_item *item, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_txn *txn = store_txn_begin(outbox->store);
	struct outbox_row row;
	int rc = outbox_db_get(txn, item->id, mem, &row);

	if (rc) {
		store_txn_abort(txn);
		return mx_fail(err, (enum mx_code) - rc, "The item is gone");
	}
	row.past_return = true;
	outbox_db_put(txn, &row);
	return store_txn_commit(txn, err);
}

/* -MX_NOT_FOUND if it was withdrawn meanwhile. */
static int load(struct outbox *outbox, uint64_t id, struct mx_arena *mem, struct outbox_row *row)
{
	struct store_txn *txn = store_txn_begin(outbox->store);
	int rc = outbox_db_get(txn, id, mem, row);

	store_txn_abort(txn);
	return rc;
}

/* ---- one attempt */

struct attempt {
	struct outbox *outbox;
	struct queue *queue;
	struct outbox_row row;
	enum outbox_result result;
	struct mx_error err;
};

static void send_item(struct attempt *attempt)
{
	const struct outbox_kind *kind = &attempt->queue->kind;
	const struct outbox_row *row = &attempt->row;
	const struct outbox_item item = { .id = row->id,
					  .kind = kind->name,
					  .lane = row->lane,
					  .payload = row->payload,
					  .attempts = row->attempts,
					  .created_ms = row->created_ms,
					  .hurry = &attempt->outbox->hurry };

	attempt->result = OUTBOX_EXPIRED;
	if (mx_now_ms() < row->created_ms + kind->give_up_ms)
		attempt->result = kind->send(kind->ctx, &item, &attempt->err);
}

static int64_t next_time(const struct attempt *attempt)
{
	const struct outbox_kind *kind = &attempt->queue->kind;
	int64_t pause_ms = pause_after(kind, attempt->row.attempts);
	int64_t asked_ms = attempt->err.retry_after_ms;
	int64_t end = attempt->row.created_ms + kind->give_up_ms;
	int64_t at = mx_now_ms() + (asked_ms > pause_ms ? asked_ms : pause_ms);

	return at < end ? at : end;
}

static int record(struct attempt *attempt)
{
	struct mx_error err = { 0 };
	int rc;

	if (attempt->result == OUTBOX_AGAIN)
		rc = put_again(attempt->outbox, &attempt->row, &err);
	else
		rc = outbox_end(attempt->outbox, &attempt->row, attempt->result, &err);
	if (rc && rc != -MX_NOT_FOUND && rc != -MX_CONFLICT)
		mx_log(MX_LOG_ERROR, "what was sent cannot be noted, trying again", "why", err.text,
		       NULL);
	return rc;
}

/* False when it is time to stop. */
static bool sleep_a_second(struct outbox *outbox)
{
	return mx_cond_sleep(&outbox->changed, &outbox->lock, &outbox->stopping,
			     MX_SECOND_MS * 1000);
}

/* A full disk must not make anything be sent twice: nothing else is done until it is noted. */
static void settle(struct attempt *attempt)
{
	int rc;

	if (attempt->result == OUTBOX_AGAIN) {
		attempt->row.attempts++;
		attempt->row.due_ms = next_time(attempt);
		attempt->row.why = mx_slice(attempt->err.text);
		attempt->row.past_return = false;
	}
	do {
		rc = record(attempt);
	} while (rc && rc != -MX_NOT_FOUND &&
		 (rc == -MX_CONFLICT || sleep_a_second(attempt->outbox)));
}

static void log_end(const struct attempt *attempt, uint64_t id)
{
	static const char *const texts[] = {
		[OUTBOX_REFUSED] = "an item of the outbox was refused",
		[OUTBOX_UNSURE] = "an item of the outbox may have been sent, it is not repeated",
		[OUTBOX_EXPIRED] = "an item of the outbox was given up",
		[OUTBOX_WITHDRAWN] = NULL,
	};

	if (texts[attempt->result])
		mx_log(MX_LOG_WARN, texts[attempt->result], "kind", attempt->queue->kind.name, "id",
		       mx_log_num((int64_t)id), "why", attempt->err.text, NULL);
}

/* Under the lock. */
static void take_over(struct attempt *attempt, struct item *item)
{
	struct outbox *outbox = attempt->outbox;

	queue_release(item);
	item->attempts = attempt->row.attempts;
	item->result = attempt->result;
	snprintf(item->why, sizeof(item->why), "%s", attempt->err.text);
	if (attempt->result != OUTBOX_AGAIN || item->gone) {
		outbox_forget(outbox, item,
			      attempt->result == OUTBOX_AGAIN ? OUTBOX_WITHDRAWN : attempt->result);
		return;
	}
	item_wake_watchers(item);
	queue_move(item, attempt->row.due_ms);
}

static void attempt_item(struct queue *queue, struct item *item)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct attempt attempt = { .outbox = queue->outbox, .queue = queue };

	attempt.result = OUTBOX_WITHDRAWN;
	if (load(queue->outbox, item->id, mem, &attempt.row) == 0) {
		send_item(&attempt);
		settle(&attempt);
		log_end(&attempt, item->id);
	}
	pthread_mutex_lock(&queue->outbox->lock);
	take_over(&attempt, item);
	pthread_mutex_unlock(&queue->outbox->lock);
}

void *outbox_worker(void *ctx)
{
	struct queue *queue = ctx;
	struct outbox *outbox = queue->outbox;
	int64_t wait_ms = 0;

	pthread_mutex_lock(&outbox->lock);
	while (!outbox->stopping) {
		struct item *item = queue_take(queue, clocks_now(), &wait_ms);
		struct timespec until = mx_after_us(wait_ms * 1000);

		if (!item) {
			pthread_cond_timedwait(&outbox->changed, &outbox->lock, &until);
			continue;
		}
		outbox->sending++;
		pthread_mutex_unlock(&outbox->lock);
		attempt_item(queue, item);
		pthread_mutex_lock(&outbox->lock);
		outbox->sending--;
		pthread_cond_broadcast(&outbox->changed);
	}
	pthread_mutex_unlock(&outbox->lock);
	return NULL;
}

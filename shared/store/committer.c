#include "shared/store/committer.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/store/batch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* How long a group waits for writers that were in the one before and are expected back. A
 * millisecond makes groups a third larger, no commit cheaper, and everybody wait. */
#define GATHER_US_MAX 300

struct watch {
	unsigned table;
	store_watch_fn *fn;
	void *ctx;
};

struct store_committer {
	struct store_engine *engine;
	pthread_t thread;
	pthread_mutex_t lock; /* of the queue; never held while applying */
	pthread_cond_t arrived;
	struct store_batch *first, *last;
	size_t waiting;
	bool stopping;
	size_t expected; /* writers in the last group */
	pthread_mutex_t watch_lock; /* of the watches; held while they are told */
	struct mx_vec(struct watch) watches;
	store_stamp_fn *stamp_fn;
	void *stamp_ctx;
	uint64_t stamp_told;
	struct mx_metric *commits, *groups, *conflicts, *refused, *duration;
};

/* A writer alone never waits: the last group had one batch, and one is here. */
static void wait_for_others(struct store_committer *committer)
{
	struct timespec until = mx_after_us(GATHER_US_MAX);

	while (committer->waiting < committer->expected && !committer->stopping) {
		if (pthread_cond_timedwait(&committer->arrived, &committer->lock, &until))
			return;
	}
}

static struct store_batch *queue_take(struct store_committer *committer)
{
	struct store_batch *batch = committer->first;

	committer->first = batch->next;
	if (!committer->first)
		committer->last = NULL;
	committer->waiting--;
	return batch;
}

/* 0 when the queue is empty and the thread is to end. */
static size_t group_take(struct store_committer *committer, struct store_batch **group)
{
	size_t len = 0, bytes = 0;

	pthread_mutex_lock(&committer->lock);
	while (!committer->first && !committer->stopping)
		pthread_cond_wait(&committer->arrived, &committer->lock);
	if (committer->first)
		wait_for_others(committer);
	while (committer->first && len < STORE_GROUP_MAX) {
		bytes += committer->first->bytes;
		if (len > 0 && bytes > STORE_GROUP_BYTES_MAX)
			break;
		group[len++] = queue_take(committer);
	}
	committer->expected = len;
	pthread_mutex_unlock(&committer->lock);
	return len;
}

static void watches_tell(struct store_committer *committer, const struct store_write *write)
{
	const struct mx_slice none = { 0 };

	if (write->kind == STORE_WRITE_DELETE_RANGE)
		return;
	for (size_t i = 0; i < committer->watches.len; i++) {
		const struct watch *watch = &committer->watches.items[i];

		if (watch->fn && watch->table == write->table)
			watch->fn(watch->ctx, write->key,
				  write->kind == STORE_WRITE_PUT ? write->value : none);
	}
}

static void stamp_tell(struct store_committer *committer)
{
	uint64_t stamp = atomic_load(&committer->engine->stamp);

	if (!committer->stamp_fn || stamp == committer->stamp_told)
		return;
	committer->stamp_told = stamp;
	committer->stamp_fn(committer->stamp_ctx, stamp);
}

static void group_tell(struct store_committer *committer, struct store_batch **group, size_t len)
{
	pthread_mutex_lock(&committer->watch_lock);
	for (size_t i = 0; i < len && committer->watches.len > 0; i++)
		for (size_t j = 0; group[i]->rc == 0 && j < group[i]->writes.len; j++)
			watches_tell(committer, &group[i]->writes.items[j]);
	stamp_tell(committer);
	pthread_mutex_unlock(&committer->watch_lock);
}

static void group_answer(struct store_committer *committer, struct store_batch **group, size_t len)
{
	int64_t now_us = mx_mono_us();

	mx_metric_add(committer->groups, 1);
	for (size_t i = 0; i < len; i++) {
		struct store_batch *batch = group[i];

		mx_metric_observe_us(committer->duration, now_us - batch->queued_us);
		if (batch->rc == 0)
			mx_metric_add(committer->commits, 1);
		else if (batch->rc == -MX_STORE_FULL)
			mx_metric_add(committer->refused, 1);
		else
			mx_metric_add(committer->conflicts, 1);
		batch->done(batch);
	}
}

static void *committer_main(void *arg)
{
	struct store_committer *committer = arg;
	struct store_batch *group[STORE_GROUP_MAX];
	size_t len;

	while ((len = group_take(committer, group)) > 0) {
		committer->engine->ops->apply(committer->engine, group, len);
		store_group_settle(group, len);
		group_tell(committer, group, len);
		group_answer(committer, group, len);
	}
	return NULL;
}

static void metrics_new(struct store_committer *committer, struct mx_metrics *metrics)
{
	if (!metrics)
		return;
	committer->commits = mx_counter_new(metrics, "trinity_store_commits_total",
					    "Transactions made durable", "");
	committer->groups = mx_counter_new(metrics, "trinity_store_groups_total",
					   "Groups of transactions written together", "");
	committer->conflicts = mx_counter_new(metrics, "trinity_store_conflicts_total",
					      "Transactions that failed their checks", "");
	committer->refused = mx_counter_new(metrics, "trinity_store_refused_total",
					    "Transactions refused for want of disk", "");
	committer->duration = mx_histogram_new(metrics, "trinity_store_commit_seconds",
					       "From the call to the answer of a commit", "");
}

struct store_committer *store_committer_new(struct store_engine *engine, struct mx_metrics *metrics)
{
	struct store_committer *committer = mx_calloc(1, sizeof(*committer));

	committer->engine = engine;
	metrics_new(committer, metrics);
	pthread_mutex_init(&committer->lock, NULL);
	pthread_mutex_init(&committer->watch_lock, NULL);
	mx_cond_init(&committer->arrived);
	committer->thread = mx_thread_start("store-commit", committer_main, committer);
	return committer;
}

void store_committer_free(struct store_committer *committer)
{
	pthread_mutex_lock(&committer->lock);
	committer->stopping = true;
	pthread_cond_signal(&committer->arrived);
	pthread_mutex_unlock(&committer->lock);
	pthread_join(committer->thread, NULL);
	pthread_cond_destroy(&committer->arrived);
	pthread_mutex_destroy(&committer->lock);
	pthread_mutex_destroy(&committer->watch_lock);
	mx_vec_done(&committer->watches);
	mx_free(committer);
}

static struct watch *watch_of(struct store_committer *committer, unsigned table)
{
	for (size_t i = 0; i < committer->watches.len; i++)
		if (committer->watches.items[i].table == table)
			return &committer->watches.items[i];
	mx_vec_push(&committer->watches, (struct watch){ .table = table });
	return &committer->watches.items[committer->watches.len - 1];
}

void store_committer_watch(struct store_committer *committer, unsigned table, store_watch_fn *fn,
			   void *ctx)
{
	pthread_mutex_lock(&committer->watch_lock);
	*watch_of(committer, table) = (struct watch){ table, fn, ctx };
	pthread_mutex_unlock(&committer->watch_lock);
}

void store_committer_watch_stamps(struct store_committer *committer, store_stamp_fn *fn, void *ctx)
{
	pthread_mutex_lock(&committer->watch_lock);
	committer->stamp_fn = fn;
	committer->stamp_ctx = ctx;
	committer->stamp_told = atomic_load(&committer->engine->stamp);
	pthread_mutex_unlock(&committer->watch_lock);
}

void store_committer_push(struct store_committer *committer, struct store_batch *batch)
{
	batch->queued_us = mx_mono_us();
	batch->next = NULL;
	pthread_mutex_lock(&committer->lock);
	if (committer->last)
		committer->last->next = batch;
	else
		committer->first = batch;
	committer->last = batch;
	committer->waiting++;
	/* It waits for the first, and then for as many as it expects: not to be woken by each. */
	if (committer->waiting == 1 || committer->waiting >= committer->expected)
		pthread_cond_signal(&committer->arrived);
	pthread_mutex_unlock(&committer->lock);
}

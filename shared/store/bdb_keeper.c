#include "shared/store/bdb_keeper.h"

#include "shared/core/alloc.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/thread.h"
#include "shared/store/bdb.h"

#include <errno.h>

#define SECOND_US 1000000

/* Recovery rolls about 18 ms of work for a megabyte of log. */
#define CHECKPOINT_KBYTES 16384u
#define LOGGED_SIGNAL     (CHECKPOINT_KBYTES * 1024u / 2)

struct bdb_keeper {
	struct bdb *bdb;
	pthread_t thread;
	pthread_mutex_t lock; /* of the fields below; never held while working */
	pthread_cond_t wake;
	bool stopping;
	size_t logged;
	pthread_mutex_t logs_lock; /* held while logs are removed or copied */
	struct mx_metric *full, *hits, *misses;
	uint64_t hits_seen, misses_seen;
};

/* A full disk is no reason to stop: the next checkpoint does the work of this one. */
static void checkpoint(struct bdb_keeper *keeper, uint32_t kbytes)
{
	DB_ENV *env = keeper->bdb->env;
	int rc = env->txn_checkpoint(env, kbytes, 0, 0);

	if (rc == ENOSPC)
		return;
	if (rc)
		store_bdb_fatal(keeper->bdb, "checkpoint", rc);
	pthread_mutex_lock(&keeper->logs_lock);
	rc = env->log_archive(env, NULL, DB_ARCH_REMOVE);
	pthread_mutex_unlock(&keeper->logs_lock);
	store_bdb_catalogue_write(keeper->bdb);
	if (rc)
		mx_log(MX_LOG_WARN, "old logs could not be removed, trying again later", "error",
		       db_strerror(rc), NULL);
}

static void cache_measure(struct bdb_keeper *keeper)
{
	DB_ENV *env = keeper->bdb->env;
	DB_MPOOL_STAT *stat = NULL;

	if (!keeper->hits || env->memp_stat(env, &stat, NULL, 0) || !stat)
		return;
	mx_metric_add(keeper->hits, (int64_t)((uint64_t)stat->st_cache_hit - keeper->hits_seen));
	mx_metric_add(keeper->misses,
		      (int64_t)((uint64_t)stat->st_cache_miss - keeper->misses_seen));
	keeper->hits_seen = (uint64_t)stat->st_cache_hit;
	keeper->misses_seen = (uint64_t)stat->st_cache_miss;
	free(stat);
}

static void keep(struct bdb_keeper *keeper, size_t logged)
{
	struct bdb *bdb = keeper->bdb;

	/* Logs that nobody needs any more may be what fills the disk. */
	if (bdb->directory && !store_space_admits(&bdb->space, 0))
		checkpoint(keeper, 1);
	else if (bdb->directory && logged >= LOGGED_SIGNAL)
		checkpoint(keeper, CHECKPOINT_KBYTES);
	mx_metric_set(keeper->full, store_space_is_full(&bdb->space));
	cache_measure(keeper);
}

static void *keeper_main(void *arg)
{
	struct bdb_keeper *keeper = arg;
	size_t logged;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping) {
		struct timespec until = mx_after_us(SECOND_US);

		pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
		logged = keeper->logged;
		if (logged >= LOGGED_SIGNAL)
			keeper->logged = 0;
		pthread_mutex_unlock(&keeper->lock);
		keep(keeper, logged);
		pthread_mutex_lock(&keeper->lock);
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

static void metrics_new(struct bdb_keeper *keeper, struct mx_metrics *metrics)
{
	if (!metrics)
		return;
	keeper->full = mx_gauge_new(metrics, "trinity_store_full",
				    "1 while commits are refused for want of disk", "");
	keeper->hits = mx_counter_new(metrics, "trinity_store_cache_hits_total",
				      "Pages found in the store's cache", "");
	keeper->misses = mx_counter_new(metrics, "trinity_store_cache_misses_total",
					"Pages read from the disk", "");
}

struct bdb_keeper *store_keeper_start(struct bdb *bdb, struct mx_metrics *metrics)
{
	struct bdb_keeper *keeper = mx_calloc(1, sizeof(*keeper));

	keeper->bdb = bdb;
	metrics_new(keeper, metrics);
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_mutex_init(&keeper->logs_lock, NULL);
	mx_cond_init(&keeper->wake);
	keeper->thread = mx_thread_start("store-keep", keeper_main, keeper);
	return keeper;
}

void store_keeper_stop(struct bdb_keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->stopping = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
	pthread_cond_destroy(&keeper->wake);
	pthread_mutex_destroy(&keeper->logs_lock);
	pthread_mutex_destroy(&keeper->lock);
	mx_free(keeper);
}

void store_keeper_logged(struct bdb_keeper *keeper, size_t bytes)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->logged += bytes;
	if (keeper->logged >= LOGGED_SIGNAL)
		pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

void store_keeper_pause(struct bdb_keeper *keeper)
{
	pthread_mutex_lock(&keeper->logs_lock);
}

void store_keeper_resume(struct bdb_keeper *keeper)
{
	pthread_mutex_unlock(&keeper->logs_lock);
}

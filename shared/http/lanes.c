#include "shared/http/lanes.h"

#include "shared/core/alloc.h"
#include "shared/core/thread.h"
#include "shared/http/exchange.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct exchange *first, **end;
	unsigned queued, idle;
	bool stopping;
	enum route_lane lane;
	void (*run)(struct exchange *ex, enum route_lane lane);
	pthread_t *threads;
	unsigned threads_len, threads_max;
};

struct lanes {
	struct pool work, net;
};

static struct exchange *pool_take(struct pool *pool)
{
	struct exchange *ex;

	pthread_mutex_lock(&pool->lock);
	while (!pool->first && !pool->stopping) {
		pool->idle++;
		pthread_cond_wait(&pool->wake, &pool->lock);
		pool->idle--;
	}
	ex = pool->first;
	if (ex) {
		pool->first = ex->next;
		if (!pool->first)
			pool->end = &pool->first;
		pool->queued--;
	}
	pthread_mutex_unlock(&pool->lock);
	return ex;
}

static void *pool_main(void *ctx)
{
	struct pool *pool = ctx;
	struct exchange *ex;

	while ((ex = pool_take(pool)) != NULL)
		pool->run(ex, pool->lane);
	return NULL;
}

/* With the lock held, or before anybody else knows the pool. The first one must start; the others
 * are started when there is work for them: most daemons never need all. */
static void add_thread(struct pool *pool)
{
	const char *name = pool->lane == LANE_NET ? "http-net" : "http-work";
	pthread_t *thread = &pool->threads[pool->threads_len];

	if (pool->threads_len == 0)
		*thread = mx_thread_start(name, pool_main, pool);
	else if (!mx_thread_try(name, pool_main, pool, thread))
		return;
	pool->threads_len++;
}

static void pool_start(struct pool *pool, enum route_lane lane, unsigned threads,
		       void (*run)(struct exchange *, enum route_lane))
{
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->wake, NULL);
	pool->end = &pool->first;
	pool->lane = lane;
	pool->run = run;
	pool->threads = mx_calloc(threads, sizeof(*pool->threads));
	pool->threads_max = threads;
	add_thread(pool);
}

static void pool_stop(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->wake);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->threads_len; i++)
		pthread_join(pool->threads[i], NULL);
	mx_free(pool->threads);
	pthread_cond_destroy(&pool->wake);
	pthread_mutex_destroy(&pool->lock);
}

static bool pool_push(struct pool *pool, struct exchange *ex, bool always)
{
	bool fits;

	pthread_mutex_lock(&pool->lock);
	fits = always || pool->queued < LANE_QUEUE_MAX;
	if (fits) {
		ex->next = NULL;
		*pool->end = ex;
		pool->end = &ex->next;
		pool->queued++;
		if (pool->queued > pool->idle && pool->threads_len < pool->threads_max &&
		    !pool->stopping)
			add_thread(pool);
		else if (pool->idle > 0)
			pthread_cond_signal(&pool->wake);
	}
	pthread_mutex_unlock(&pool->lock);
	return fits;
}

struct lanes *lanes_new(unsigned work_threads, unsigned net_threads,
			void (*run)(struct exchange *ex, enum route_lane lane))
{
	struct lanes *lanes = mx_calloc(1, sizeof(*lanes));

	pool_start(&lanes->work, LANE_WORK, work_threads, run);
	pool_start(&lanes->net, LANE_NET, net_threads, run);
	return lanes;
}

void lanes_free(struct lanes *lanes)
{
	if (!lanes)
		return;
	pool_stop(&lanes->net);
	pool_stop(&lanes->work);
	mx_free(lanes);
}

static struct pool *pool_of(struct lanes *lanes, enum route_lane lane)
{
	return lane == LANE_NET ? &lanes->net : &lanes->work;
}

bool lanes_push(struct lanes *lanes, struct exchange *ex, enum route_lane lane)
{
	return pool_push(pool_of(lanes, lane), ex, false);
}

void lanes_push_again(struct lanes *lanes, struct exchange *ex, enum route_lane lane)
{
	pool_push(pool_of(lanes, lane), ex, true);
}

unsigned lanes_queued(struct lanes *lanes, enum route_lane lane)
{
	struct pool *pool = pool_of(lanes, lane);
	unsigned queued;

	pthread_mutex_lock(&pool->lock);
	queued = pool->queued;
	pthread_mutex_unlock(&pool->lock);
	return queued;
}

#include "homeserver/ephemeral/ticker.h"

#include "shared/core/alloc.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"

#include <pthread.h>
#include <stdbool.h>

#define WAIT_MAX_MS MX_HOUR_MS

struct ticker {
	int64_t (*run)(void *ctx, int64_t mono_ms);
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool wake, stopping;
};

static void wait_until(struct ticker *ticker, int64_t due_ms)
{
	int64_t wait_ms = due_ms - mx_mono_ms();
	struct timespec until;

	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	until = mx_after_us((wait_ms > 0 ? wait_ms : 0) * 1000);
	while (!ticker->wake && !ticker->stopping)
		if (pthread_cond_timedwait(&ticker->woken, &ticker->lock, &until))
			break;
	ticker->wake = false;
}

static void *run_ticker(void *ctx)
{
	struct ticker *ticker = ctx;

	pthread_mutex_lock(&ticker->lock);
	while (!ticker->stopping) {
		int64_t due_ms;

		pthread_mutex_unlock(&ticker->lock);
		due_ms = ticker->run(ticker->ctx, mx_mono_ms());
		pthread_mutex_lock(&ticker->lock);
		wait_until(ticker, due_ms);
	}
	pthread_mutex_unlock(&ticker->lock);
	return NULL;
}

struct ticker *ticker_start(const char *name, int64_t (*run)(void *ctx, int64_t mono_ms), void *ctx)
{
	struct ticker *ticker = mx_calloc(1, sizeof(*ticker));

	ticker->run = run;
	ticker->ctx = ctx;
	pthread_mutex_init(&ticker->lock, NULL);
	mx_cond_init(&ticker->woken);
	ticker->thread = mx_thread_start(name, run_ticker, ticker);
	return ticker;
}

void ticker_wake(struct ticker *ticker)
{
	pthread_mutex_lock(&ticker->lock);
	ticker->wake = true;
	pthread_cond_signal(&ticker->woken);
	pthread_mutex_unlock(&ticker->lock);
}

void ticker_stop(struct ticker *ticker)
{
	if (!ticker)
		return;
	pthread_mutex_lock(&ticker->lock);
	ticker->stopping = true;
	pthread_cond_signal(&ticker->woken);
	pthread_mutex_unlock(&ticker->lock);
	pthread_join(ticker->thread, NULL);
	pthread_cond_destroy(&ticker->woken);
	pthread_mutex_destroy(&ticker->lock);
	mx_free(ticker);
}

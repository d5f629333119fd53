#include "shared/keys/key_wait.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/keys/key_fetch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* Held by him who waits and by the fetch, which may end after he gave up. */
struct wait {
	_Atomic int refs;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool is_over;
	int rc;
};

static struct wait *wait_new(void)
{
	struct wait *wait = mx_calloc(1, sizeof(*wait));
	pthread_condattr_t attributes;

	wait->refs = 2;
	pthread_mutex_init(&wait->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&wait->ended, &attributes);
	pthread_condattr_destroy(&attributes);
	return wait;
}

static void wait_unref(struct wait *wait)
{
	if (atomic_fetch_sub(&wait->refs, 1) > 1)
		return;
	pthread_cond_destroy(&wait->ended);
	pthread_mutex_destroy(&wait->lock);
	mx_free(wait);
}

static void fetched(void *ctx, int rc)
{
	struct wait *wait = ctx;

	pthread_mutex_lock(&wait->lock);
	wait->is_over = true;
	wait->rc = rc;
	pthread_cond_signal(&wait->ended);
	pthread_mutex_unlock(&wait->lock);
	wait_unref(wait);
}

static struct timespec after(int64_t ms)
{
	struct timespec then;

	clock_gettime(CLOCK_MONOTONIC, &then);
	then.tv_sec += ms / MX_SECOND_MS;
	return then;
}

int key_wait_fetch(struct key_fetcher *fetcher, struct mx_slice server, int64_t at_most_ms)
{
	struct timespec until = after(at_most_ms);
	struct wait *wait = wait_new();
	int rc;

	key_fetch(fetcher, server, false, fetched, wait);
	pthread_mutex_lock(&wait->lock);
	while (!wait->is_over)
		if (pthread_cond_timedwait(&wait->ended, &wait->lock, &until))
			break;
	rc = wait->is_over ? wait->rc : -MX_REMOTE_TIMEOUT;
	pthread_mutex_unlock(&wait->lock);
	wait_unref(wait);
	return rc;
}

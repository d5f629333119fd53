#include "shared/keys/key_wait.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/thread.h"
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

	wait->refs = 2;
	pthread_mutex_init(&wait->lock, NULL);
	mx_cond_init(&wait->ended);
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

int key_wait_fetch(struct key_fetcher *fetcher, struct mx_slice server, int64_t at_most_ms)
{
	struct timespec until = mx_after_us(at_most_ms * 1000);
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

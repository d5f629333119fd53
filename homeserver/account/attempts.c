#include "homeserver/account/attempts.h"

#include "homeserver/account/account_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/lru.h"
#include "shared/core/time.h"

#include <math.h>
#include <pthread.h>

#define KNOWN_MAX 20000

/* A leaky bucket: failures that count. It leaks with the clock, and an attempt is allowed while
 * there is room for one more. */
struct bucket {
	double failures;
	int64_t at_ms; /* monotonic */
};

struct attempts {
	pthread_mutex_t lock;
	struct mx_lru *buckets; /* user or address → struct bucket */
};

struct attempts *attempts_new(void)
{
	struct attempts *attempts = mx_calloc(1, sizeof(*attempts));

	pthread_mutex_init(&attempts->lock, NULL);
	attempts->buckets = mx_lru_new(KNOWN_MAX, 0, mx_free);
	return attempts;
}

void attempts_free(struct attempts *attempts)
{
	if (!attempts)
		return;
	mx_lru_free(attempts->buckets);
	pthread_mutex_destroy(&attempts->lock);
	mx_free(attempts);
}

static double leak_per_ms(const struct login_conf *conf)
{
	return (double)conf->failures_per_minute / MX_MINUTE_MS;
}

static void leak(struct bucket *bucket, const struct login_conf *conf)
{
	int64_t now_ms = mx_mono_ms();

	bucket->failures -= (double)(now_ms - bucket->at_ms) * leak_per_ms(conf);
	if (bucket->failures < 0)
		bucket->failures = 0;
	bucket->at_ms = now_ms;
}

int64_t attempts_wait_ms(struct attempts *attempts, const struct login_conf *conf,
			 struct mx_slice who)
{
	struct bucket *bucket;
	double over = 0;

	pthread_mutex_lock(&attempts->lock);
	bucket = mx_lru_find(attempts->buckets, who);
	if (bucket) {
		leak(bucket, conf);
		over = bucket->failures + 1 - conf->failures_burst;
	}
	pthread_mutex_unlock(&attempts->lock);
	return over > 0 ? (int64_t)ceil(over / leak_per_ms(conf)) : 0;
}

void attempts_failed(struct attempts *attempts, const struct login_conf *conf, struct mx_slice who)
{
	struct bucket *bucket;

	pthread_mutex_lock(&attempts->lock);
	bucket = mx_lru_find(attempts->buckets, who);
	if (!bucket) {
		bucket = mx_calloc(1, sizeof(*bucket));
		bucket->at_ms = mx_mono_ms();
		mx_lru_put(attempts->buckets, who, bucket, 1);
	}
	leak(bucket, conf);
	bucket->failures += 1;
	pthread_mutex_unlock(&attempts->lock);
}

#include "shared/http/gate_limit.h"

#include "shared/core/alloc.h"
#include "shared/core/rand.h"

#include <math.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

#define SETS  4096 /* × WAYS × 24 bytes = 768 KiB */
#define WAYS  8
#define LOCKS 64

/* Who is only a keyed hash: nobody can aim at another client's bucket. */
struct bucket {
	uint64_t who; /* 0 = free */
	double tokens;
	int64_t at_ms;
};

struct limiter {
	_Atomic double rate_per_ms[LIMIT_COUNT], burst[LIMIT_COUNT];
	uint8_t key[crypto_shorthash_KEYBYTES];
	pthread_mutex_t locks[LOCKS];
	struct bucket buckets[SETS][WAYS];
};

void limiter_set(struct limiter *limiter, const struct http_limit limits[LIMIT_COUNT])
{
	for (int i = 0; i < LIMIT_COUNT; i++) {
		double burst = limits[i].burst < 1 ? 1 : limits[i].burst;

		atomic_store_explicit(&limiter->burst[i], burst, memory_order_relaxed);
		atomic_store_explicit(&limiter->rate_per_ms[i], limits[i].per_second / 1000,
				      memory_order_relaxed);
	}
}

struct limiter *limiter_new(const struct http_limit limits[LIMIT_COUNT])
{
	struct limiter *limiter = mx_calloc(1, sizeof(*limiter));

	mx_random_bytes(limiter->key, sizeof(limiter->key));
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&limiter->locks[i], NULL);
	limiter_set(limiter, limits);
	return limiter;
}

void limiter_free(struct limiter *limiter)
{
	if (!limiter)
		return;
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&limiter->locks[i]);
	mx_free(limiter);
}

static uint64_t hash_of(struct limiter *limiter, enum route_limit limit, struct mx_slice who)
{
	uint8_t digest[crypto_shorthash_BYTES];
	uint64_t hash;

	crypto_shorthash(digest, (const uint8_t *)who.ptr, who.len, limiter->key);
	memcpy(&hash, digest, sizeof(hash));
	hash ^= (uint64_t)limit * UINT64_C(0x9E3779B97F4A7C15);
	return hash ? hash : 1;
}

/* The one of `who`, else the free or oldest one, made full. */
static struct bucket *bucket_find(struct bucket set[WAYS], uint64_t who, double burst,
				  int64_t now_ms)
{
	struct bucket *oldest = &set[0];

	for (int i = 0; i < WAYS; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].who == 0 || (oldest->who != 0 && set[i].at_ms < oldest->at_ms))
			oldest = &set[i];
	}
	*oldest = (struct bucket){ .who = who, .tokens = burst, .at_ms = now_ms };
	return oldest;
}

static int64_t bucket_take(struct bucket *bucket, double rate, double burst, int64_t now_ms)
{
	if (now_ms > bucket->at_ms)
		bucket->tokens += (double)(now_ms - bucket->at_ms) * rate;
	if (bucket->tokens > burst)
		bucket->tokens = burst;
	bucket->at_ms = now_ms;
	if (bucket->tokens < 1)
		return (int64_t)ceil((1 - bucket->tokens) / rate);
	bucket->tokens -= 1;
	return 0;
}

int64_t limiter_take(struct limiter *limiter, enum route_limit limit, struct mx_slice who,
		     int64_t now_ms)
{
	double rate = atomic_load_explicit(&limiter->rate_per_ms[limit], memory_order_relaxed);
	double burst = atomic_load_explicit(&limiter->burst[limit], memory_order_relaxed);
	uint64_t hash;
	unsigned set;
	int64_t wait_ms;

	if (limit == LIMIT_NONE || rate <= 0)
		return 0;
	hash = hash_of(limiter, limit, who);
	set = (unsigned)(hash % SETS);
	pthread_mutex_lock(&limiter->locks[set % LOCKS]);
	wait_ms = bucket_take(bucket_find(limiter->buckets[set], hash, burst, now_ms), rate, burst,
			      now_ms);
	pthread_mutex_unlock(&limiter->locks[set % LOCKS]);
	return wait_ms;
}

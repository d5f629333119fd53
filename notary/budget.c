#include "notary/budget.h"

#include "shared/core/alloc.h"
#include "shared/core/lru.h"
#include "shared/core/time.h"

#include <arpa/inet.h>
#include <pthread.h>

#define ASKERS_MAX  50000
#define IPV4_PREFIX 3 /* bytes of a /24 */
#define IPV6_PREFIX 7 /* bytes of a /56 */

struct bucket {
	double left;
	int64_t filled_ms;
};

struct budget {
	pthread_mutex_t lock;
	struct budget_conf conf;
	struct bucket total;
	struct mx_lru *askers; /* prefix → struct bucket */
};

struct budget *budget_new(const struct budget_conf *conf)
{
	struct budget *budget = mx_calloc(1, sizeof(*budget));

	pthread_mutex_init(&budget->lock, NULL);
	budget->conf = *conf;
	budget->total = (struct bucket){ conf->total_burst, mx_mono_ms() };
	budget->askers = mx_lru_new(ASKERS_MAX, 0, mx_free);
	return budget;
}

void budget_free(struct budget *budget)
{
	if (!budget)
		return;
	mx_lru_free(budget->askers);
	pthread_mutex_destroy(&budget->lock);
	mx_free(budget);
}

void budget_set(struct budget *budget, const struct budget_conf *conf)
{
	pthread_mutex_lock(&budget->lock);
	budget->conf = *conf;
	pthread_mutex_unlock(&budget->lock);
}

/* The part of the address that one asker cannot change at will; other texts as they are. */
static struct mx_slice prefix_of(const char *address, unsigned char bytes[16])
{
	if (inet_pton(AF_INET, address, bytes) == 1)
		return mx_slice_of(bytes, IPV4_PREFIX);
	if (inet_pton(AF_INET6, address, bytes) == 1)
		return mx_slice_of(bytes, IPV6_PREFIX);
	return mx_slice(address);
}

static void fill(struct bucket *bucket, unsigned burst, unsigned per_minute)
{
	int64_t now = mx_mono_ms();

	bucket->left += (double)(now - bucket->filled_ms) * per_minute / MX_MINUTE_MS;
	if (bucket->left > burst)
		bucket->left = burst;
	bucket->filled_ms = now;
}

static struct bucket *asker_bucket(struct budget *budget, const char *address)
{
	unsigned char bytes[16];
	struct mx_slice prefix = prefix_of(address, bytes);
	struct bucket *bucket = mx_lru_find(budget->askers, prefix);

	if (bucket)
		return bucket;
	bucket = mx_alloc(sizeof(*bucket));
	*bucket = (struct bucket){ budget->conf.burst, mx_mono_ms() };
	mx_lru_put(budget->askers, prefix, bucket, 1);
	return bucket;
}

bool budget_take(struct budget *budget, const char *address)
{
	struct bucket *asker;
	bool granted;

	pthread_mutex_lock(&budget->lock);
	asker = asker_bucket(budget, address);
	fill(asker, budget->conf.burst, budget->conf.per_minute);
	fill(&budget->total, budget->conf.total_burst, budget->conf.total_per_minute);
	granted = asker->left >= 1 && budget->total.left >= 1;
	if (granted) {
		asker->left -= 1;
		budget->total.left -= 1;
	}
	pthread_mutex_unlock(&budget->lock);
	return granted;
}

size_t budget_askers(struct budget *budget)
{
	size_t count;

	pthread_mutex_lock(&budget->lock);
	count = mx_lru_len(budget->askers);
	pthread_mutex_unlock(&budget->lock);
	return count;
}

double budget_left(struct budget *budget)
{
	double left;

	pthread_mutex_lock(&budget->lock);
	fill(&budget->total, budget->conf.total_burst, budget->conf.total_per_minute);
	left = budget->total.left;
	pthread_mutex_unlock(&budget->lock);
	return left;
}

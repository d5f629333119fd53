#include "shared/threepid/budgets.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/lru.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <arpa/inet.h>
#include <assert.h>
#include <math.h>
#include <pthread.h>

/* Each takes about 200 bytes with its name. Who is pushed out begins with a full bucket. */
#define BUCKETS_MAX 100000

#define IPV4_MAPPED_LEN 12

struct bucket {
	double level; /* what is left */
	int64_t at_ms; /* monotonic */
};

struct budgets {
	pthread_mutex_t lock;
	struct mx_lru *buckets;
	unsigned kinds;
	struct budget_rate rates[BUDGETS_MAX];
	struct mx_metric *refused[BUDGETS_MAX];
};

static void add_metrics(struct budgets *budgets, const struct budgets_conf *conf)
{
	char label[64];

	for (unsigned kind = 0; conf->metrics && kind < conf->kinds; kind++) {
		if (!conf->names[kind])
			continue;
		snprintf(label, sizeof(label), "budget=\"%s\"", conf->names[kind]);
		budgets->refused[kind] = mx_counter_new(conf->metrics, conf->metric,
							"Requests that had no budget left", label);
	}
}

struct budgets *budgets_new(const struct budgets_conf *conf)
{
	struct budgets *budgets = mx_calloc(1, sizeof(*budgets));

	assert(conf->kinds <= BUDGETS_MAX);
	pthread_mutex_init(&budgets->lock, NULL);
	budgets->buckets = mx_lru_new(BUCKETS_MAX, 0, mx_free);
	budgets->kinds = conf->kinds;
	memcpy(budgets->rates, conf->rates, conf->kinds * sizeof(*conf->rates));
	add_metrics(budgets, conf);
	return budgets;
}

void budgets_set(struct budgets *budgets, const struct budget_rate *rates)
{
	pthread_mutex_lock(&budgets->lock);
	memcpy(budgets->rates, rates, budgets->kinds * sizeof(*rates));
	pthread_mutex_unlock(&budgets->lock);
}

void budgets_free(struct budgets *budgets)
{
	if (!budgets)
		return;
	mx_lru_free(budgets->buckets);
	pthread_mutex_destroy(&budgets->lock);
	mx_free(budgets);
}

/* ---- buckets; the lock is held */

static struct bucket *bucket_of(struct budgets *budgets, unsigned kind, const char *name,
				int64_t now_ms)
{
	const struct budget_rate *rate = &budgets->rates[kind];
	mx_str_auto key = { 0 };
	struct bucket *bucket;

	mx_str_add_char(&key, (char)('a' + kind));
	mx_str_add_text(&key, name);
	bucket = mx_lru_find(budgets->buckets, mx_str_slice(&key));
	if (!bucket) {
		bucket = mx_calloc(1, sizeof(*bucket));
		*bucket = (struct bucket){ rate->burst, now_ms };
		mx_lru_put(budgets->buckets, mx_str_slice(&key), bucket, 1);
	}
	bucket->level += (double)(now_ms - bucket->at_ms) / (double)rate->refill_ms;
	bucket->level = fmin(bucket->level, rate->burst);
	bucket->at_ms = now_ms;
	return bucket;
}

static int64_t wait_of(const struct budget_rate *rate, double lacking)
{
	return (int64_t)ceil(lacking * (double)rate->refill_ms);
}

static int64_t take(struct budgets *budgets, unsigned kind, const char *name, double amount)
{
	struct bucket *bucket = bucket_of(budgets, kind, name, mx_mono_ms());

	if (bucket->level < amount)
		return wait_of(&budgets->rates[kind], amount - bucket->level);
	bucket->level -= amount;
	return 0;
}

int budgets_take(struct budgets *budgets, unsigned kind, const char *name, double amount,
		 int64_t *ret_retry_ms, struct mx_error *err)
{
	int64_t wait_ms;

	pthread_mutex_lock(&budgets->lock);
	wait_ms = take(budgets, kind, name, amount);
	pthread_mutex_unlock(&budgets->lock);
	if (wait_ms == 0)
		return 0;
	if (budgets->refused[kind])
		mx_metric_add(budgets->refused[kind], 1);
	*ret_retry_ms = wait_ms;
	if (err)
		err->retry_after_ms = wait_ms;
	return mx_fail(err, MX_LIMIT_EXCEEDED, "Too many requests: try again later");
}

void budgets_give(struct budgets *budgets, unsigned kind, const char *name, double amount)
{
	struct bucket *bucket;

	pthread_mutex_lock(&budgets->lock);
	bucket = bucket_of(budgets, kind, name, mx_mono_ms());
	bucket->level = fmin(bucket->level + amount, budgets->rates[kind].burst);
	pthread_mutex_unlock(&budgets->lock);
}

/* ---- networks */

static void write_network(int family, unsigned char *bytes, unsigned bits, char ret_prefix[64])
{
	char text[INET6_ADDRSTRLEN];
	unsigned len = family == AF_INET ? 4 : 16;

	memset(bytes + bits / 8, 0, len - bits / 8);
	inet_ntop(family, bytes, text, sizeof(text));
	snprintf(ret_prefix, 64, "%s/%u", text, bits);
}

void budgets_prefix(const char *address, char ret_prefix[64])
{
	static const unsigned char mapped[IPV4_MAPPED_LEN] = { [10] = 0xff, [11] = 0xff };
	unsigned char bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1) {
		write_network(AF_INET, bytes, 24, ret_prefix);
		return;
	}
	if (inet_pton(AF_INET6, address, bytes) != 1) {
		snprintf(ret_prefix, 64, "%.63s", address); /* a unix socket's peer */
		return;
	}
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
		write_network(AF_INET, bytes + IPV4_MAPPED_LEN, 24, ret_prefix);
	else
		write_network(AF_INET6, bytes, 56, ret_prefix);
}

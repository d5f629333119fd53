#include "shared/net/backoff.h"

#include "shared/core/alloc.h"
#include "shared/core/map.h"
#include "shared/core/rand.h"
#include "shared/core/time.h"
#include "shared/net/list.h"

#include <pthread.h>

#define FIRST_MS       (30 * MX_SECOND_MS)
#define MAX_MS         MX_HOUR_MS
#define ENTRIES_MAX    100000
#define JITTER_PERCENT 25

/* Pauses are kept by the monotonic clock: a jump of the wall clock releases nobody. */
struct entry {
	struct net_link link; /* the least recently failed first */
	unsigned failures;
	int64_t until_ms;
	int64_t probe_until_ms; /* somebody tries; the others wait until then */
	size_t key_len;
	char key[];
};

struct net_backoff {
	pthread_mutex_t lock;
	int64_t first_ms, max_ms;
	size_t entries_max;
	struct mx_map entries;
	struct net_link order;
};

struct net_backoff *net_backoff_new(const struct net_backoff_conf *conf)
{
	struct net_backoff *set = mx_calloc(1, sizeof(*set));

	pthread_mutex_init(&set->lock, NULL);
	net_list_init(&set->order);
	set->first_ms = conf && conf->first_ms ? conf->first_ms : FIRST_MS;
	set->max_ms = conf && conf->max_ms ? conf->max_ms : MAX_MS;
	set->entries_max = conf && conf->entries_max ? conf->entries_max : ENTRIES_MAX;
	return set;
}

void net_backoff_free(struct net_backoff *set)
{
	if (!set)
		return;
	mx_map_done(&set->entries, mx_free);
	pthread_mutex_destroy(&set->lock);
	mx_free(set);
}

static void drop(struct net_backoff *set, struct entry *entry)
{
	if (!entry)
		return;
	net_list_remove(&entry->link);
	mx_map_remove(&set->entries, mx_slice_of(entry->key, entry->key_len));
	mx_free(entry);
}

/* The entry of key, new if need be, now the most recently failed. */
static struct entry *touch(struct net_backoff *set, struct mx_slice key)
{
	struct entry *entry = mx_map_find(&set->entries, key);

	if (!entry) {
		if (set->entries.len >= set->entries_max)
			drop(set, net_entry(set->order.next, struct entry, link));
		entry = mx_calloc(1, sizeof(*entry) + key.len);
		entry->key_len = key.len;
		memcpy(entry->key, key.ptr, key.len);
		mx_map_put(&set->entries, key, entry);
	}
	net_list_remove(&entry->link);
	net_list_push(&set->order, &entry->link);
	return entry;
}

static int64_t pause_of(const struct net_backoff *set, unsigned failures)
{
	int64_t pause = set->first_ms;

	for (unsigned i = 1; i < failures && pause < set->max_ms; i++)
		pause *= 2;
	return mx_jitter(pause < set->max_ms ? pause : set->max_ms, JITTER_PERCENT);
}

bool net_backoff_may_try(struct net_backoff *set, struct mx_slice key)
{
	int64_t now = mx_mono_ms();
	struct entry *entry;
	bool may = true;

	pthread_mutex_lock(&set->lock);
	entry = mx_map_find(&set->entries, key);
	if (entry) {
		may = now >= entry->until_ms && now >= entry->probe_until_ms;
		if (may)
			entry->probe_until_ms = now + set->first_ms;
	}
	pthread_mutex_unlock(&set->lock);
	return may;
}

void net_backoff_failed(struct net_backoff *set, struct mx_slice key)
{
	int64_t now = mx_mono_ms();
	struct entry *entry;

	pthread_mutex_lock(&set->lock);
	entry = touch(set, key);
	/* Requests that were under way when the pause began are part of the same failure. */
	if (now >= entry->until_ms) {
		entry->failures++;
		entry->until_ms = now + pause_of(set, entry->failures);
	}
	entry->probe_until_ms = 0;
	pthread_mutex_unlock(&set->lock);
}

void net_backoff_worked(struct net_backoff *set, struct mx_slice key)
{
	pthread_mutex_lock(&set->lock);
	drop(set, mx_map_find(&set->entries, key));
	pthread_mutex_unlock(&set->lock);
}

static int64_t wall_until(const struct entry *entry)
{
	int64_t left = entry->until_ms - mx_mono_ms();

	return left > 0 ? mx_now_ms() + left : 0;
}

int64_t net_backoff_until_ms(struct net_backoff *set, struct mx_slice key, unsigned *ret_failures)
{
	const struct entry *entry;
	int64_t until = 0;
	unsigned failures = 0;

	pthread_mutex_lock(&set->lock);
	entry = mx_map_find(&set->entries, key);
	if (entry) {
		until = wall_until(entry);
		failures = entry->failures;
	}
	pthread_mutex_unlock(&set->lock);
	if (ret_failures)
		*ret_failures = failures;
	return until;
}

size_t net_backoff_len(struct net_backoff *set)
{
	size_t len;

	pthread_mutex_lock(&set->lock);
	len = set->entries.len;
	pthread_mutex_unlock(&set->lock);
	return len;
}

void net_backoff_restore(struct net_backoff *set, struct mx_slice key, int64_t until_ms,
			 unsigned failures)
{
	int64_t left = until_ms - mx_now_ms();
	int64_t longest = set->max_ms + set->max_ms * JITTER_PERCENT / 100;
	struct entry *entry;

	pthread_mutex_lock(&set->lock);
	entry = touch(set, key);
	entry->failures = failures;
	/* A clock that was wrong when it was written must not lock anybody out. */
	entry->until_ms = mx_mono_ms() + (left < longest ? left : longest);
	pthread_mutex_unlock(&set->lock);
}

void net_backoff_each(struct net_backoff *set,
		      void (*visit)(void *ctx, struct mx_slice key, int64_t until_ms,
				    unsigned failures),
		      void *ctx)
{
	pthread_mutex_lock(&set->lock);
	for (struct net_link *link = set->order.next; link != &set->order; link = link->next) {
		const struct entry *entry = net_entry(link, struct entry, link);

		visit(ctx, mx_slice_of(entry->key, entry->key_len), wall_until(entry),
		      entry->failures);
	}
	pthread_mutex_unlock(&set->lock);
}

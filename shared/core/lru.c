#include "shared/core/lru.h"

#include "shared/core/alloc.h"
#include "shared/core/map.h"
#include "shared/core/time.h"

struct entry {
	struct entry *newer, *older;
	void *value;
	size_t cost;
	int64_t born_ms;
	size_t key_len;
	char key[];
};

struct mx_lru {
	struct mx_map entries;
	struct entry *newest, *oldest;
	size_t cost, max_cost;
	int64_t max_age_ms;
	void (*free_value)(void *);
};

struct mx_lru *mx_lru_new(size_t max_cost, int64_t max_age_ms, void (*free_value)(void *))
{
	struct mx_lru *lru = mx_calloc(1, sizeof(*lru));

	lru->max_cost = max_cost;
	lru->max_age_ms = max_age_ms;
	lru->free_value = free_value;
	return lru;
}

static void unlink_entry(struct mx_lru *lru, struct entry *entry)
{
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		lru->newest = entry->older;
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		lru->oldest = entry->newer;
}

static void link_newest(struct mx_lru *lru, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = lru->newest;
	if (lru->newest)
		lru->newest->newer = entry;
	lru->newest = entry;
	if (!lru->oldest)
		lru->oldest = entry;
}

static void drop(struct mx_lru *lru, struct entry *entry)
{
	mx_map_remove(&lru->entries, mx_slice_of(entry->key, entry->key_len));
	unlink_entry(lru, entry);
	lru->cost -= entry->cost;
	if (lru->free_value)
		lru->free_value(entry->value);
	mx_free(entry);
}

void *mx_lru_find(struct mx_lru *lru, struct mx_slice key)
{
	struct entry *entry = mx_map_find(&lru->entries, key);

	if (!entry)
		return NULL;
	if (lru->max_age_ms && mx_mono_ms() - entry->born_ms > lru->max_age_ms) {
		drop(lru, entry);
		return NULL;
	}
	if (entry != lru->newest) {
		unlink_entry(lru, entry);
		link_newest(lru, entry);
	}
	return entry->value;
}

void mx_lru_put(struct mx_lru *lru, struct mx_slice key, void *value, size_t cost)
{
	struct entry *entry;

	mx_lru_remove(lru, key);
	entry = mx_alloc(sizeof(*entry) + key.len);
	*entry = (struct entry){
		.value = value, .cost = cost, .born_ms = mx_mono_ms(), .key_len = key.len
	};
	if (key.len)
		memcpy(entry->key, key.ptr, key.len);
	mx_map_put(&lru->entries, key, entry);
	link_newest(lru, entry);
	lru->cost += cost;
	while (lru->cost > lru->max_cost && lru->oldest)
		drop(lru, lru->oldest);
}

void mx_lru_remove(struct mx_lru *lru, struct mx_slice key)
{
	struct entry *entry = mx_map_find(&lru->entries, key);

	if (entry)
		drop(lru, entry);
}

void mx_lru_clear(struct mx_lru *lru)
{
	while (lru->oldest)
		drop(lru, lru->oldest);
}

void mx_lru_free(struct mx_lru *lru)
{
	if (!lru)
		return;
	mx_lru_clear(lru);
	mx_map_done(&lru->entries, NULL);
	mx_free(lru);
}

void mx_lru_each(const struct mx_lru *lru,
		 void (*visit)(void *ctx, struct mx_slice key, void *value), void *ctx)
{
	for (const struct entry *entry = lru->newest; entry; entry = entry->older)
		visit(ctx, mx_slice_of(entry->key, entry->key_len), entry->value);
}

size_t mx_lru_len(const struct mx_lru *lru)
{
	return lru->entries.len;
}

size_t mx_lru_cost(const struct mx_lru *lru)
{
	return lru->cost;
}

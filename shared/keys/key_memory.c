/* Locks: shard->lock, the innermost, held for one look-up or one insertion. */
#include "shared/keys/key_memory.h"

#include "shared/core/alloc.h"
#include "shared/core/lru.h"
#include "shared/core/rand.h"
#include "shared/keys/key_entry.h"

#include <pthread.h>

#define SHARDS_MAX      16
#define SHARD_BYTES_MIN (4u * 1024 * 1024) /* room for entries of the largest servers */
#define UNKNOWN_SHARE   32 /* 1/32 more for servers that have no keys */
/* What the list and its table need for an entry beside its block: two copies of the name, a
 * node, and a slot at a load of about a half. */
#define NODE_BYTES 192

struct shard {
	pthread_mutex_t lock;
	struct mx_lru *known, *unknown;
};

struct key_memory {
	struct shard shards[SHARDS_MAX];
	size_t len;
	size_t entry_max;
	uint64_t seed;
};

static void entry_free(void *entry)
{
	key_entry_unref(entry);
}

struct key_memory *key_memory_new(size_t bytes)
{
	struct key_memory *memory = mx_calloc(1, sizeof(*memory));

	memory->len = bytes / SHARD_BYTES_MIN;
	if (memory->len < 1)
		memory->len = 1;
	if (memory->len > SHARDS_MAX)
		memory->len = SHARDS_MAX;
	memory->entry_max = bytes / memory->len / 4;
	mx_random_bytes(&memory->seed, sizeof(memory->seed));
	for (size_t i = 0; i < memory->len; i++) {
		struct shard *shard = &memory->shards[i];

		pthread_mutex_init(&shard->lock, NULL);
		shard->known = mx_lru_new(bytes / memory->len, 0, entry_free);
		shard->unknown = mx_lru_new(bytes / memory->len / UNKNOWN_SHARE, KEY_UNKNOWN_MS,
					    entry_free);
	}
	return memory;
}

void key_memory_free(struct key_memory *memory)
{
	if (!memory)
		return;
	for (size_t i = 0; i < memory->len; i++) {
		mx_lru_free(memory->shards[i].known);
		mx_lru_free(memory->shards[i].unknown);
		pthread_mutex_destroy(&memory->shards[i].lock);
	}
	mx_free(memory);
}

/* FNV-1a: only spreads load; the tables behind it have a keyed hash. */
static struct shard *shard_of(struct key_memory *memory, struct mx_slice server)
{
	uint64_t hash = memory->seed;

	for (size_t i = 0; i < server.len; i++)
		hash = (hash ^ (uint8_t)server.ptr[i]) * UINT64_C(0x100000001b3);
	return &memory->shards[(hash >> 32) % memory->len];
}

struct key_entry *key_memory_find(struct key_memory *memory, struct mx_slice server)
{
	struct shard *shard = shard_of(memory, server);
	struct key_entry *entry;

	pthread_mutex_lock(&shard->lock);
	entry = mx_lru_find(shard->known, server);
	if (!entry)
		entry = mx_lru_find(shard->unknown, server);
	if (entry)
		key_entry_ref(entry);
	pthread_mutex_unlock(&shard->lock);
	return entry;
}

void key_memory_put(struct key_memory *memory, struct key_entry *entry)
{
	struct shard *shard = shard_of(memory, entry->server);
	size_t cost = entry->cost + NODE_BYTES + 2 * entry->server.len;

	pthread_mutex_lock(&shard->lock);
	mx_lru_remove(shard->unknown, entry->server);
	if (entry->len == 0) {
		mx_lru_remove(shard->known, entry->server);
		mx_lru_put(shard->unknown, entry->server, key_entry_ref(entry), cost);
	} else if (cost <= memory->entry_max) {
		mx_lru_put(shard->known, entry->server, key_entry_ref(entry), cost);
	} else {
		mx_lru_remove(shard->known, entry->server);
	}
	pthread_mutex_unlock(&shard->lock);
}

void key_memory_remove(struct key_memory *memory, struct mx_slice server)
{
	struct shard *shard = shard_of(memory, server);

	pthread_mutex_lock(&shard->lock);
	mx_lru_remove(shard->known, server);
	mx_lru_remove(shard->unknown, server);
	pthread_mutex_unlock(&shard->lock);
}

void key_memory_clear(struct key_memory *memory)
{
	for (size_t i = 0; i < memory->len; i++) {
		struct shard *shard = &memory->shards[i];

		pthread_mutex_lock(&shard->lock);
		mx_lru_clear(shard->known);
		mx_lru_clear(shard->unknown);
		pthread_mutex_unlock(&shard->lock);
	}
}

void key_memory_size(struct key_memory *memory, size_t *ret_entries, size_t *ret_bytes)
{
	*ret_entries = *ret_bytes = 0;
	for (size_t i = 0; i < memory->len; i++) {
		struct shard *shard = &memory->shards[i];

		pthread_mutex_lock(&shard->lock);
		*ret_entries += mx_lru_len(shard->known);
		*ret_bytes += mx_lru_cost(shard->known);
		pthread_mutex_unlock(&shard->lock);
	}
}

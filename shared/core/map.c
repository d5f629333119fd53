#include "shared/core/map.h"

#include "shared/core/alloc.h"

#include <pthread.h>
#include <sodium.h>
#include <stdint.h>

/* Open addressing with linear probing; removal shifts the cluster back, so no tombstones. */

struct mx_map_slot {
	char *key;
	size_t key_len;
	uint64_t hash;
	void *value;
};

static unsigned char seed[crypto_shorthash_KEYBYTES];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_init(void)
{
	randombytes_buf(seed, sizeof(seed));
}

static uint64_t hash_of(struct mx_slice key)
{
	uint64_t hash;

	pthread_once(&seed_once, seed_init);
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)key.ptr, key.len, seed);
	return hash;
}

static bool slot_holds(const struct mx_map_slot *slot, uint64_t hash, struct mx_slice key)
{
	return slot->hash == hash && slot->key_len == key.len &&
	       (key.len == 0 || memcmp(slot->key, key.ptr, key.len) == 0);
}

/* The slot of key, or the free one where it belongs. cap > len, so the walk ends. */
static size_t slot_index(const struct mx_map *map, uint64_t hash, struct mx_slice key)
{
	size_t i = hash & (map->cap - 1);

	while (map->slots[i].key && !slot_holds(&map->slots[i], hash, key))
		i = (i + 1) & (map->cap - 1);
	return i;
}

static void grow(struct mx_map *map)
{
	struct mx_map old = *map;

	map->cap = old.cap ? old.cap * 2 : 16;
	map->slots = mx_calloc(map->cap, sizeof(*map->slots));
	for (size_t i = 0; i < old.cap; i++) {
		const struct mx_map_slot *slot = &old.slots[i];

		if (slot->key)
			map->slots[slot_index(map, slot->hash,
					      mx_slice_of(slot->key, slot->key_len))] = *slot;
	}
	mx_free(old.slots);
}

void mx_map_done(struct mx_map *map, void (*free_value)(void *))
{
	for (size_t i = 0; i < map->cap; i++) {
		if (!map->slots[i].key)
			continue;
		mx_free(map->slots[i].key);
		if (free_value)
			free_value(map->slots[i].value);
	}
	mx_free(map->slots);
	*map = (struct mx_map){ 0 };
}

void *mx_map_find(const struct mx_map *map, struct mx_slice key)
{
	if (!map->len)
		return NULL;
	return map->slots[slot_index(map, hash_of(key), key)].value;
}

void *mx_map_put(struct mx_map *map, struct mx_slice key, void *value)
{
	uint64_t hash = hash_of(key);
	struct mx_map_slot *slot;
	void *replaced;

	if (map->len >= map->cap / 4 * 3)
		grow(map);
	slot = &map->slots[slot_index(map, hash, key)];
	replaced = slot->value;
	slot->value = value;
	if (slot->key)
		return replaced;
	slot->key = mx_strndup(key.ptr, key.len);
	slot->key_len = key.len;
	slot->hash = hash;
	map->len++;
	return NULL;
}

/* Closes the gap at `hole` by moving later members of the cluster that may live there. */
static void shift_back(struct mx_map *map, size_t hole)
{
	size_t mask = map->cap - 1;

	for (size_t i = (hole + 1) & mask; map->slots[i].key; i = (i + 1) & mask) {
		size_t home = map->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		map->slots[hole] = map->slots[i];
		hole = i;
	}
	map->slots[hole] = (struct mx_map_slot){ 0 };
}

void *mx_map_remove(struct mx_map *map, struct mx_slice key)
{
	size_t i;
	void *value;

	if (!map->len)
		return NULL;
	i = slot_index(map, hash_of(key), key);
	if (!map->slots[i].key)
		return NULL;
	value = map->slots[i].value;
	mx_free(map->slots[i].key);
	shift_back(map, i);
	map->len--;
	return value;
}

bool mx_map_next(const struct mx_map *map, size_t *cursor, struct mx_slice *ret_key,
		 void **ret_value)
{
	while (*cursor < map->cap) {
		const struct mx_map_slot *slot = &map->slots[(*cursor)++];

		if (!slot->key)
			continue;
		*ret_key = mx_slice_of(slot->key, slot->key_len);
		*ret_value = slot->value;
		return true;
	}
	return false;
}

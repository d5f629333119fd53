#include "identity/binding/lookup_memory.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/thread.h"
#include "shared/store/each.h"
#include "shared/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

#define SHARDS     256 /* a power of two: a shard that grows holds up few readers, and briefly */
#define SLOTS_MIN  16
#define SLOTS_FULL 3 / 4

/* Half of a SHA-256 is more than anybody can find two of. */
struct half_hash {
	uint64_t words[2];
};

struct remembered {
	int64_t not_before_ms, not_after_ms;
	uint32_t user_len;
	char user_id[];
};

struct slot {
	struct half_hash hash;
	struct remembered *value; /* NULL: free */
};

struct shard {
	pthread_rwlock_t lock;
	struct slot *slots; /* linear probing */
	size_t len, cap;
};

struct lookup_memory {
	struct store *store;
	size_t bytes_max;
	_Atomic size_t bytes;
	_Atomic bool given_up;
	struct shard shards[SHARDS];
};

/* ---- one shard */

static struct half_hash half_of(uint64_t generation, const uint8_t hash[LOOKUP_HASH_LEN])
{
	struct half_hash half;

	memcpy(half.words, hash, sizeof(half.words));
	half.words[1] += generation;
	return half;
}

static bool same_hash(const struct half_hash *a, const struct half_hash *b)
{
	return a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

static struct shard *shard_of(struct lookup_memory *memory, const struct half_hash *hash)
{
	return &memory->shards[hash->words[0] % SHARDS];
}

static size_t home_of(const struct shard *shard, const struct half_hash *hash)
{
	return hash->words[0] / SHARDS & (shard->cap - 1);
}

/* Its slot, or the free one where it belongs. */
static struct slot *find_slot(const struct shard *shard, const struct half_hash *hash)
{
	size_t at = home_of(shard, hash);

	while (shard->slots[at].value && !same_hash(&shard->slots[at].hash, hash))
		at = (at + 1) & (shard->cap - 1);
	return &shard->slots[at];
}

static void grow(struct lookup_memory *memory, struct shard *shard)
{
	struct shard old = *shard;

	shard->cap = old.cap ? old.cap * 2 : SLOTS_MIN;
	shard->slots = mx_calloc(shard->cap, sizeof(*shard->slots));
	for (size_t i = 0; i < old.cap; i++) {
		if (old.slots[i].value)
			*find_slot(shard, &old.slots[i].hash) = old.slots[i];
	}
	mx_free(old.slots);
	memory->bytes += (shard->cap - old.cap) * sizeof(*shard->slots);
}

static size_t size_of(const struct remembered *value)
{
	return sizeof(*value) + value->user_len + 1;
}

static void forget_value(struct lookup_memory *memory, struct slot *slot)
{
	memory->bytes -= size_of(slot->value);
	mx_free(slot->value);
	slot->value = NULL;
}

static void put(struct lookup_memory *memory, struct shard *shard, const struct half_hash *hash,
		struct remembered *value)
{
	struct slot *slot;

	if (shard->len >= shard->cap * SLOTS_FULL)
		grow(memory, shard);
	slot = find_slot(shard, hash);
	if (slot->value)
		forget_value(memory, slot);
	else
		shard->len++;
	*slot = (struct slot){ *hash, value };
	memory->bytes += size_of(value);
}

/* What stands behind a freed slot moves up, or probes would end too early. */
static void close_gap(struct shard *shard, size_t gap)
{
	size_t mask = shard->cap - 1;

	for (size_t at = (gap + 1) & mask; shard->slots[at].value; at = (at + 1) & mask) {
		size_t home = home_of(shard, &shard->slots[at].hash);

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		shard->slots[gap] = shard->slots[at];
		shard->slots[at].value = NULL;
		gap = at;
	}
}

static void take_out(struct lookup_memory *memory, struct shard *shard,
		     const struct half_hash *hash)
{
	struct slot *slot = shard->cap ? find_slot(shard, hash) : NULL;

	if (!slot || !slot->value)
		return;
	forget_value(memory, slot);
	shard->len--;
	close_gap(shard, (size_t)(slot - shard->slots));
}

static void empty_shard(struct lookup_memory *memory, struct shard *shard)
{
	for (size_t i = 0; i < shard->cap; i++) {
		if (shard->slots[i].value)
			forget_value(memory, &shard->slots[i]);
	}
	memory->bytes -= shard->cap * sizeof(*shard->slots);
	mx_free(shard->slots);
	shard->slots = NULL;
	shard->len = shard->cap = 0;
}

/* ---- in step with the store */

static void give_up(struct lookup_memory *memory)
{
	memory->given_up = true;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_rwlock_wrlock(&memory->shards[i].lock);
		empty_shard(memory, &memory->shards[i]);
		pthread_rwlock_unlock(&memory->shards[i].lock);
	}
	mx_log(MX_LOG_WARN, "look-ups do not fit into their memory; the store answers them",
	       "bytes", mx_log_num((int64_t)memory->bytes_max), NULL);
}

static struct remembered *value_of(const struct lookup_entry *entry)
{
	size_t len = strlen(entry->user_id);
	struct remembered *value = mx_alloc(sizeof(*value) + len + 1);

	value->not_before_ms = entry->not_before_ms;
	value->not_after_ms = entry->not_after_ms;
	value->user_len = (uint32_t)len;
	memcpy(value->user_id, entry->user_id, len + 1);
	return value;
}

/* A row that nobody can read is not remembered wrongly: all look-ups go to the store then, which
 * says what is wrong with it. */
static void apply(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct lookup_memory *memory = ctx;
	mx_arena_auto *mem = NULL;
	struct lookup_row row;
	struct half_hash half;
	struct shard *shard;

	if (memory->given_up)
		return;
	mem = mx_arena_new(0);
	if (!lookup_db_read(key, value, mem, &row)) {
		give_up(memory);
		return;
	}
	half = half_of(row.generation, row.hash);
	shard = shard_of(memory, &half);
	pthread_rwlock_wrlock(&shard->lock);
	if (row.entry.user_id)
		put(memory, shard, &half, value_of(&row.entry));
	else
		take_out(memory, shard, &half);
	pthread_rwlock_unlock(&shard->lock);
	if (memory->bytes > memory->bytes_max)
		give_up(memory);
}

static void apply_row(void *ctx, const struct store_row *row)
{
	apply(ctx, row->key, row->value);
}

int lookup_memory_new(struct store *store, size_t bytes_max, struct lookup_memory **ret_memory,
		      struct mx_error *err)
{
	struct lookup_memory *memory;
	int rc;

	*ret_memory = NULL;
	if (bytes_max == 0)
		return 0;
	memory = mx_calloc(1, sizeof(*memory));
	memory->store = store;
	memory->bytes_max = bytes_max;
	for (size_t i = 0; i < SHARDS; i++)
		mx_rwlock_init(&memory->shards[i].lock);
	store_watch(store, &lookup_table, apply, memory);
	rc = store_each(store, &lookup_table, apply_row, memory, err);
	if (rc) {
		lookup_memory_free(memory);
		return rc;
	}
	*ret_memory = memory;
	return 0;
}

void lookup_memory_free(struct lookup_memory *memory)
{
	if (!memory)
		return;
	store_watch(memory->store, &lookup_table, NULL, NULL);
	for (size_t i = 0; i < SHARDS; i++) {
		empty_shard(memory, &memory->shards[i]);
		pthread_rwlock_destroy(&memory->shards[i].lock);
	}
	mx_free(memory);
}

/* ---- asking */

static void get(struct shard *shard, const struct half_hash *hash, struct mx_arena *mem,
		struct lookup_entry *ret_entry)
{
	const struct remembered *value = NULL;

	*ret_entry = (struct lookup_entry){ 0 };
	pthread_rwlock_rdlock(&shard->lock);
	if (shard->cap)
		value = find_slot(shard, hash)->value;
	if (value)
		*ret_entry = (struct lookup_entry){
			.user_id = mx_arena_strndup(mem, value->user_id, value->user_len),
			.not_before_ms = value->not_before_ms,
			.not_after_ms = value->not_after_ms,
		};
	pthread_rwlock_unlock(&shard->lock);
}

bool lookup_memory_get_many(struct lookup_memory *memory, const struct lookup_hashes *hashes,
			    struct mx_arena *mem, struct lookup_entry *ret_entries)
{
	if (!memory || memory->given_up)
		return false;
	for (size_t i = 0; i < hashes->len; i++) {
		struct half_hash half = half_of(hashes->generation, hashes->items[i]);

		get(shard_of(memory, &half), &half, mem, &ret_entries[i]);
	}
	/* Given up meanwhile, it forgot some of them. */
	return !memory->given_up;
}

size_t lookup_memory_bytes(struct lookup_memory *memory)
{
	return memory && !memory->given_up ? memory->bytes : 0;
}

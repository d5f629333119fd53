#include "identity/binding/lookup_table.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/thread.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#define SHARDS    256 /* one that grows holds up few readers, and briefly */
#define SLOTS_MIN 16
#define HEAP_MIN  512

/* Slots are full at four fifths, and both grow by a quarter: what stands empty is memory that
 * hashes could have. */
#define IS_FULL(len, cap) ((len) >= (cap) / 5 * 4)
#define MORE(cap)         ((cap) + (cap) / 4)

/* Of a place: times stand before the text. */
#define TIMED 0x80000000u

/* Half of a SHA-256 is more than anybody can find two of. Words, so that nothing lies between
 * slots. */
struct slot {
	uint32_t hash[4];
	uint32_t place; /* of the text in the heap; 0: the slot is free */
};

struct times {
	int64_t not_before_ms, not_after_ms;
};

struct shard {
	pthread_rwlock_t lock;
	struct slot *slots; /* linear probing */
	uint8_t *heap; /* texts, each behind its length; nothing is at 0 */
	uint32_t len, cap, heap_len, heap_cap, heap_dead;
};

struct lookup_table {
	_Atomic size_t len, bytes;
	struct shard shards[SHARDS];
};

/* ---- slots */

static struct shard *shard_of(struct lookup_table *table, const uint8_t *hash)
{
	return &table->shards[hash[0] % SHARDS];
}

/* By other bits than the shard's; any number of slots will do. */
static uint32_t home_of(const struct shard *shard, const uint32_t hash[4])
{
	return (uint32_t)((uint64_t)hash[1] * shard->cap >> 32);
}

static uint32_t next_of(const struct shard *shard, uint32_t at)
{
	return at + 1 == shard->cap ? 0 : at + 1;
}

/* Its slot, or the free one where it belongs. */
static struct slot *find_slot(const struct shard *shard, const uint32_t hash[4])
{
	uint32_t at = home_of(shard, hash);

	while (shard->slots[at].place &&
	       memcmp(shard->slots[at].hash, hash, sizeof(shard->slots[at].hash)) != 0)
		at = next_of(shard, at);
	return &shard->slots[at];
}

static void grow_slots(struct lookup_table *table, struct shard *shard)
{
	struct shard old = *shard;

	shard->cap = old.cap ? MORE(old.cap) : SLOTS_MIN;
	shard->slots = mx_calloc(shard->cap, sizeof(*shard->slots));
	for (uint32_t i = 0; i < old.cap; i++) {
		if (old.slots[i].place)
			*find_slot(shard, old.slots[i].hash) = old.slots[i];
	}
	mx_free(old.slots);
	table->bytes += (shard->cap - old.cap) * sizeof(*shard->slots);
}

/* How far `to` is behind `from`. */
static uint32_t distance(const struct shard *shard, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + shard->cap - from;
}

/* What stands behind a freed slot moves up, or probes would end too early. */
static void close_gap(struct shard *shard, uint32_t gap)
{
	for (uint32_t at = next_of(shard, gap); shard->slots[at].place; at = next_of(shard, at)) {
		uint32_t home = home_of(shard, shard->slots[at].hash);

		if (distance(shard, home, at) < distance(shard, gap, at))
			continue;
		shard->slots[gap] = shard->slots[at];
		shard->slots[at].place = 0;
		gap = at;
	}
}

/* ---- texts */

static uint32_t size_at(const struct shard *shard, uint32_t place)
{
	uint32_t at = place & ~TIMED, times = place & TIMED ? sizeof(struct times) : 0;

	return times + 1 + shard->heap[at + times];
}

static struct lookup_entry entry_at(const struct shard *shard, uint32_t place, struct mx_arena *mem)
{
	const uint8_t *text = shard->heap + (place & ~TIMED);
	struct times times = { 0 };

	if (place & TIMED) {
		memcpy(&times, text, sizeof(times));
		text += sizeof(times);
	}
	return (struct lookup_entry){
		.user_id = mx_arena_strndup(mem, (const char *)text + 1, *text),
		.not_before_ms = times.not_before_ms,
		.not_after_ms = times.not_after_ms,
	};
}

/* A heap of the size that is needed now, without what is dead. */
static void renew_heap(struct lookup_table *table, struct shard *shard, uint32_t more)
{
	uint32_t live = shard->heap_len - shard->heap_dead;
	uint32_t cap = MORE(live + more) < HEAP_MIN ? HEAP_MIN : MORE(live + more);
	uint8_t *heap = mx_alloc(cap);
	uint32_t len = 1;

	assert(cap < TIMED);
	for (uint32_t i = 0; i < shard->cap; i++) {
		struct slot *slot = &shard->slots[i];
		uint32_t size = slot->place ? size_at(shard, slot->place) : 0;

		if (size == 0)
			continue;
		memcpy(heap + len, shard->heap + (slot->place & ~TIMED), size);
		slot->place = len | (slot->place & TIMED);
		len += size;
	}
	mx_free(shard->heap);
	table->bytes += cap;
	table->bytes -= shard->heap_cap;
	shard->heap = heap;
	shard->heap_cap = cap;
	shard->heap_len = len;
	shard->heap_dead = 0;
}

static uint32_t add_text(struct lookup_table *table, struct shard *shard,
			 const struct lookup_entry *entry)
{
	const struct times times = { entry->not_before_ms, entry->not_after_ms };
	bool timed = times.not_before_ms || times.not_after_ms;
	size_t len = strlen(entry->user_id);
	uint32_t size = (uint32_t)((timed ? sizeof(times) : 0) + 1 + len), place;

	assert(len <= LOOKUP_USER_MAX);
	if (shard->heap_len + size > shard->heap_cap)
		renew_heap(table, shard, size);
	place = shard->heap_len;
	shard->heap_len += size;
	if (timed)
		memcpy(shard->heap + place, &times, sizeof(times));
	shard->heap[shard->heap_len - len - 1] = (uint8_t)len;
	memcpy(shard->heap + shard->heap_len - len, entry->user_id, len);
	return place | (timed ? TIMED : 0);
}

static void kill_text(struct shard *shard, struct slot *slot)
{
	shard->heap_dead += size_at(shard, slot->place);
	slot->place = 0;
}

/* ---- a shard's writer */

static void put(struct lookup_table *table, struct shard *shard, const uint32_t hash[4],
		const struct lookup_entry *entry)
{
	struct slot *slot;
	uint32_t place;

	if (IS_FULL(shard->len, shard->cap))
		grow_slots(table, shard);
	slot = find_slot(shard, hash);
	if (slot->place)
		shard->heap_dead += size_at(shard, slot->place);
	else
		table->len++;
	shard->len += slot->place == 0;
	slot->place = 0;
	place = add_text(table, shard, entry);
	memcpy(slot->hash, hash, sizeof(slot->hash));
	slot->place = place;
}

static void take_out(struct lookup_table *table, struct shard *shard, const uint32_t hash[4])
{
	struct slot *slot = shard->cap ? find_slot(shard, hash) : NULL;

	if (!slot || !slot->place)
		return;
	kill_text(shard, slot);
	shard->len--;
	table->len--;
	close_gap(shard, (uint32_t)(slot - shard->slots));
	if (shard->heap_dead > HEAP_MIN && shard->heap_dead > shard->heap_len / 2)
		renew_heap(table, shard, 0);
}

static void clear_shard(struct lookup_table *table, struct shard *shard)
{
	table->len -= shard->len;
	table->bytes -= shard->cap * sizeof(*shard->slots) + shard->heap_cap;
	mx_free(shard->slots);
	mx_free(shard->heap);
	shard->slots = NULL;
	shard->heap = NULL;
	shard->len = shard->cap = shard->heap_len = shard->heap_cap = shard->heap_dead = 0;
}

/* ---- the table */

struct lookup_table *lookup_table_new(void)
{
	struct lookup_table *table = mx_calloc(1, sizeof(*table));

	for (size_t i = 0; i < SHARDS; i++)
		mx_rwlock_init(&table->shards[i].lock);
	return table;
}

void lookup_table_free(struct lookup_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		clear_shard(table, &table->shards[i]);
		pthread_rwlock_destroy(&table->shards[i].lock);
	}
	mx_free(table);
}

void lookup_table_get(struct lookup_table *table, const uint8_t hash[LOOKUP_HASH_LEN],
		      struct mx_arena *mem, struct lookup_entry *ret_entry)
{
	struct shard *shard = shard_of(table, hash);
	uint32_t half[4], place = 0;

	memcpy(half, hash, sizeof(half));
	*ret_entry = (struct lookup_entry){ 0 };
	pthread_rwlock_rdlock(&shard->lock);
	if (shard->cap)
		place = find_slot(shard, half)->place;
	if (place)
		*ret_entry = entry_at(shard, place, mem);
	pthread_rwlock_unlock(&shard->lock);
}

void lookup_table_put(struct lookup_table *table, const uint8_t hash[LOOKUP_HASH_LEN],
		      const struct lookup_entry *entry)
{
	struct shard *shard = shard_of(table, hash);
	uint32_t half[4];

	memcpy(half, hash, sizeof(half));
	pthread_rwlock_wrlock(&shard->lock);
	put(table, shard, half, entry);
	pthread_rwlock_unlock(&shard->lock);
}

void lookup_table_remove(struct lookup_table *table, const uint8_t hash[LOOKUP_HASH_LEN])
{
	struct shard *shard = shard_of(table, hash);
	uint32_t half[4];

	memcpy(half, hash, sizeof(half));
	pthread_rwlock_wrlock(&shard->lock);
	take_out(table, shard, half);
	pthread_rwlock_unlock(&shard->lock);
}

void lookup_table_clear(struct lookup_table *table)
{
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_rwlock_wrlock(&table->shards[i].lock);
		clear_shard(table, &table->shards[i]);
		pthread_rwlock_unlock(&table->shards[i].lock);
	}
}

size_t lookup_table_len(const struct lookup_table *table)
{
	return table->len;
}

size_t lookup_table_bytes(const struct lookup_table *table)
{
	return table->bytes;
}

#include "identity/binding/lookup_memory.h"

#include "identity/binding/lookup_table.h"
#include "identity/binding/pepper_db.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/store/each.h"
#include "shared/store/store.h"

#include <stdatomic.h>

/* Of a pepper. Tables are made once and used again, so that a reader may have one that was just
 * given up: it sees the number change. */
struct generation {
	_Atomic uint64_t number; /* 0: nobody's */
	struct lookup_table *table;
};

struct lookup_memory {
	struct store *store;
	size_t bytes_max;
	_Atomic uint64_t first; /* older generations are not remembered */
	struct generation generations[PEPPERS_MAX];
};

/* ---- the writer: the start, then the committer */

static struct generation *find(struct lookup_memory *memory, uint64_t number)
{
	for (size_t i = 0; i < PEPPERS_MAX; i++)
		if (memory->generations[i].number == number)
			return &memory->generations[i];
	return NULL;
}

static struct generation *find_oldest(struct lookup_memory *memory)
{
	struct generation *oldest = NULL;

	for (size_t i = 0; i < PEPPERS_MAX; i++) {
		struct generation *one = &memory->generations[i];

		if (one->number && (!oldest || one->number < oldest->number))
			oldest = one;
	}
	return oldest;
}

static void release(struct generation *generation)
{
	generation->number = 0;
	lookup_table_clear(generation->table);
}

static void give_up_oldest(struct lookup_memory *memory)
{
	struct generation *oldest = find_oldest(memory);

	memory->first = oldest->number + 1;
	mx_log(MX_LOG_WARN, "look-ups do not fit into their memory; the store answers some of them",
	       "pepper", mx_log_num((int64_t)oldest->number), "bytes",
	       mx_log_num((int64_t)memory->bytes_max), NULL);
	release(oldest);
}

static void fit(struct lookup_memory *memory)
{
	while (lookup_memory_bytes(memory) > memory->bytes_max)
		give_up_oldest(memory);
}

static struct generation *take(struct lookup_memory *memory, uint64_t number)
{
	struct generation *generation = find(memory, 0);

	if (!generation) {
		give_up_oldest(memory);
		generation = find(memory, 0);
	}
	if (!generation->table)
		generation->table = lookup_table_new();
	generation->number = number;
	return generation;
}

static void put(struct lookup_memory *memory, const struct lookup_row *row)
{
	struct generation *generation = find(memory, row->generation);

	if (!generation)
		generation = take(memory, row->generation);
	lookup_table_put(generation->table, row->hash, &row->entry);
	fit(memory);
}

static void take_out(struct lookup_memory *memory, const struct lookup_row *row)
{
	struct generation *generation = find(memory, row->generation);

	if (!generation)
		return;
	lookup_table_remove(generation->table, row->hash);
	if (lookup_table_len(generation->table) == 0)
		release(generation);
}

/* A row that nobody can read is not remembered wrongly: the store says what is wrong with it. */
static void forget_all(struct lookup_memory *memory)
{
	while (find_oldest(memory))
		give_up_oldest(memory);
	memory->first = UINT64_MAX;
}

static void apply(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct lookup_memory *memory = ctx;
	mx_arena_auto *mem = mx_arena_new(0);
	struct lookup_row row;

	if (!lookup_db_read(key, value, mem, &row) ||
	    (row.entry.user_id && strlen(row.entry.user_id) > LOOKUP_USER_MAX)) {
		forget_all(memory);
		return;
	}
	if (row.generation < memory->first)
		return;
	if (row.entry.user_id)
		put(memory, &row);
	else
		take_out(memory, &row);
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
	for (size_t i = 0; i < PEPPERS_MAX; i++)
		lookup_table_free(memory->generations[i].table);
	mx_free(memory);
}

/* ---- asking */

static bool is_remembered(const struct lookup_memory *memory, uint64_t generation)
{
	return memory && generation >= memory->first;
}

static void get_all(struct lookup_table *table, const struct lookup_hashes *hashes,
		    struct mx_arena *mem, struct lookup_entry *ret_entries)
{
	for (size_t i = 0; i < hashes->len; i++)
		lookup_table_get(table, hashes->items[i], mem, &ret_entries[i]);
}

/* Whoever has no table has no rows. The table may become another's while it is read. */
bool lookup_memory_get_many(struct lookup_memory *memory, const struct lookup_hashes *hashes,
			    struct mx_arena *mem, struct lookup_entry *ret_entries)
{
	struct generation *generation;

	if (!is_remembered(memory, hashes->generation))
		return false;
	generation = find(memory, hashes->generation);
	if (!generation) {
		memset(ret_entries, 0, hashes->len * sizeof(*ret_entries));
		return is_remembered(memory, hashes->generation);
	}
	get_all(generation->table, hashes, mem, ret_entries);
	return generation->number == hashes->generation;
}

size_t lookup_memory_bytes(const struct lookup_memory *memory)
{
	size_t bytes = 0;

	for (size_t i = 0; memory && i < PEPPERS_MAX; i++)
		if (memory->generations[i].table)
			bytes += lookup_table_bytes(memory->generations[i].table);
	return bytes;
}

#include "shared/json/unique.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/json/unescape.h"

#include <pthread.h>
#include <sodium.h>

/* Up to here comparing lengths pair by pair is faster than hashing. */
#define PAIRWISE_MAX 16

struct slot {
	uint64_t hash;
	uint32_t key; /* node; 0 is free, since node 0 is never a key */
};

struct table {
	const struct mx_json_doc *doc;
	struct slot *slots;
	size_t mask;
	struct mx_str decoded, other;
};

static unsigned char seed[crypto_shorthash_KEYBYTES];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_init(void)
{
	randombytes_buf(seed, sizeof(seed));
}

static struct mx_slice key_raw(const struct mx_json_doc *doc, uint32_t key)
{
	const struct mx_json_node *node = &doc->nodes[key];

	return mx_slice_of(doc->text + node->offset, node->len);
}

static uint32_t key_next(const struct mx_json_doc *doc, uint32_t key)
{
	return doc->nodes[key + 1].end;
}

static struct mx_slice key_decoded(const struct mx_json_doc *doc, uint32_t key,
				   struct mx_str *scratch)
{
	struct mx_slice raw = key_raw(doc, key);

	if (!doc->nodes[key].escaped)
		return raw;
	mx_str_clear(scratch);
	mx_str_reserve(scratch, raw.len);
	scratch->len = mx_json_unescape(raw, scratch->ptr);
	return mx_str_slice(scratch);
}

/* Fills keys; false if there are too many of them, or escapes to decode. */
static bool few_plain_keys(const struct mx_json_doc *doc, uint32_t object,
			   uint32_t keys[PAIRWISE_MAX])
{
	uint32_t count = doc->nodes[object].count;

	if (count > PAIRWISE_MAX)
		return false;
	for (uint32_t i = 0, key = object + 1; i < count; i++, key = key_next(doc, key)) {
		if (doc->nodes[key].escaped)
			return false;
		keys[i] = key;
	}
	return true;
}

static bool pairwise_unique(const struct mx_json_doc *doc, const uint32_t *keys, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (mx_slice_eq(key_raw(doc, keys[i]), key_raw(doc, keys[j])))
				return false;
	return true;
}

/* False if the key is there already. */
static bool table_add(struct table *table, uint32_t key)
{
	struct mx_slice text = key_decoded(table->doc, key, &table->decoded);
	uint64_t hash;
	size_t i;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)text.ptr, text.len, seed);
	for (i = hash & table->mask; table->slots[i].key; i = (i + 1) & table->mask)
		if (table->slots[i].hash == hash &&
		    mx_slice_eq(text, key_decoded(table->doc, table->slots[i].key, &table->other)))
			return false;
	table->slots[i] = (struct slot){ hash, key };
	return true;
}

static bool hashed_unique(const struct mx_json_doc *doc, uint32_t object)
{
	struct table table = { .doc = doc };
	uint32_t count = doc->nodes[object].count, key = object + 1, added = 0;
	size_t cap = 32;

	pthread_once(&seed_once, seed_init);
	while (cap < (size_t)count * 2)
		cap *= 2;
	table.mask = cap - 1;
	table.slots = mx_calloc(cap, sizeof(*table.slots));
	for (; added < count && table_add(&table, key); added++)
		key = key_next(doc, key);
	mx_free(table.slots);
	mx_str_done(&table.decoded);
	mx_str_done(&table.other);
	return added == count;
}

bool mx_json_keys_unique(const struct mx_json_doc *doc, uint32_t object)
{
	uint32_t keys[PAIRWISE_MAX];

	if (few_plain_keys(doc, object, keys))
		return pairwise_unique(doc, keys, doc->nodes[object].count);
	return hashed_unique(doc, object);
}

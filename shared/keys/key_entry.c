#include "shared/keys/key_entry.h"

#include "shared/core/alloc.h"

#include <stdalign.h>

/* What a prepared answer takes beside its bytes: the HTTP library keeps each header in three
 * blocks. */
#define PREPARED_BYTES 1200

/* Where the next bytes of the block go: first the fixed parts, then all text. */
struct block {
	struct key_version *versions;
	struct key_entry_key *keys;
	char *text;
};

/* Sources that most versions have take no room in their blocks. */
static const char *const usual_sources[] = { "origin", "import", "own" };

static struct mx_slice usual_source(struct mx_slice source)
{
	for (size_t i = 0; i < sizeof(usual_sources) / sizeof(usual_sources[0]); i++)
		if (mx_slice_is(source, usual_sources[i]))
			return mx_slice(usual_sources[i]);
	return (struct mx_slice){ 0 };
}

static size_t text_size(const struct key_version *version)
{
	size_t size = version->sealed.len + version->bytes.len + version->address.len +
		      version->certificate.len;

	if (!usual_source(version->source).ptr)
		size += version->source.len;
	for (size_t i = 0; i < version->keys_len; i++)
		size += version->keys[i].id.len;
	return size;
}

static struct mx_slice copy_text(struct block *block, struct mx_slice text)
{
	struct mx_slice copy = mx_slice_of(block->text, text.len);

	if (text.len)
		memcpy(block->text, text.ptr, text.len);
	block->text += text.len;
	return copy;
}

static void copy_version(struct block *block, const struct key_version *from)
{
	struct key_version *to = block->versions++;
	struct mx_slice usual = usual_source(from->source);

	*to = *from;
	to->sealed = copy_text(block, from->sealed);
	to->bytes = copy_text(block, from->bytes);
	to->address = copy_text(block, from->address);
	to->certificate = copy_text(block, from->certificate);
	to->source = usual.ptr ? usual : copy_text(block, from->source);
	to->keys = block->keys;
	for (size_t i = 0; i < from->keys_len; i++) {
		block->keys[i] = from->keys[i];
		block->keys[i].id = copy_text(block, from->keys[i].id);
	}
	block->keys += from->keys_len;
}

static int compare_versions(const void *a, const void *b)
{
	const struct key_version *left = a, *right = b;

	if (left->valid_until_ts != right->valid_until_ts)
		return left->valid_until_ts < right->valid_until_ts ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

static size_t align_up(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

struct key_entry *key_entry_new(struct mx_slice server, const struct key_version *versions,
				size_t len, void (*prepared_free)(void *prepared))
{
	size_t keys = 0, text = server.len, sealed = 0, size;
	size_t versions_at = align_up(sizeof(struct key_entry));
	size_t keys_at = align_up(versions_at + len * sizeof(*versions));
	struct block block;
	struct key_entry *entry;

	for (size_t i = 0; i < len; i++) {
		keys += versions[i].keys_len;
		text += text_size(&versions[i]);
		sealed += versions[i].sealed.len;
	}
	size = keys_at + keys * sizeof(struct key_entry_key) + text;
	entry = mx_alloc(size);
	block = (struct block){
		.versions = (struct key_version *)((char *)entry + versions_at),
		.keys = (struct key_entry_key *)((char *)entry + keys_at),
		.text = (char *)entry + size - text,
	};
	*entry = (struct key_entry){
		.refs = 1,
		.versions = block.versions,
		.len = len,
		.cost = size + (prepared_free ? sealed + PREPARED_BYTES : 0),
		.prepared_free = prepared_free,
	};
	entry->server = copy_text(&block, server);
	for (size_t i = 0; i < len; i++)
		copy_version(&block, &versions[i]);
	qsort((void *)(uintptr_t)entry->versions, len, sizeof(*versions), compare_versions);
	return entry;
}

struct key_entry *key_entry_ref(struct key_entry *entry)
{
	atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
	return entry;
}

void key_entry_unref(struct key_entry *entry)
{
	void *prepared;

	if (!entry || atomic_fetch_sub_explicit(&entry->refs, 1, memory_order_acq_rel) > 1)
		return;
	prepared = atomic_load_explicit(&entry->prepared, memory_order_relaxed);
	if (prepared && entry->prepared_free)
		entry->prepared_free(prepared);
	mx_free(entry);
}

/* ---- finding a key */

static int64_t trusted_until(const struct key_version *version)
{
	int64_t until;

	if (__builtin_add_overflow(version->last_seen_ms, KEY_TRUST_MS, &until))
		return version->valid_until_ts;
	return version->valid_until_ts < until ? version->valid_until_ts : until;
}

static const struct key_entry_key *key_of(const struct key_version *version, struct mx_slice key_id)
{
	for (size_t i = 0; i < version->keys_len; i++)
		if (mx_slice_eq(version->keys[i].id, key_id))
			return &version->keys[i];
	return NULL;
}

bool key_entry_find(const struct key_entry *entry, struct mx_slice key_id,
		    struct key_found *ret_found)
{
	const struct key_version *last = NULL;
	const struct key_entry_key *key = NULL;

	for (size_t i = 0; i < entry->len; i++) {
		const struct key_version *version = &entry->versions[i];
		const struct key_entry_key *here = key_of(version, key_id);

		if (!here || (last && version->last_seen_ms < last->last_seen_ms))
			continue;
		last = version;
		key = here;
	}
	if (!key)
		return false;
	*ret_found = (struct key_found){
		.valid_until_ts = key->expired_ts ? key->expired_ts : trusted_until(last),
		.expired = key->expired_ts != 0,
	};
	memcpy(ret_found->public_key, key->public_key, sizeof(ret_found->public_key));
	return true;
}

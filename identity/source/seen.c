#include "identity/source/seen.h"

#include "shared/core/alloc.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"

#include <sodium.h>

#define CAP_MIN 1024 /* a power of two */

void seen_init(struct seen *seen)
{
	*seen = (struct seen){ .cap = CAP_MIN };
	mx_random_bytes(seen->key, sizeof(seen->key));
	seen->slots = mx_calloc(seen->cap, sizeof(*seen->slots));
}

void seen_done(struct seen *seen)
{
	mx_free(seen->slots);
	seen->slots = NULL;
}

/* Never 0, which is a free slot. */
static uint64_t hash_of(const struct seen *seen, const struct threepid *threepid)
{
	char text[THREEPID_ADDRESS_MAX + 32];
	unsigned char hash[crypto_shorthash_BYTES];
	uint64_t value;
	int len = snprintf(text, sizeof(text), "%s %s", threepid->medium, threepid->address);

	crypto_shorthash(hash, (const unsigned char *)text,
			 (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1, seen->key);
	memcpy(&value, hash, sizeof(value));
	return value ? value : 1;
}

static uint64_t *slot_of(const struct seen *seen, uint64_t hash)
{
	size_t at = hash & (seen->cap - 1);

	while (seen->slots[at] && seen->slots[at] != hash)
		at = (at + 1) & (seen->cap - 1);
	return &seen->slots[at];
}

static void grow(struct seen *seen)
{
	struct seen old = *seen;

	seen->cap *= 2;
	seen->slots = mx_calloc(seen->cap, sizeof(*seen->slots));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i])
			*slot_of(seen, old.slots[i]) = old.slots[i];
	mx_free(old.slots);
}

bool seen_add(struct seen *seen, const struct threepid *threepid)
{
	uint64_t hash = hash_of(seen, threepid), *slot;

	if (seen->len >= seen->cap / 4 * 3)
		grow(seen);
	slot = slot_of(seen, hash);
	if (*slot)
		return false;
	*slot = hash;
	seen->len++;
	return true;
}

bool seen_has(const struct seen *seen, const struct threepid *threepid)
{
	return *slot_of(seen, hash_of(seen, threepid)) != 0;
}

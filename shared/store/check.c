#include "shared/store/check.h"

#include <sodium.h>

_Static_assert(crypto_shorthash_siphashx24_BYTES == STORE_HASH_LEN, "one hash");
_Static_assert(crypto_shorthash_siphashx24_KEYBYTES == STORE_HASH_LEN, "one key");

static struct store_hash hash_of(const struct store_hash_key *key, const void *bytes, size_t len)
{
	struct store_hash hash;

	crypto_shorthash_siphashx24(hash.bytes, bytes, len, key->bytes);
	return hash;
}

struct store_hash store_check_value(const struct store_hash_key *key, struct mx_slice value)
{
	return hash_of(key, value.len ? value.ptr : "", value.len);
}

void store_check_add_row(const struct store_hash_key *key, struct store_hash *run,
			 const struct store_row *row)
{
	const struct store_hash parts[3] = {
		*run,
		store_check_value(key, row->key),
		store_check_value(key, row->value),
	};

	*run = hash_of(key, parts, sizeof(parts));
}

bool store_check_same(const struct store_hash *a, const struct store_hash *b)
{
	return memcmp(a->bytes, b->bytes, STORE_HASH_LEN) == 0;
}

/* What a transaction has seen, in 16 bytes: keyed hashes of values and of runs of rows. */
#pragma once

#include "shared/core/slice.h"
#include "shared/store/store.h"

#include <stdbool.h>
#include <stddef.h>

#define STORE_HASH_LEN 16

/* Random for every open store, so that nobody can prepare two values with one hash. */
struct store_hash_key {
	unsigned char bytes[STORE_HASH_LEN];
};

struct store_hash {
	unsigned char bytes[STORE_HASH_LEN];
};

struct store_hash store_check_value(const struct store_hash_key *key, struct mx_slice value);

/* Adds a row to the hash of a run; `{ 0 }` is the hash of no rows. */
void store_check_add_row(const struct store_hash_key *key, struct store_hash *run,
			 const struct store_row *row);

bool store_check_same(const struct store_hash *a, const struct store_hash *b);

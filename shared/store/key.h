/* Order-preserving keys: tuples whose byte order is the order of their parts. The only place
 * where key bytes are made. */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/str.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_arena;

/* `struct store_key key = { 0 }; store_key_text(&key, name); … store_key_slice(&key)`.
 * A key has room for STORE_KEY_MAX bytes; beyond that it is marked and the store refuses it. */
struct store_key {
	char bytes[1024];
	size_t len;
	bool overflow;
};

void store_key_text(struct store_key *key, struct mx_slice text); /* any bytes, self-delimiting */
void store_key_u64(struct store_key *key, uint64_t value);
void store_key_i64(struct store_key *key, int64_t value);
/* A stamp (see store_txn_put_stamped), 8 bytes: one that the commit fills in, whose place is
 * returned; and one that is known. */
size_t store_key_stamp(struct store_key *key);
void store_key_known_stamp(struct store_key *key, uint64_t stamp);
struct mx_slice store_key_slice(const struct store_key *key);

/* [prefix, *ret_end) holds exactly the keys that begin with the parts so far. */
void store_key_range_end(const struct store_key *prefix, struct store_key *ret_end);

/* Reading back; each moves `rest` forward and is false on bytes that no writer made. Text is
 * unescaped into `out`. */
bool store_key_read_text(struct mx_slice *rest, struct mx_str *out);
/* The same into mem, with a NUL behind it. */
bool store_key_load_text(struct mx_slice *rest, struct mx_arena *mem, struct mx_slice *ret_text);
bool store_key_read_u64(struct mx_slice *rest, uint64_t *ret_value);
bool store_key_read_i64(struct mx_slice *rest, int64_t *ret_value);
bool store_key_read_stamp(struct mx_slice *rest, uint64_t *ret_stamp);

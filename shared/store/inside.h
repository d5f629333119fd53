/* The store, inside: what its own files share. */
#pragma once

#include "shared/store/committer.h"
#include "shared/store/engine.h"

#include <pthread.h>

/* Table 0 of every store is its own: version, leases, counters. */
#define STORE_OWN_TABLE   "store_own"
#define STORE_OWN_VERSION "version"
#define STORE_OWN_LEASE   "lease"
#define STORE_OWN_COUNTER "counter"

extern const struct store_table store_own_table;

struct store {
	struct store_engine *engine;
	struct store_committer *committer;
	const struct store_table **tables;
	unsigned tables_len;
	unsigned stamp_table; /* 0: none */
	struct store_hash_key hash_key;
	char *directory;
	uint64_t owner; /* random: this opening of the store, as the owner of leases */
	pthread_mutex_t own_lock; /* leases and counters, so that they never conflict here */
};

struct store_view {
	struct store *store;
	struct store_engine_view *engine_view;
};

/* The number of a table that was listed at open; anything else is a programmer's error. */
unsigned store_table_number(const struct store *store, const struct store_table *table);

/* Over the limits of keys: -MX_TOO_LARGE. */
int store_key_check(struct mx_slice key);

/* Key and bytes of a lease's row, as they are while it is held. */
struct mx_str;
void store_lease_row(const struct store *store, const struct store_lease *lease, struct mx_str *key,
		     struct mx_str *value);

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/store/inside.h"
#include "shared/store/key.h"
#include "shared/store/record.h"

/*
 * A lease has two rows: its owner, whom batches check and who changes only with the epoch, and
 * the end of its time, which every renewal changes. Times are those of one process's monotonic
 * clock. Here the owner is the process, as only one has the store: what an earlier process left
 * is free, and its epochs only grow.
 */
#define RECORD_VERSION 1
#define LEASE_UNTIL    "lease_until"

struct lease_row {
	uint64_t epoch, owner; /* owner 0: nobody */
	int64_t until_mono_ms;
};

static struct store_key lease_key(const char *kind, const char *name)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(kind));
	store_key_text(&key, mx_slice(name));
	return key;
}

static void owner_format(struct mx_str *out, uint64_t epoch, uint64_t owner)
{
	record_begin(out, RECORD_VERSION);
	record_put_u64(out, epoch);
	record_put_u64(out, owner);
}

void store_lease_row(const struct store *store, const struct store_lease *lease, struct mx_str *key,
		     struct mx_str *value)
{
	struct store_key bytes = lease_key(STORE_OWN_LEASE, lease->name);

	mx_str_add_slice(key, store_key_slice(&bytes));
	owner_format(value, lease->epoch, store->owner);
}

static int row_load(struct store_txn *txn, const struct store_key *key, struct mx_arena *mem,
		    struct record_reader *ret_reader)
{
	struct mx_slice value = { 0 };
	int rc = store_txn_get(txn, &store_own_table, store_key_slice(key), mem, &value);

	if (rc == -MX_NOT_FOUND) {
		*ret_reader = (struct record_reader){ 0 }; /* all zeros */
		return 0;
	}
	if (rc == 0)
		*ret_reader = record_open(value);
	return rc;
}

static int lease_load(struct store_txn *txn, const char *name, struct lease_row *ret_row)
{
	struct store_key owner_key = lease_key(STORE_OWN_LEASE, name);
	struct store_key until_key = lease_key(LEASE_UNTIL, name);
	mx_arena_auto *mem = mx_arena_new(0);
	struct record_reader owner, until;
	int rc = row_load(txn, &owner_key, mem, &owner);

	if (rc == 0)
		rc = row_load(txn, &until_key, mem, &until);
	if (rc)
		return rc;
	ret_row->epoch = record_u64(&owner);
	ret_row->owner = record_u64(&owner);
	ret_row->until_mono_ms = record_i64(&until);
	return record_ok(&owner) && record_ok(&until) ? 0 : -MX_STORE;
}

static void lease_store(struct store_txn *txn, const char *name, const struct lease_row *row)
{
	struct store_key owner_key = lease_key(STORE_OWN_LEASE, name);
	struct store_key until_key = lease_key(LEASE_UNTIL, name);
	mx_str_auto owner = { 0 }, until = { 0 };

	owner_format(&owner, row->epoch, row->owner);
	record_begin(&until, RECORD_VERSION);
	record_put_i64(&until, row->until_mono_ms);
	store_txn_put(txn, &store_own_table, store_key_slice(&owner_key), mx_str_slice(&owner));
	store_txn_put(txn, &store_own_table, store_key_slice(&until_key), mx_str_slice(&until));
}

static int take_once(struct store *store, const char *name, int64_t ttl_ms,
		     struct store_lease *lease, struct mx_error *err)
{
	struct store_txn *txn = store_txn_begin(store);
	struct lease_row row;
	int rc = lease_load(txn, name, &row);

	if (rc) {
		store_txn_abort(txn);
		return mx_fail(err, (enum mx_code) - rc, "the lease %s cannot be read", name);
	}
	if (row.owner != store->owner || row.until_mono_ms <= mx_mono_ms())
		row.epoch++;
	row.owner = store->owner;
	row.until_mono_ms = mx_mono_ms() + ttl_ms;
	lease->epoch = row.epoch;
	lease->until_mono_ms = row.until_mono_ms;
	lease_store(txn, name, &row);
	return store_txn_commit(txn, err);
}

int store_lease_take(struct store *store, const char *name, int64_t ttl_ms,
		     struct store_lease *ret_lease, struct mx_error *err)
{
	struct store_lease lease = { 0 };
	int rc;

	if (strlen(name) >= sizeof(lease.name))
		return mx_fail(err, MX_TOO_LARGE, "the name of the lease is too long");
	snprintf(lease.name, sizeof(lease.name), "%s", name);
	pthread_mutex_lock(&store->own_lock);
	rc = take_once(store, name, ttl_ms, &lease, err);
	pthread_mutex_unlock(&store->own_lock);
	if (rc == 0)
		*ret_lease = lease;
	return rc;
}

void store_lease_release(struct store *store, const struct store_lease *lease)
{
	struct store_txn *txn;
	struct lease_row row;

	pthread_mutex_lock(&store->own_lock);
	txn = store_txn_begin(store);
	if (lease_load(txn, lease->name, &row) || row.epoch != lease->epoch ||
	    row.owner != store->owner) {
		store_txn_abort(txn); /* somebody else's by now, or unreadable: left alone */
	} else {
		row.owner = 0;
		row.until_mono_ms = 0;
		lease_store(txn, lease->name, &row);
		/* Refused for want of disk, it ends with its time. */
		(void)store_txn_commit(txn, NULL);
	}
	pthread_mutex_unlock(&store->own_lock);
}

/* ---- counters */

static int counter_load(struct store_txn *txn, const struct store_key *key, uint64_t *ret_next)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct record_reader reader;
	int rc = row_load(txn, key, mem, &reader);

	if (rc)
		return rc;
	*ret_next = record_more(&reader) ? record_u64(&reader) : 1;
	return record_ok(&reader) ? 0 : -MX_STORE;
}

static int reserve_once(struct store *store, const char *counter, uint64_t n, uint64_t *ret_first,
			struct mx_error *err)
{
	struct store_key key = lease_key(STORE_OWN_COUNTER, counter);
	struct store_txn *txn = store_txn_begin(store);
	mx_str_auto value = { 0 };
	uint64_t next;
	int rc = counter_load(txn, &key, ret_first);

	if (rc == 0 && __builtin_add_overflow(*ret_first, n, &next))
		rc = -MX_STORE;
	if (rc) {
		store_txn_abort(txn);
		return mx_fail(err, (enum mx_code) - rc, "the counter %s cannot be used", counter);
	}
	record_begin(&value, RECORD_VERSION);
	record_put_u64(&value, next);
	store_txn_put(txn, &store_own_table, store_key_slice(&key), mx_str_slice(&value));
	return store_txn_commit(txn, err);
}

int store_reserve(struct store *store, const char *counter, uint64_t n, uint64_t *ret_first,
		  struct mx_error *err)
{
	uint64_t first;
	int rc;

	pthread_mutex_lock(&store->own_lock);
	rc = reserve_once(store, counter, n, &first, err);
	pthread_mutex_unlock(&store->own_lock);
	if (rc == 0)
		*ret_first = first;
	return rc;
}

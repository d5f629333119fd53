#include "shared/store/migrate.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/store/inside.h"
#include "shared/store/key.h"
#include "shared/store/record.h"

#include <inttypes.h>
#include <unistd.h>

#define RECORD_VERSION 1

static struct store_key version_key(void)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(STORE_OWN_VERSION));
	return key;
}

/* 0 in a new store. */
static int version_load(struct store *store, uint64_t *ret_version, struct mx_error *err)
{
	struct store_view *view = store_view_begin(store);
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_key key = version_key();
	struct mx_slice value = { 0 };
	struct record_reader reader;
	int rc = store_get(view, &store_own_table, store_key_slice(&key), mem, &value);

	store_view_end(view);
	if (rc == -MX_NOT_FOUND) {
		*ret_version = 0;
		return 0;
	}
	reader = record_open(value);
	*ret_version = record_u64(&reader);
	if (rc || !record_ok(&reader) || *ret_version == 0)
		return mx_fail(err, MX_STORE, "the version of the store cannot be read");
	return 0;
}

static int version_store(struct store *store, uint64_t version, struct mx_error *err)
{
	struct store_txn *txn = store_txn_begin(store);
	struct store_key key = version_key();
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_u64(&value, version);
	store_txn_put(txn, &store_own_table, store_key_slice(&key), mx_str_slice(&value));
	return store_txn_commit(txn, err);
}

/* A copy appears under its name only when it is whole: one that is there was made before the
 * first step of a migration that did not end. */
static int backup_before(struct store *store, uint64_t version, struct mx_error *err)
{
	mx_autofree char *to = NULL;

	if (!store->directory)
		return 0;
	to = mx_strf("%s.before-v%" PRIu64, store->directory, version);
	if (access(to, F_OK) == 0)
		return 0;
	return store_backup(store, to, err);
}

static int step_run(struct store *store, const struct store_migration *step, uint64_t version,
		    struct mx_error *err)
{
	int rc;

	mx_log(MX_LOG_INFO, "the store is brought to a newer version", "step", step->what,
	       "version", mx_log_num((int64_t)version), NULL);
	rc = step->run(store, err);
	return rc ? rc : version_store(store, version, err);
}

int store_migrate(struct store *store, const struct store_conf *conf, struct mx_error *err)
{
	uint64_t version, newest = conf->migrations_len + 1;
	int rc = version_load(store, &version, err);

	if (rc || version == newest)
		return rc;
	if (version == 0)
		return version_store(store, newest, err);
	if (version > newest)
		return mx_fail(err, MX_STORE,
			       "the store has version %" PRIu64 ", this program knows %" PRIu64
			       " at most: it was written by a newer one",
			       version, newest);
	rc = backup_before(store, newest, err);
	for (; rc == 0 && version < newest; version++)
		rc = step_run(store, &conf->migrations[version - 1], version + 1, err);
	return rc;
}

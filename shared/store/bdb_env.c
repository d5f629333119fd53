#include "shared/store/bdb.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/store/bdb_keeper.h"

#include <errno.h>

#define CACHE_BYTES_DEFAULT (8u * 1024 * 1024)
/* In memory nothing can leave the cache, nor the log buffer until its transaction ends. Neither
 * takes memory before it is used. */
#define MEMORY_CACHE_BYTES (512u * 1024 * 1024)
#define MEMORY_LOG_BYTES   (256u * 1024 * 1024)
#define LOG_BUFFER_BYTES   (1024u * 1024)
/* To a cache below this the library adds a quarter, for what it needs besides the pages. */
#define SMALL_CACHE_BYTES (500u * 1024 * 1024)
/* A page is a lock, and a group of commits holds those of all pages that it changes. */
#define LOCKS_MAX   200000u
#define LOCKERS_MAX 10000u
/* Buckets are made at once, each with a mutex: sized by LOCKS_MAX they would take 26 MiB. */
#define LOCK_BUCKETS 1031u

void store_bdb_fatal(const struct bdb *bdb, const char *what, int rc)
{
	mx_log(MX_LOG_ERROR,
	       "the store cannot go on; the process ends and recovers at its next start",
	       "directory", bdb->directory ? bdb->directory : "(memory)", "doing", what, "error",
	       db_strerror(rc), NULL);
	abort();
}

int store_bdb_fail(struct bdb *bdb, const char *what, int rc, struct mx_error *err)
{
	return mx_fail(err, MX_STORE, "%s: %s: %s%s%s", bdb->directory ? bdb->directory : "memory",
		       what, db_strerror(rc), bdb->message[0] ? ": " : "", bdb->message);
}

static void on_message(const DB_ENV *env, const char *prefix, const char *message)
{
	struct bdb *bdb = env->app_private;

	(void)prefix;
	if (bdb->opening)
		snprintf(bdb->message, sizeof(bdb->message), "%s", message);
	else
		mx_log(MX_LOG_WARN, "the storage library reports, going on", "message", message,
		       NULL);
}

static void on_event(DB_ENV *env, uint32_t event, void *info)
{
	struct bdb *bdb = env->app_private;

	if (event == DB_EVENT_PANIC && !bdb->opening)
		store_bdb_fatal(bdb, "using a table or the log", *(int *)info);
}

static int memory_setup(DB_ENV *env)
{
	int rc = env->set_cachesize(env, 0, MEMORY_CACHE_BYTES, 1);

	if (rc == 0)
		rc = env->log_set_config(env, DB_LOG_IN_MEMORY, 1);
	return rc ? rc : env->set_lg_bsize(env, MEMORY_LOG_BYTES);
}

static int disk_setup(DB_ENV *env, size_t cache_bytes)
{
	size_t all = cache_bytes ? cache_bytes : CACHE_BYTES_DEFAULT, less = all / 5 * 4;
	size_t cache = less < SMALL_CACHE_BYTES ? less : all;
	int rc = env->set_cachesize(env, (uint32_t)(cache >> 30),
				    (uint32_t)(cache & ((1u << 30) - 1)), 1);

	if (rc == 0)
		rc = env->set_lg_bsize(env, LOG_BUFFER_BYTES);
	return rc ? rc : env->set_lg_max(env, STORE_LOG_FILE_BYTES);
}

static int locks_setup(DB_ENV *env)
{
	int rc = env->set_lk_max_locks(env, LOCKS_MAX);

	if (rc == 0)
		rc = env->set_lk_max_objects(env, LOCKS_MAX);
	if (rc == 0)
		rc = env->set_lk_max_lockers(env, LOCKERS_MAX);
	if (rc == 0)
		rc = env->set_lk_tablesize(env, LOCK_BUCKETS);
	/* Readers hold no write locks: they lose, and try again. */
	return rc ? rc : env->set_lk_detect(env, DB_LOCK_MINWRITE);
}

static int env_setup(struct bdb *bdb, size_t cache_bytes)
{
	DB_ENV *env = bdb->env;
	int rc;

	env->app_private = bdb;
	env->set_errcall(env, on_message);
	rc = env->set_event_notify(env, on_event);
	if (rc == 0)
		rc = locks_setup(env);
	if (rc)
		return rc;
	return bdb->directory ? disk_setup(env, cache_bytes) : memory_setup(env);
}

int store_bdb_env_open(struct bdb *bdb, size_t cache_bytes, struct mx_error *err)
{
	uint32_t flags = DB_CREATE | DB_PRIVATE | DB_THREAD | DB_INIT_LOCK | DB_INIT_LOG |
			 DB_INIT_MPOOL | DB_INIT_TXN | bdb->recover_flag;
	int rc = db_env_create(&bdb->env, 0);

	if (rc == 0)
		rc = env_setup(bdb, cache_bytes);
	if (rc == 0)
		rc = bdb->env->open(bdb->env, bdb->directory, flags, 0600);
	if (rc && store_space_is_exhausted(&bdb->space))
		return mx_fail(err, MX_STORE, "%s: recovery needs %d MiB of free disk: free some",
			       bdb->directory, STORE_LOG_FILE_BYTES >> 20);
	return rc ? store_bdb_fail(bdb, "recovery", rc, err) : 0;
}

static int handle_open(struct bdb *bdb, unsigned table)
{
	const char *name = bdb->tables[table]->name;
	mx_autofree char *file = mx_strf("%s.db", name);
	uint32_t flags = DB_CREATE | DB_THREAD | DB_AUTO_COMMIT | DB_READ_UNCOMMITTED;
	DB *handle;
	int rc = db_create(&handle, bdb->env, 0);

	if (rc)
		return rc;
	bdb->handles[table] = handle;
	rc = handle->set_pagesize(handle, STORE_PAGE_SIZE);
	if (rc == 0 && bdb->directory)
		rc = handle->set_flags(handle, DB_CHKSUM);
	if (rc)
		return rc;
	return handle->open(handle, NULL, bdb->directory ? file : NULL,
			    bdb->directory ? NULL : name, DB_BTREE, flags, 0600);
}

int store_bdb_tables_open(struct bdb *bdb, struct mx_error *err)
{
	bdb->handles = mx_calloc(bdb->tables_len, sizeof(DB *));
	for (unsigned i = 0; i < bdb->tables_len; i++) {
		int rc = handle_open(bdb, i);

		if (rc)
			return store_bdb_fail(bdb, bdb->tables[i]->name, rc, err);
	}
	return 0;
}

#include "shared/store/bdb.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/store/bdb_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The library's environment is private to one process: a second one would wreck it. */
static int directory_lock(struct bdb *bdb, struct mx_error *err)
{
	mx_autofree char *path = mx_strf("%s/lock", bdb->directory);

	bdb->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (bdb->lock_fd < 0)
		return mx_fail(err, MX_STORE, "%s cannot be opened: %s", path, strerror(errno));
	if (flock(bdb->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return mx_fail(err, MX_STORE, "%s is in use: another process has this store open",
		       bdb->directory);
}

/* DB_CONFIG could change what the environment promises. */
static int directory_check(const char *directory, struct mx_error *err)
{
	mx_autofree char *config = mx_strf("%s/DB_CONFIG", directory);
	struct stat stat;

	if (lstat(directory, &stat))
		return mx_fail(err, MX_STORE, "%s: %s", directory, strerror(errno));
	if (!S_ISDIR(stat.st_mode))
		return mx_fail(err, MX_STORE, "%s is not a directory", directory);
	if (stat.st_mode & S_IWOTH)
		return mx_fail(err, MX_STORE, "%s may be written by everybody", directory);
	if (access(config, F_OK) == 0)
		return mx_fail(err, MX_STORE, "%s must not be there", config);
	return 0;
}

static int directory_prepare(struct bdb *bdb, struct mx_error *err)
{
	int rc;

	if (!bdb->directory)
		return 0;
	if (mkdir(bdb->directory, 0700) && errno != EEXIST)
		return mx_fail(err, MX_STORE, "%s cannot be made: %s", bdb->directory,
			       strerror(errno));
	rc = directory_check(bdb->directory, err);
	return rc ? rc : directory_lock(bdb, err);
}

static void tables_close(struct bdb *bdb)
{
	for (unsigned i = 0; bdb->handles && i < bdb->tables_len; i++) {
		if (bdb->handles[i] && bdb->handles[i]->close(bdb->handles[i], DB_NOSYNC) &&
		    !bdb->opening)
			store_bdb_fatal(bdb, "closing a table", EIO);
	}
	mx_free(bdb->handles);
	bdb->handles = NULL;
}

static void env_close(struct bdb *bdb)
{
	int rc;

	if (!bdb->env)
		return;
	rc = bdb->env->close(bdb->env, 0);
	bdb->env = NULL;
	if (rc && !bdb->opening)
		store_bdb_fatal(bdb, "closing", rc);
}

static void bdb_free(struct bdb *bdb)
{
	tables_close(bdb);
	env_close(bdb);
	store_space_done(&bdb->space);
	store_versions_done(&bdb->versions);
	store_bdb_buffer_done(&bdb->scratch);
	if (bdb->lock_fd >= 0)
		close(bdb->lock_fd);
	mx_free(bdb->directory);
	mx_free(bdb);
}

static void checkpoint_last(struct bdb *bdb)
{
	int rc = bdb->directory ? bdb->env->txn_checkpoint(bdb->env, 0, 0, DB_FORCE) : 0;

	if (rc == 0 && bdb->directory)
		rc = bdb->env->log_archive(bdb->env, NULL, DB_ARCH_REMOVE);
	if (rc && rc != ENOSPC)
		store_bdb_fatal(bdb, "last checkpoint", rc);
}

static void bdb_close(struct store_engine *engine)
{
	struct bdb *bdb = (struct bdb *)engine;

	store_keeper_stop(bdb->keeper);
	checkpoint_last(bdb);
	tables_close(bdb);
	store_bdb_catalogue_write(bdb);
	env_close(bdb);
	/* Without the mark all pages are looked at next time: slower, nothing else. */
	if (bdb->directory && !store_mark_closed(bdb->directory))
		mx_log(MX_LOG_WARN, "the store could not be marked as closed", "directory",
		       bdb->directory, NULL);
	bdb_free(bdb);
}

static bool bdb_is_full(struct store_engine *engine)
{
	return store_space_is_full(&((struct bdb *)engine)->space);
}

static void bdb_stamps_begin(struct store_engine *engine, uint64_t stamp)
{
	atomic_store(&engine->stamp, stamp);
}

static const struct store_engine_ops bdb_ops = {
	.close = bdb_close,
	.stamps_begin = bdb_stamps_begin,
	.view_begin = store_bdb_view_begin,
	.view_end = store_bdb_view_end,
	.get = store_bdb_get,
	.scan = store_bdb_scan,
	.apply = store_bdb_apply,
	.is_full = bdb_is_full,
	.backup = store_bdb_backup,
};

static struct bdb *bdb_new(const struct store_engine_conf *conf)
{
	struct bdb *bdb = mx_calloc(1, sizeof(*bdb));

	bdb->base.ops = &bdb_ops;
	bdb->directory = conf->directory ? mx_strdup(conf->directory) : NULL;
	bdb->recover_flag = conf->directory ? DB_RECOVER : 0;
	bdb->lock_fd = -1;
	bdb->tables = conf->tables;
	bdb->tables_len = conf->tables_len;
	bdb->hash_key = conf->hash_key;
	bdb->opening = true;
	bdb->space.reserve_fd = -1;
	store_versions_init(&bdb->versions, conf->tables_len, &bdb->base.stamp);
	return bdb;
}

static int files_open(struct bdb *bdb, const struct store_engine_conf *conf, struct mx_error *err)
{
	struct bdb_start start;
	int rc = store_bdb_check_files(bdb->directory, conf->check_all, &start, err);

	if (rc)
		return rc;
	if (!store_mark_open(bdb->directory))
		rc = mx_fail(err, MX_STORE, "%s cannot be changed: %s", bdb->directory,
			     strerror(errno));
	if (rc == 0)
		rc = store_bdb_env_open(bdb, conf->cache_bytes, err);
	if (rc == 0)
		rc = store_bdb_check_recovered(bdb, &start, err);
	store_catalogue_done(&start.catalogue);
	return rc;
}

static int bdb_start(struct bdb *bdb, const struct store_engine_conf *conf, struct mx_error *err)
{
	int rc = directory_prepare(bdb, err);

	if (rc)
		return rc;
	store_space_init(&bdb->space, bdb->directory, conf->free_bytes_min);
	rc = bdb->directory ? files_open(bdb, conf, err)
			    : store_bdb_env_open(bdb, conf->cache_bytes, err);
	if (rc == 0)
		rc = store_bdb_tables_open(bdb, err);
	if (rc)
		return rc;
	store_bdb_catalogue_write(bdb);
	store_space_guard(&bdb->space);
	bdb->opening = false;
	bdb->keeper = store_keeper_start(bdb, conf->metrics);
	return 0;
}

int store_bdb_open(const struct store_engine_conf *conf, struct store_engine **ret_engine,
		   struct mx_error *err)
{
	struct bdb *bdb = bdb_new(conf);
	int rc = bdb_start(bdb, conf, err);

	if (rc) {
		bdb_free(bdb);
		return rc;
	}
	*ret_engine = &bdb->base;
	return 0;
}

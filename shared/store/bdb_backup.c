#include "shared/store/bdb.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/bdb_copy.h"
#include "shared/store/bdb_keeper.h"

/* The library's own look at the structure of a table, which no page alone can show. */
static int table_verify(const char *directory, const char *name, struct mx_error *err)
{
	mx_autofree char *path = mx_strf("%s/%s", directory, name);
	DB *handle;
	int rc = db_create(&handle, NULL, 0);

	if (rc == 0) {
		handle->set_errfile(handle, NULL);
		rc = handle->verify(handle, path, NULL, NULL, 0); /* and frees the handle */
	}
	return rc ? mx_fail(err, MX_STORE, "%s is damaged: %s", path, db_strerror(rc)) : 0;
}

static int tables_verify(const char *directory, struct mx_error *err)
{
	struct store_catalogue found;
	int rc = store_files_list(directory, false, &found, err);

	for (size_t i = 0; rc == 0 && i < found.files.len; i++)
		rc = table_verify(directory, found.files.items[i].name, err);
	store_catalogue_done(&found);
	return rc;
}

/* A closed store with every page right. */
static int closed_store_check(const char *directory, struct mx_error *err)
{
	struct bdb_start start;
	int rc;

	if (!store_is_marked_closed(directory))
		return mx_fail(err, MX_STORE,
			       "%s is no backup, nor a store that was closed in order", directory);
	rc = store_bdb_check_files(directory, true, &start, err);
	if (rc)
		return rc;
	store_catalogue_done(&start.catalogue);
	return tables_verify(directory, err);
}

/* Tables were copied while they changed; the log copied after them makes them one state. */
static int draft_recover(char *draft, struct mx_error *err)
{
	struct bdb bdb = {
		.directory = draft,
		.opening = true,
		.recover_flag = DB_RECOVER_FATAL,
		.lock_fd = -1,
	};
	int rc = store_bdb_env_open(&bdb, 0, err);

	if (rc == 0) {
		rc = bdb.env->txn_checkpoint(bdb.env, 0, 0, DB_FORCE);
		if (rc)
			rc = store_bdb_fail(&bdb, "checkpoint", rc, err);
	}
	if (rc == 0)
		store_bdb_catalogue_write(&bdb);
	if (bdb.env && bdb.env->close(bdb.env, 0) && rc == 0)
		rc = store_bdb_fail(&bdb, "closing the copy", DB_RUNRECOVERY, err);
	return rc;
}

static int draft_close(const char *draft, struct mx_error *err)
{
	if (!store_mark_closed(draft))
		return mx_fail(err, MX_STORE, "%s cannot be written", draft);
	return closed_store_check(draft, err);
}

static int hot_copy(struct bdb *bdb, struct store_copy *copy, struct mx_error *err)
{
	int rc;

	/* All log since the checkpoint before the first page was copied has to be there. */
	store_keeper_pause(bdb->keeper);
	rc = store_copy_tables(copy, err);
	if (rc == 0)
		rc = store_copy_logs(copy, err);
	store_keeper_resume(bdb->keeper);
	if (rc == 0)
		rc = draft_recover(copy->draft, err);
	if (rc == 0)
		rc = draft_close(copy->draft, err);
	return rc ? rc : store_copy_finish(copy, err);
}

int store_bdb_backup(struct store_engine *engine, const char *to_directory, struct mx_error *err)
{
	struct bdb *bdb = (struct bdb *)engine;
	struct store_copy copy = { .from = bdb->directory, .to = to_directory, .hot = true };
	int rc;

	if (!bdb->directory)
		return mx_fail(err, MX_STORE, "a store in memory has no backup");
	rc = store_copy_begin(&copy, err);
	if (rc == 0)
		rc = hot_copy(bdb, &copy, err);
	store_copy_done(&copy);
	return rc;
}

static int cold_copy(struct store_copy *copy, struct mx_error *err)
{
	struct store_catalogue catalogue;
	int rc = store_catalogue_load(copy->from, &catalogue, err);

	if (rc)
		return rc;
	rc = store_copy_tables(copy, err);
	if (rc == 0)
		rc = store_copy_logs(copy, err);
	if (rc == 0 && !store_catalogue_store(copy->draft, &catalogue))
		rc = mx_fail(err, MX_STORE, "%s cannot be written", copy->draft);
	store_catalogue_done(&catalogue);
	if (rc == 0)
		rc = draft_close(copy->draft, err);
	return rc ? rc : store_copy_finish(copy, err);
}

int store_restore(const char *from_directory, const char *to_directory, struct mx_error *err)
{
	struct store_copy copy = { .from = from_directory, .to = to_directory };
	int rc = closed_store_check(from_directory, err);

	if (rc)
		return rc;
	rc = store_copy_begin(&copy, err);
	if (rc == 0)
		rc = cold_copy(&copy, err);
	store_copy_done(&copy);
	return rc;
}

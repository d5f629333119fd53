#include "shared/store/bdb.h"

#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/store/bdb_files.h"
#include "shared/store/bdb_pages.h"

/* After a clean exit no more than this is read, whatever the size of the store. */
#define QUICK_BYTES (256u * 1024 * 1024)
#define QUICK_LEAST (1024u * 1024)

/* bytes: of all files together; 0 = everything. */
static int tables_check(const char *directory, bool closed, uint64_t bytes, uint64_t *ret_empty,
			struct mx_error *err)
{
	struct store_catalogue found;
	uint64_t total = 1;
	int rc = store_files_list(directory, false, &found, err);

	*ret_empty = 0;
	for (size_t i = 0; i < found.files.len; i++)
		total += (uint64_t)found.files.items[i].length;
	for (size_t i = 0; rc == 0 && i < found.files.len; i++) {
		const struct store_file *file = &found.files.items[i];
		mx_autofree char *path = mx_strf("%s/%s", directory, file->name);
		double share = (double)file->length / (double)total;
		struct store_pages pages = { .path = path, .closed = closed };
		uint64_t empty = 0;

		if (bytes)
			pages.bytes_max = QUICK_LEAST + (uint64_t)((double)bytes * share);
		rc = store_pages_check(&pages, &empty, err);
		*ret_empty += empty;
	}
	store_catalogue_done(&found);
	return rc;
}

static bool log_position(DB_ENV *env, uint32_t *ret_file, uint32_t *ret_offset)
{
	DB_LOG_STAT *stat = NULL;

	if (env->log_stat(env, &stat, 0) || !stat)
		return false;
	*ret_file = stat->st_disk_file;
	*ret_offset = stat->st_disk_offset;
	free(stat);
	return true;
}

static void message_drop(const DB_ENV *env, const char *prefix, const char *message)
{
	(void)env;
	(void)prefix;
	(void)message;
}

/* Where the log can be read to. */
static bool log_end(const char *directory, uint32_t *ret_file, uint32_t *ret_offset)
{
	bool found;
	DB_ENV *env;

	if (db_env_create(&env, 0))
		return false;
	env->set_errcall(env, message_drop);
	found = env->open(env, directory, DB_CREATE | DB_PRIVATE | DB_INIT_LOG, 0600) == 0 &&
		log_position(env, ret_file, ret_offset);
	return env->close(env, 0) == 0 && found;
}

/* Recovery takes what it cannot read for the end of the log, and wipes the rest. */
static int log_check(const char *directory, const struct store_catalogue *catalogue,
		     struct mx_error *err)
{
	uint32_t file = 0, offset = 0;

	if (catalogue->log_file == 0)
		return 0; /* there was none yet */
	if (!log_end(directory, &file, &offset))
		return mx_fail(err, MX_STORE, "%s: the log cannot be read", directory);
	if (file > catalogue->log_file ||
	    (file == catalogue->log_file && offset >= catalogue->log_offset))
		return 0;
	return mx_fail(err, MX_STORE,
		       "%s: the log is damaged: it ends in file %u at byte %u, but file %u had "
		       "been written up to byte %u",
		       directory, file, offset, catalogue->log_file, catalogue->log_offset);
}

int store_bdb_check_files(const char *directory, bool all, struct bdb_start *ret_start,
			  struct mx_error *err)
{
	struct bdb_start start = { .closed = store_is_marked_closed(directory) };
	uint64_t bytes = start.closed && !all ? QUICK_BYTES : 0;
	int rc = store_catalogue_load(directory, &start.catalogue, err);

	if (rc)
		return rc;
	rc = store_catalogue_check(directory, &start.catalogue, start.closed, err);
	if (rc == 0)
		rc = log_check(directory, &start.catalogue, err);
	if (rc == 0)
		rc = tables_check(directory, start.closed, bytes, &start.empty_pages, err);
	if (rc) {
		store_catalogue_done(&start.catalogue);
		return rc;
	}
	*ret_start = start;
	return 0;
}

int store_bdb_check_recovered(struct bdb *bdb, const struct bdb_start *start, struct mx_error *err)
{
	uint64_t empty;

	if (start->closed)
		return 0;
	return tables_check(bdb->directory, true, start->empty_pages ? 0 : QUICK_LEAST, &empty,
			    err);
}

void store_bdb_catalogue_write(struct bdb *bdb)
{
	struct store_catalogue now;

	if (!bdb->directory || store_files_list(bdb->directory, false, &now, NULL))
		return;
	if (!log_position(bdb->env, &now.log_file, &now.log_offset) ||
	    !store_catalogue_store(bdb->directory, &now))
		mx_log(MX_LOG_WARN, "the list of tables could not be written, keeping the old one",
		       "directory", bdb->directory, NULL);
	store_catalogue_done(&now);
}

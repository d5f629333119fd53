#include "shared/store/bdb_copy.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/bdb_files.h"
#include "shared/store/bdb_pages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_PAGES 256u
#define CHUNK_BYTES ((size_t)CHUNK_PAGES * STORE_PAGE_SIZE)
/* A page that is being written is whole again within microseconds. */
#define PAGE_TRIES   1000
#define PAGE_WAIT_NS 100000

static int copy_fail(struct mx_error *err, const char *what, const char *path)
{
	return mx_fail(err, MX_STORE, "%s %s: %s", path, what, strerror(errno));
}

/* ---- the directory */

static bool is_store_file(const char *name)
{
	static const char *const names[] = { "tables", "tables.new", "closed", "lock", "reserve" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (streq(name, names[i]))
			return true;
	}
	return mx_starts_with(name, "log.") || mx_ends_with(name, ".db");
}

static bool is_dots(const char *name)
{
	return streq(name, ".") || streq(name, "..");
}

/* Only files that a store has: nothing that somebody else put there. */
static void store_files_remove(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (is_store_file(entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}

static bool is_empty(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	bool empty = dir;

	while (empty && (entry = readdir(dir)))
		empty = is_dots(entry->d_name);
	if (dir)
		closedir(dir);
	return empty;
}

int store_copy_begin(struct store_copy *copy, struct mx_error *err)
{
	if (access(copy->to, F_OK) == 0 && !is_empty(copy->to))
		return mx_fail(err, MX_STORE, "%s is there already and not an empty directory",
			       copy->to);
	copy->draft = mx_strf("%s.partial", copy->to);
	if (mkdir(copy->draft, 0700) && errno != EEXIST)
		return copy_fail(err, "cannot be made", copy->draft);
	store_files_remove(copy->draft);
	if (is_empty(copy->draft))
		return 0;
	return mx_fail(err, MX_STORE, "%s holds files that are no store's", copy->draft);
}

static bool parent_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	mx_autofree char *parent = mx_strf("%.*s", slash ? (int)(slash - path) + 1 : 1,
					   slash ? path : ".");

	return store_directory_sync(parent);
}

int store_copy_finish(struct store_copy *copy, struct mx_error *err)
{
	if (!store_directory_sync(copy->draft) || rename(copy->draft, copy->to) ||
	    !parent_sync(copy->to))
		return copy_fail(err, "cannot get its name", copy->draft);
	mx_free(mx_steal(&copy->draft));
	return 0;
}

void store_copy_done(struct store_copy *copy)
{
	if (!copy->draft)
		return;
	store_files_remove(copy->draft);
	rmdir(copy->draft);
	mx_free(mx_steal(&copy->draft));
}

/* ---- files */

struct file_copy {
	const struct store_copy *copy;
	const char *name;
	int from, to;
	uint8_t *chunk;
	struct mx_error *err;
};

static bool page_is_whole(const uint8_t *page, uint64_t number)
{
	return store_page_look(page, (uint32_t)number) != STORE_PAGE_BAD;
}

static int page_settle(struct file_copy *file, uint8_t *page, uint64_t number)
{
	const struct timespec wait = { .tv_nsec = PAGE_WAIT_NS };
	int tries = file->copy->hot ? PAGE_TRIES : 1;

	for (int i = 0; i < tries; i++) {
		if (page_is_whole(page, number))
			return 0;
		nanosleep(&wait, NULL);
		if (pread(file->from, page, STORE_PAGE_SIZE, (off_t)(number * STORE_PAGE_SIZE)) !=
		    STORE_PAGE_SIZE)
			break;
	}
	return mx_fail(file->err, MX_STORE, "%s/%s is damaged: page %" PRIu64 " fails its check",
		       file->copy->from, file->name, number);
}

static int chunk_settle(struct file_copy *file, size_t len, uint64_t at)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i + STORE_PAGE_SIZE <= len; i += STORE_PAGE_SIZE)
		rc = page_settle(file, file->chunk + i, (at + i) / STORE_PAGE_SIZE);
	return rc;
}

static int bytes_copy(struct file_copy *file)
{
	bool is_table = mx_ends_with(file->name, ".db");
	uint64_t at = 0;
	ssize_t len;

	while ((len = pread(file->from, file->chunk, CHUNK_BYTES, (off_t)at)) > 0) {
		int rc = is_table ? chunk_settle(file, (size_t)len, at) : 0;

		if (rc)
			return rc;
		if (pwrite(file->to, file->chunk, (size_t)len, (off_t)at) != len)
			return copy_fail(file->err, "cannot be written", file->copy->draft);
		at += (uint64_t)len;
	}
	if (len < 0)
		return copy_fail(file->err, "cannot be read", file->name);
	return fsync(file->to) ? copy_fail(file->err, "cannot be written", file->copy->draft) : 0;
}

static int file_copy(const struct store_copy *copy, const char *name, struct mx_error *err)
{
	mx_autofree char *from = mx_strf("%s/%s", copy->from, name);
	mx_autofree char *to = mx_strf("%s/%s", copy->draft, name);
	struct file_copy file = { .copy = copy, .name = name, .err = err };
	int rc;

	file.from = open(from, O_RDONLY | O_CLOEXEC);
	file.to = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file.from < 0 || file.to < 0) {
		rc = copy_fail(err, "cannot be opened", file.from < 0 ? from : to);
	} else {
		file.chunk = mx_alloc(CHUNK_BYTES);
		rc = bytes_copy(&file);
		mx_free(file.chunk);
	}
	if (file.from >= 0)
		close(file.from);
	if (file.to >= 0)
		close(file.to);
	return rc;
}

static int files_copy(const struct store_copy *copy, bool logs, struct mx_error *err)
{
	struct store_catalogue found;
	int rc = store_files_list(copy->from, logs, &found, err);

	for (size_t i = 0; rc == 0 && i < found.files.len; i++)
		rc = file_copy(copy, found.files.items[i].name, err);
	store_catalogue_done(&found);
	return rc;
}

int store_copy_tables(const struct store_copy *copy, struct mx_error *err)
{
	return files_copy(copy, false, err);
}

int store_copy_logs(const struct store_copy *copy, struct mx_error *err)
{
	return files_copy(copy, true, err);
}

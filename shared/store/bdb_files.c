#include "shared/store/bdb_files.h"

#include "shared/core/error.h"
#include "shared/core/slice.h"
#include "shared/core/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define CATALOGUE       "tables"
#define CATALOGUE_KIND  1
#define CATALOGUE_BYTES (256u * 1024)
#define MARKER          "closed"

void store_catalogue_done(struct store_catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->files.len; i++)
		mx_free(catalogue->files.items[i].name);
	mx_vec_done(&catalogue->files);
	*catalogue = (struct store_catalogue){ 0 };
}

bool store_directory_sync(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return synced;
}

/* ---- the catalogue: "trinity-store KIND LOG OFFSET", then a line "NAME LENGTH" for each */

static bool catalogue_read(const char *path, struct mx_str *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return false;
	mx_str_reserve(text, CATALOGUE_BYTES);
	len = read(fd, text->ptr, CATALOGUE_BYTES);
	close(fd);
	if (len < 0)
		return false;
	text->len = (size_t)len;
	return true;
}

static bool number_next(struct mx_slice *line, int64_t *ret_number)
{
	struct mx_slice word;

	return mx_split_next(line, ' ', &word) && mx_parse_i64(word, ret_number) &&
	       *ret_number >= 0;
}

static bool file_parse(struct mx_slice line, struct store_catalogue *catalogue)
{
	struct store_file file = { 0 };
	struct mx_slice name;

	if (!mx_split_next(&line, ' ', &name) || name.len == 0 ||
	    !number_next(&line, &file.length) || line.ptr)
		return false;
	file.name = mx_strndup(name.ptr, name.len);
	mx_vec_push(&catalogue->files, file);
	return true;
}

static bool files_parse(struct mx_slice text, struct store_catalogue *catalogue)
{
	struct mx_slice line;

	while (mx_split_next(&text, '\n', &line)) {
		if (line.len == 0)
			return !text.ptr; /* the text ends in a newline */
		if (!file_parse(line, catalogue))
			return false;
	}
	return false;
}

static int catalogue_parse(const char *path, struct mx_slice text,
			   struct store_catalogue *catalogue, struct mx_error *err)
{
	int64_t kind = 0, log_file = 0, log_offset = 0;
	struct mx_slice line = { 0 }, word;

	if (mx_split_next(&text, '\n', &line) && mx_split_next(&line, ' ', &word) &&
	    mx_slice_is(word, "trinity-store") && number_next(&line, &kind) &&
	    kind > CATALOGUE_KIND)
		return mx_fail(err, MX_STORE, "%s was written by a newer version", path);
	if (kind != CATALOGUE_KIND || !number_next(&line, &log_file) ||
	    !number_next(&line, &log_offset) || log_file > UINT32_MAX || log_offset > UINT32_MAX ||
	    !files_parse(text, catalogue))
		return mx_fail(err, MX_STORE, "%s is damaged", path);
	catalogue->log_file = (uint32_t)log_file;
	catalogue->log_offset = (uint32_t)log_offset;
	return 0;
}

int store_catalogue_load(const char *directory, struct store_catalogue *ret_catalogue,
			 struct mx_error *err)
{
	mx_autofree char *path = mx_strf("%s/" CATALOGUE, directory);
	mx_str_auto text = { 0 };
	int rc;

	*ret_catalogue = (struct store_catalogue){ 0 };
	if (!catalogue_read(path, &text)) {
		if (errno == ENOENT)
			return 0;
		return mx_fail(err, MX_STORE, "%s cannot be read: %s", path, strerror(errno));
	}
	rc = catalogue_parse(path, mx_str_slice(&text), ret_catalogue, err);
	if (rc)
		store_catalogue_done(ret_catalogue);
	return rc;
}

static bool file_write(const char *path, struct mx_slice bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool written = fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len &&
		       fsync(fd) == 0;

	if (fd >= 0 && close(fd))
		written = false;
	return written;
}

bool store_catalogue_store(const char *directory, const struct store_catalogue *catalogue)
{
	mx_autofree char *path = mx_strf("%s/" CATALOGUE, directory);
	mx_autofree char *draft = mx_strf("%s/" CATALOGUE ".new", directory);
	mx_str_auto text = { 0 };

	mx_str_addf(&text, "trinity-store %d %" PRIu32 " %" PRIu32 "\n", CATALOGUE_KIND,
		    catalogue->log_file, catalogue->log_offset);
	for (size_t i = 0; i < catalogue->files.len; i++)
		mx_str_addf(&text, "%s %" PRId64 "\n", catalogue->files.items[i].name,
			    catalogue->files.items[i].length);
	if (file_write(draft, mx_str_slice(&text)) && rename(draft, path) == 0)
		return store_directory_sync(directory);
	unlink(draft);
	return false;
}

static bool is_listed(const char *name, bool logs)
{
	bool is_table = mx_ends_with(name, ".db"); /* one may be called "log" */

	return logs ? mx_starts_with(name, "log.") && !is_table : is_table;
}

int store_files_list(const char *directory, bool logs, struct store_catalogue *ret_catalogue,
		     struct mx_error *err)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	struct stat stat;

	*ret_catalogue = (struct store_catalogue){ 0 };
	if (!dir)
		return mx_fail(err, MX_STORE, "%s cannot be read: %s", directory, strerror(errno));
	while ((entry = readdir(dir))) {
		if (!is_listed(entry->d_name, logs) || fstatat(dirfd(dir), entry->d_name, &stat, 0))
			continue;
		mx_vec_push(&ret_catalogue->files,
			    (struct store_file){ mx_strdup(entry->d_name), stat.st_size });
	}
	closedir(dir);
	return 0;
}

static int file_check(const char *directory, const char *name, int64_t length, struct mx_error *err)
{
	mx_autofree char *path = mx_strf("%s/%s", directory, name);
	struct stat stat_of;

	if (stat(path, &stat_of))
		return mx_fail(err, MX_STORE, "%s is missing: %s", path, strerror(errno));
	if (stat_of.st_size >= length)
		return 0;
	return mx_fail(err, MX_STORE, "%s is cut short: it has %" PRId64 " bytes and had %" PRId64,
		       path, (int64_t)stat_of.st_size, length);
}

int store_catalogue_check(const char *directory, const struct store_catalogue *catalogue,
			  bool closed, struct mx_error *err)
{
	mx_autofree char *log = mx_strf("log.%010" PRIu32, catalogue->log_file);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < catalogue->files.len; i++) {
		const struct store_file *file = &catalogue->files.items[i];

		rc = file_check(directory, file->name, closed ? file->length : file->length > 0,
				err);
	}
	if (rc == 0 && catalogue->log_file)
		rc = file_check(directory, log, catalogue->log_offset, err);
	return rc;
}

bool store_is_marked_closed(const char *directory)
{
	mx_autofree char *path = mx_strf("%s/" MARKER, directory);

	return access(path, F_OK) == 0;
}

bool store_mark_closed(const char *directory)
{
	mx_autofree char *path = mx_strf("%s/" MARKER, directory);

	return file_write(path, MX_SLICE("")) && store_directory_sync(directory);
}

bool store_mark_open(const char *directory)
{
	mx_autofree char *path = mx_strf("%s/" MARKER, directory);

	return (unlink(path) == 0 || errno == ENOENT) && store_directory_sync(directory);
}

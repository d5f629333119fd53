#include "shared/daemon/files.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(struct mx_error *err, const char *path)
{
	return mx_fail(err, MX_STORE, "%s: %s", path, strerror(errno));
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t done = write(fd, bytes, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		bytes += done;
		len -= (size_t)done;
	}
	return true;
}

static bool copy_bytes(int from, int to)
{
	char piece[65536];
	ssize_t got;

	while ((got = read(from, piece, sizeof(piece))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || !write_all(to, piece, (size_t)got))
			return false;
	}
	return true;
}

static int create_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Makes what was written durable; errno tells why not. */
static bool finish(int fd, bool written)
{
	int why = written && fsync(fd) == 0 ? 0 : errno;

	close(fd);
	errno = why;
	return why == 0;
}

int file_copy(const char *from, const char *to, struct mx_error *err)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	bool done;

	if (in < 0)
		return failed(err, from);
	out = create_file(to);
	if (out < 0) {
		close(in);
		return failed(err, to);
	}
	done = finish(out, copy_bytes(in, out));
	close(in);
	return done ? 0 : failed(err, to);
}

int file_write(const char *to, struct mx_slice bytes, struct mx_error *err)
{
	int fd = create_file(to);

	if (fd < 0 || !finish(fd, write_all(fd, bytes.ptr, bytes.len)))
		return failed(err, to);
	return 0;
}

static int read_fd(int fd, const char *path, size_t max, struct mx_str *text, struct mx_error *err)
{
	char piece[4096];
	ssize_t got;

	while ((got = read(fd, piece, sizeof(piece))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed(err, path);
		if (text->len + (size_t)got > max)
			return mx_fail(err, MX_STORE, "%s: is longer than %zu bytes", path, max);
		mx_str_add(text, piece, (size_t)got);
	}
	return 0;
}

int file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_len, struct mx_error *err)
{
	struct mx_str text = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return failed(err, path);
	rc = read_fd(fd, path, max, &text, err);
	close(fd);
	if (rc) {
		mx_str_done(&text);
		return rc;
	}
	*ret_len = text.len;
	*ret_bytes = mx_str_steal(&text);
	return 0;
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool empty = dir != NULL;

	while (dir && empty && (entry = readdir(dir)))
		empty = streq(entry->d_name, ".") || streq(entry->d_name, "..");
	if (dir)
		closedir(dir);
	return empty;
}

int directory_make(const char *path, struct mx_error *err)
{
	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return failed(err, path);
	return is_empty(path) ? 0 : mx_fail(err, MX_STORE, "%s: is there and not empty", path);
}

int directory_sync(const char *path, struct mx_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || !finish(fd, true))
		return failed(err, path);
	return 0;
}

/* ---- trees */

static FTS *tree_open(const char *path)
{
	char *const roots[] = { (char *)(uintptr_t)path, NULL };

	return fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
}

typedef int take_file(const char *from, const char *to, struct mx_error *err);

static int copy_entry(const FTSENT *entry, const char *to, take_file *take, struct mx_error *err)
{
	switch (entry->fts_info) {
	case FTS_D: return directory_make(to, err);
	case FTS_DP: return directory_sync(to, err);
	case FTS_F: return take(entry->fts_path, to, err);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS: errno = entry->fts_errno; return failed(err, entry->fts_path);
	default: return mx_fail(err, MX_STORE, "%s: is no regular file", entry->fts_path);
	}
}

static int take_tree(const char *from, const char *to, take_file *take, struct mx_error *err)
{
	FTS *tree = tree_open(from);
	FTSENT *entry;
	int rc = 0;

	if (!tree)
		return failed(err, from);
	while (rc == 0 && (entry = fts_read(tree))) {
		mx_autofree char *target = mx_strf("%s%s", to, entry->fts_path + strlen(from));

		rc = copy_entry(entry, target, take, err);
	}
	fts_close(tree);
	return rc;
}

int tree_copy(const char *from, const char *to, struct mx_error *err)
{
	return take_tree(from, to, file_copy, err);
}

static int file_link(const char *from, const char *to, struct mx_error *err)
{
	return link(from, to) ? file_copy(from, to, err) : 0;
}

int tree_link(const char *from, const char *to, struct mx_error *err)
{
	return take_tree(from, to, file_link, err);
}

void tree_remove(const char *path)
{
	FTS *tree = tree_open(path);
	FTSENT *entry;

	while (tree && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_DP)
			rmdir(entry->fts_path);
		else if (entry->fts_info != FTS_D)
			unlink(entry->fts_path);
	}
	if (tree)
		fts_close(tree);
}

/* Makes the new name durable. */
static int parent_sync(const char *path, struct mx_error *err)
{
	mx_autofree char *copy = mx_strdup(path);

	return directory_sync(dirname(copy), err);
}

int tree_move(const char *from, const char *to, struct mx_error *err)
{
	int rc;

	if (rename(from, to) == 0)
		return parent_sync(to, err);
	if (errno != EXDEV)
		return failed(err, to);
	rc = tree_copy(from, to, err);
	if (rc == 0)
		tree_remove(from);
	return rc;
}

int tree_chown(const char *path, uid_t user, gid_t group, struct mx_error *err)
{
	FTS *tree = tree_open(path);
	FTSENT *entry;
	int rc = 0;

	if (!tree)
		return failed(err, path);
	while (rc == 0 && (entry = fts_read(tree)))
		if (entry->fts_info != FTS_DP && lchown(entry->fts_path, user, group))
			rc = failed(err, entry->fts_path);
	fts_close(tree);
	return rc;
}

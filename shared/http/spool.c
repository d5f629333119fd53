#include "shared/http/spool.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_PREFIX "body-"
#define NAME_RANDOM 16

struct spool {
	char *path; /* NULL once it is kept */
	int fd;
	uint64_t len;
	_Atomic uint64_t *shared;
	uint64_t shared_max, counted;
};

static int failed(struct mx_error *err, const char *path)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return -MX_STORE_FULL;
	return mx_fail(err, MX_STORE, "%s: %s", path, strerror(errno));
}

static char *new_path(const char *directory)
{
	char token[NAME_RANDOM + 1];

	mx_random_token(token, NAME_RANDOM);
	return mx_strf("%s/" NAME_PREFIX "%s", directory, token);
}

int spool_new(const struct spool_conf *conf, struct spool **ret_spool, struct mx_error *err)
{
	struct spool *spool = mx_calloc(1, sizeof(*spool));

	spool->path = new_path(conf->directory);
	spool->shared = conf->shared;
	spool->shared_max = conf->shared_max;
	spool->fd = open(spool->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (spool->fd < 0) {
		int rc = failed(err, spool->path);

		mx_free(spool->path);
		mx_free(spool);
		return rc;
	}
	*ret_spool = spool;
	return 0;
}

static bool may_grow(struct spool *spool, size_t len)
{
	if (!spool->shared)
		return true;
	spool->counted += len;
	return atomic_fetch_add(spool->shared, len) + len <= spool->shared_max;
}

int spool_add(struct spool *spool, const void *bytes, size_t len, struct mx_error *err)
{
	const char *at = bytes;

	if (!may_grow(spool, len))
		return mx_fail(err, MX_BUSY, "Too many uploads at once: try again");
	while (len) {
		ssize_t done = write(spool->fd, at, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return failed(err, spool->path);
		at += done;
		len -= (size_t)done;
		spool->len += (uint64_t)done;
	}
	return 0;
}

void spool_free(struct spool *spool)
{
	if (!spool)
		return;
	if (spool->shared)
		atomic_fetch_sub(spool->shared, spool->counted);
	if (spool->path)
		unlink(spool->path);
	close(spool->fd);
	mx_free(spool->path);
	mx_free(spool);
}

uint64_t spool_len(const struct spool *spool)
{
	return spool->len;
}

int spool_fd(const struct spool *spool)
{
	return spool->fd;
}

/* A name is durable when its directory is. */
static int sync_directory_of(const char *path)
{
	mx_autofree char *directory = mx_strndup(path, (size_t)(strrchr(path, '/') - path));
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc, why;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	why = errno;
	close(fd);
	errno = why;
	return rc;
}

int spool_keep(struct spool *spool, const char *path, struct mx_error *err)
{
	if (!spool->path)
		return 0;
	if (fsync(spool->fd) || rename(spool->path, path))
		return failed(err, path);
	mx_free(spool->path);
	spool->path = NULL;
	return sync_directory_of(path) ? failed(err, path) : 0;
}

static void clear(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (mx_starts_with(entry->d_name, NAME_PREFIX))
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}

int spool_prepare(const char *directory, struct mx_error *err)
{
	if (mkdir(directory, 0700) && errno != EEXIST)
		return failed(err, directory);
	clear(directory);
	return 0;
}

/*
 * Preloaded into a program under test: writes down, in their order, what it does to the files
 * under $JOURNAL_OF, and what it says on its standard output. From the journal ($JOURNAL) a test
 * makes the disk as it could be after a power cut at any point.
 *
 * An entry: kind (1 byte), length of the path (4), offset (8), length of the bytes (4), path,
 * bytes. Kinds: w write, t truncate to offset, s sync, r rename (bytes: the new path), u unlink,
 * o said on standard output.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So that the order of entries is the order of what was done. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void entry_write(char kind, const char *path, uint64_t offset, const void *bytes, size_t len)
{
	static int journal = -1;
	uint32_t path_len = (uint32_t)strlen(path), bytes_len = (uint32_t)len;
	char head[17];

	if (journal < 0)
		journal = (int)syscall(SYS_openat, AT_FDCWD, getenv("JOURNAL"),
				       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	head[0] = kind;
	memcpy(head + 1, &path_len, 4);
	memcpy(head + 5, &offset, 8);
	memcpy(head + 13, &bytes_len, 4);
	if (syscall(SYS_write, journal, head, sizeof(head)) < 0 ||
	    syscall(SYS_write, journal, path, path_len) < 0 ||
	    syscall(SYS_write, journal, bytes, len) < 0)
		abort();
}

static int is_watched(const char *path)
{
	const char *root = getenv("JOURNAL_OF");

	return root && strncmp(path, root, strlen(root)) == 0;
}

static int path_of(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX - 1);
	path[len < 0 ? 0 : len] = '\0';
	return is_watched(path);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	char path[PATH_MAX];
	off_t at = 0;
	ssize_t rc;
	char kind = fd == STDOUT_FILENO ? 'o' : path_of(fd, path) ? 'w' : '\0';

	if (!kind)
		return syscall(SYS_write, fd, bytes, len);
	pthread_mutex_lock(&lock);
	if (kind == 'w')
		at = lseek(fd, 0, SEEK_CUR);
	rc = syscall(SYS_write, fd, bytes, len);
	if (rc > 0)
		entry_write(kind, kind == 'w' ? path : "", (uint64_t)at, bytes, (size_t)rc);
	pthread_mutex_unlock(&lock);
	return rc;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	char path[PATH_MAX];
	int watched = path_of(fd, path);
	ssize_t rc;

	pthread_mutex_lock(&lock);
	rc = syscall(SYS_pwrite64, fd, bytes, len, at);
	if (watched && rc > 0)
		entry_write('w', path, (uint64_t)at, bytes, (size_t)rc);
	pthread_mutex_unlock(&lock);
	return rc;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return pwrite64(fd, bytes, len, at);
}

int ftruncate64(int fd, off64_t len)
{
	char path[PATH_MAX];
	int watched = path_of(fd, path), rc;

	pthread_mutex_lock(&lock);
	rc = (int)syscall(SYS_ftruncate, fd, len);
	if (watched && rc == 0)
		entry_write('t', path, (uint64_t)len, "", 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int ftruncate(int fd, off_t len)
{
	return ftruncate64(fd, len);
}

static int sync_file(long call, int fd)
{
	char path[PATH_MAX];
	int watched = path_of(fd, path), rc;

	pthread_mutex_lock(&lock);
	rc = (int)syscall(call, fd);
	if (watched && rc == 0)
		entry_write('s', path, 0, "", 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int fsync(int fd)
{
	return sync_file(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_file(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = (int)syscall(SYS_rename, from, to);
	if (rc == 0 && is_watched(from))
		entry_write('r', from, 0, to, strlen(to));
	pthread_mutex_unlock(&lock);
	return rc;
}

int unlink(const char *path)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = (int)syscall(SYS_unlink, path);
	if (rc == 0 && is_watched(path))
		entry_write('u', path, 0, "", 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

/*
 * Preloaded into a program under test: a disk that dies. The Nth fsync fails with EIO
 * (DISK_SYNC_FAILS), or the Nth write (DISK_WRITE_FAILS); what comes later succeeds, as kernels
 * forget what they could not write. With DISK_FILE, counting starts when that file's first byte is
 * not zero any more.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int syncs, writes;

static const volatile char *switch_byte;

__attribute__((constructor)) static void switch_open(void)
{
	const char *path = getenv("DISK_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *file = fd < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);

	if (file != MAP_FAILED)
		switch_byte = file;
	if (fd >= 0)
		close(fd);
}

static bool is_due(const char *name, atomic_int *count)
{
	const char *at = getenv(name);

	if (switch_byte && !*switch_byte)
		return false;
	return at && atomic_fetch_add(count, 1) + 1 == (int)strtol(at, NULL, 10);
}

static bool is_file(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

static int sync_by(const char *name, int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);

	if (!is_due("DISK_SYNC_FAILS", &syncs))
		return next(fd);
	errno = EIO;
	return -1;
}

int fsync(int fd)
{
	return sync_by("fsync", fd);
}

int fdatasync(int fd)
{
	return sync_by("fdatasync", fd);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	ssize_t (*next)(int, const void *,
			size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");

	if (!is_file(fd) || !is_due("DISK_WRITE_FAILS", &writes))
		return next(fd, bytes, len);
	errno = EIO;
	return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	ssize_t (*next)(int, const void *, size_t, off64_t) = (ssize_t(*)(
		int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");

	if (!is_file(fd) || !is_due("DISK_WRITE_FAILS", &writes))
		return next(fd, bytes, len, at);
	errno = EIO;
	return -1;
}

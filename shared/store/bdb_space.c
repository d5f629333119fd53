#include "shared/store/bdb_space.h"

#include "shared/core/alloc.h"
#include "shared/core/log.h"
#include "shared/core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <db.h>

#define MIB               (INT64_C(1024) * 1024)
#define FREE_MIN_DEFAULT  (64 * MIB)
#define RESERVE_BYTES_MAX (16 * MIB)
#define RESERVE_BYTES_MIN (STORE_LOG_FILE_BYTES + 2 * MIB)
/* A small disk gives up a small part of itself. */
#define RESERVE_PART 16

/* The library's hooks for writing know the file, not the environment: the one thing here that is
 * global. */
static pthread_mutex_t guarded_lock = PTHREAD_MUTEX_INITIALIZER;
static struct bdb_space *guarded;

static bool reserve_release(struct bdb_space *space, const struct stat *file)
{
	struct stat reserve;

	if (space->reserve_gone || space->reserve_fd < 0)
		return false;
	if (fstat(space->reserve_fd, &reserve) || reserve.st_dev != file->st_dev)
		return false;
	if (ftruncate(space->reserve_fd, 0))
		return false;
	space->reserve_gone = true;
	space->full = true;
	mx_log(MX_LOG_ERROR, "the disk is full: the reserve is used, commits are refused",
	       "reserve", space->reserve_path, NULL);
	return true;
}

/* Frees space on the disk of this file. */
static bool reserves_release(int fd)
{
	struct stat file;
	bool released = false;

	if (fstat(fd, &file) == 0) {
		pthread_mutex_lock(&guarded_lock);
		for (struct bdb_space *space = guarded; space; space = space->next)
			released |= reserve_release(space, &file);
		pthread_mutex_unlock(&guarded_lock);
	}
	errno = ENOSPC; /* what the caller is told when there was nothing to release */
	return released;
}

struct piece {
	int fd;
	const char *bytes;
	size_t len;
	off_t at; /* < 0: where the file's position is */
};

static ssize_t piece_write(const struct piece *piece, size_t done)
{
	const char *bytes = piece->bytes + done;
	size_t len = piece->len - done;

	if (piece->at < 0)
		return write(piece->fd, bytes, len);
	return pwrite(piece->fd, bytes, len, piece->at + (off_t)done);
}

static bool is_guarded(int fd)
{
	struct stat file, reserve;
	bool found = false;

	if (fstat(fd, &file))
		return false;
	pthread_mutex_lock(&guarded_lock);
	for (struct bdb_space *space = guarded; space && !found; space = space->next)
		found = fstat(space->reserve_fd, &reserve) == 0 && reserve.st_dev == file.st_dev;
	pthread_mutex_unlock(&guarded_lock);
	return found;
}

/* The library would try again, or go on with the page in its cache; after an error nobody knows
 * what is on the disk. While a store is being opened its failure is the answer. */
static void write_failed(int fd)
{
	int why = errno;

	if (is_guarded(fd)) {
		mx_log(MX_LOG_ERROR,
		       "a table or the log cannot be written; the process ends and recovers at its "
		       "next start",
		       "error", strerror(why), NULL);
		abort();
	}
	errno = why;
}

static bool may_go_on(int fd)
{
	if (errno == EDQUOT)
		errno = ENOSPC;
	if (errno == EINTR)
		return true;
	if (errno == ENOSPC)
		return reserves_release(fd);
	write_failed(fd);
	return false;
}

/* A disk that fills up takes a part first: the library would call that a failure. */
static ssize_t piece_write_all(const struct piece *piece)
{
	size_t done = 0;

	while (done < piece->len) {
		ssize_t written = piece_write(piece, done);

		if (written < 0 && !may_go_on(piece->fd))
			return -1;
		if (written > 0)
			done += (size_t)written;
	}
	return (ssize_t)done;
}

static ssize_t guarded_write(int fd, const void *bytes, size_t len)
{
	const struct piece piece = { .fd = fd, .bytes = bytes, .len = len, .at = -1 };

	return piece_write_all(&piece);
}

static ssize_t guarded_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	const struct piece piece = { .fd = fd, .bytes = bytes, .len = len, .at = at };

	return piece_write_all(&piece);
}

static void hooks_set(void)
{
	db_env_set_func_write(guarded_write);
	db_env_set_func_pwrite(guarded_pwrite);
}

static int64_t reserve_size(const char *directory)
{
	struct statvfs disk;
	int64_t part;

	if (statvfs(directory, &disk))
		return RESERVE_BYTES_MIN;
	part = (int64_t)disk.f_blocks * (int64_t)disk.f_frsize / RESERVE_PART;
	if (part > RESERVE_BYTES_MAX)
		return RESERVE_BYTES_MAX;
	return part < RESERVE_BYTES_MIN ? RESERVE_BYTES_MIN : part;
}

void store_space_init(struct bdb_space *space, const char *directory, int64_t free_min)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	*space = (struct bdb_space){ .reserve_fd = -1 };
	if (!directory)
		return;
	pthread_once(&once, hooks_set);
	space->free_min = free_min ? free_min : FREE_MIN_DEFAULT;
	space->reserve_bytes = reserve_size(directory);
	space->reserve_path = mx_strf("%s/reserve", directory);
	space->reserve_fd = open(space->reserve_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	space->reserve_gone = true;
}

/* Allocated blocks, not a hole: that is what can be given up later. */
static bool reserve_take(struct bdb_space *space)
{
	if (!space->reserve_gone)
		return true;
	if (space->reserve_fd < 0 || posix_fallocate(space->reserve_fd, 0, space->reserve_bytes)) {
		if (space->reserve_fd >= 0 && ftruncate(space->reserve_fd, 0))
			mx_log(MX_LOG_WARN, "the reserve stays as it is", "reserve",
			       space->reserve_path, NULL);
		return false;
	}
	space->reserve_gone = false;
	return true;
}

static int64_t bytes_free(const struct bdb_space *space)
{
	struct statvfs disk;

	if (fstatvfs(space->reserve_fd, &disk))
		return 0;
	return (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
}

static bool has_space(struct bdb_space *space, int64_t need)
{
	int64_t take = space->reserve_gone ? space->reserve_bytes : 0;

	if (space->free_min >= 0 && bytes_free(space) < space->free_min + need + take)
		return false;
	return reserve_take(space);
}

bool store_space_admits(struct bdb_space *space, int64_t need)
{
	bool admits;

	if (!space->reserve_path)
		return true;
	pthread_mutex_lock(&guarded_lock);
	admits = has_space(space, need);
	if (admits && space->full)
		mx_log(MX_LOG_WARN, "the disk has room again: commits are taken", "reserve",
		       space->reserve_path, NULL);
	if (!admits && !space->full)
		mx_log(MX_LOG_ERROR, "too little free disk: commits are refused, reads go on",
		       "reserve", space->reserve_path, NULL);
	space->full = !admits;
	pthread_mutex_unlock(&guarded_lock);
	return admits;
}

void store_space_guard(struct bdb_space *space)
{
	if (!space->reserve_path)
		return;
	pthread_mutex_lock(&guarded_lock);
	space->next = guarded;
	guarded = space;
	pthread_mutex_unlock(&guarded_lock);
	store_space_admits(space, 0);
}

static void guarded_remove(const struct bdb_space *space)
{
	struct bdb_space **link = &guarded;

	pthread_mutex_lock(&guarded_lock);
	while (*link && *link != space)
		link = &(*link)->next;
	if (*link)
		*link = space->next;
	pthread_mutex_unlock(&guarded_lock);
}

void store_space_done(struct bdb_space *space)
{
	if (!space->reserve_path)
		return;
	guarded_remove(space);
	if (space->reserve_fd >= 0)
		close(space->reserve_fd);
	mx_free(space->reserve_path);
	space->reserve_path = NULL;
}

bool store_space_is_full(const struct bdb_space *space)
{
	return space->full;
}

bool store_space_is_exhausted(const struct bdb_space *space)
{
	return space->reserve_path && bytes_free(space) < STORE_LOG_FILE_BYTES;
}

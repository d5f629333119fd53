/*
 * Preloaded into a program under test: its wall clock is off by as many seconds as the first eight
 * bytes of the file $CLOCK_FILE say, or stands still at the milliseconds that the next eight say; a
 * test may change them at any time. Monotonic clocks go on.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile struct {
	int64_t offset_s, frozen_ms;
} * file_clock;

__attribute__((constructor)) static void clock_open(void)
{
	const char *path = getenv("CLOCK_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *file = fd < 0 ? MAP_FAILED
			    : mmap(NULL, sizeof(*file_clock), PROT_READ, MAP_SHARED, fd, 0);

	/* What a short file lacks of its page is zeros. */
	if (file != MAP_FAILED)
		file_clock = file;
	if (fd >= 0)
		close(fd);
}

static void move(struct timespec *at)
{
	int64_t frozen_ms = file_clock->frozen_ms;

	at->tv_sec += file_clock->offset_s;
	if (frozen_ms)
		*at = (struct timespec){ frozen_ms / 1000, frozen_ms % 1000 * 1000000 };
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, at);

	if (rc == 0 && file_clock && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		move(at);
	return rc;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now))
		return -1;
	*at = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}

time_t time(time_t *at)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	if (at)
		*at = now.tv_sec;
	return now.tv_sec;
}

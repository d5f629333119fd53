/*
 * Preloaded into a program under test: its wall clock is off by as many seconds as the first eight
 * bytes of the file $CLOCK_FILE say, which a test may change at any time. Monotonic clocks go on.
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

static const volatile int64_t *offset;

__attribute__((constructor)) static void clock_open(void)
{
	const char *path = getenv("CLOCK_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *file = fd < 0 ? MAP_FAILED
			    : mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);

	if (file != MAP_FAILED)
		offset = file;
	if (fd >= 0)
		close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, at);

	if (rc == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		at->tv_sec += *offset;
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

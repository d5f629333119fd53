#include "shared/core/time.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t fake_now = -1, fake_mono = -1, shift;

static int64_t read_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t mx_now_ms(void)
{
	int64_t fake = fake_now;

	return (fake >= 0 ? fake : read_us(CLOCK_REALTIME) / 1000) + shift;
}

int64_t mx_mono_us(void)
{
	int64_t fake = fake_mono;

	return fake >= 0 ? fake * 1000 : read_us(CLOCK_MONOTONIC);
}

int64_t mx_mono_ms(void)
{
	return mx_mono_us() / 1000;
}

void mx_time_fake(int64_t now_ms, int64_t mono_ms)
{
	fake_now = now_ms;
	fake_mono = mono_ms;
	shift = 0;
}

void mx_time_shift(int64_t by_ms)
{
	shift += by_ms;
}

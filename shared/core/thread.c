#include "shared/core/thread.h"

#include "shared/core/log.h"

#include <signal.h>
#include <stdlib.h>

#define SECOND_US 1000000
#define SECOND_NS 1000000000

pthread_t mx_thread_start(const char *name, void *(*main)(void *), void *ctx)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, MX_THREAD_STACK);
	if (pthread_create(&thread, &attr, main, ctx) != 0) {
		mx_log(MX_LOG_ERROR, "no thread could be started", "name", name, NULL);
		abort();
	}
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_setname_np(thread, name);
	return thread;
}

void mx_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

struct timespec mx_after_us(int64_t us)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += us / SECOND_US;
	at.tv_nsec += us % SECOND_US * 1000;
	if (at.tv_nsec >= SECOND_NS) {
		at.tv_sec++;
		at.tv_nsec -= SECOND_NS;
	}
	return at;
}

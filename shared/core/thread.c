#include "shared/core/thread.h"

#include "shared/core/alloc.h"
#include "shared/core/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define BACKGROUND_NICE 10
#define SECOND_US       1000000
#define SECOND_NS       1000000000

#define NAME_MAX_LEN 16 /* the system's, with the NUL */

struct start {
	void *(*run)(void *);
	void *ctx;
	char name[NAME_MAX_LEN];
};

/* A thread names itself: others may not once files are out of reach. */
static void *named_main(void *ptr)
{
	struct start start = *(struct start *)ptr;

	mx_free(ptr);
	pthread_setname_np(pthread_self(), start.name);
	return start.run(start.ctx);
}

static struct start *start_new(const char *name, void *(*run)(void *), void *ctx)
{
	struct start *start = mx_alloc(sizeof(*start));

	start->run = run;
	start->ctx = ctx;
	snprintf(start->name, sizeof(start->name), "%s", name);
	return start;
}

bool mx_thread_try(const char *name, void *(*run)(void *), void *ctx, pthread_t *ret_thread)
{
	struct start *start = start_new(name, run, ctx);
	pthread_attr_t attr;
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, MX_THREAD_STACK);
	started = pthread_create(ret_thread, &attr, named_main, start) == 0;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!started)
		mx_free(start);
	return started;
}

pthread_t mx_thread_start(const char *name, void *(*run)(void *), void *ctx)
{
	pthread_t thread;

	if (!mx_thread_try(name, run, ctx, &thread)) {
		mx_log(MX_LOG_ERROR, "no thread could be started", "name", name, NULL);
		abort();
	}
	return thread;
}

/* Linux keeps niceness per thread. Where it cannot be set, all are equal as before. */
void mx_thread_yields(void)
{
	setpriority(PRIO_PROCESS, (id_t)gettid(), BACKGROUND_NICE);
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

bool mx_cond_sleep(pthread_cond_t *cond, pthread_mutex_t *lock, const bool *stopping, int64_t us)
{
	const struct timespec until = mx_after_us(us);
	bool go_on;

	pthread_mutex_lock(lock);
	while (!*stopping && pthread_cond_timedwait(cond, lock, &until) == 0)
		continue;
	go_on = !*stopping;
	pthread_mutex_unlock(lock);
	return go_on;
}

void mx_rwlock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

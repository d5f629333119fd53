#include "shared/core/thread.h"

#include "shared/core/time.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 20000

static void *write_once(void *ctx)
{
	pthread_rwlock_t *lock = ctx;

	pthread_rwlock_wrlock(lock);
	pthread_rwlock_unlock(lock);
	return NULL;
}

/* Whether readers are kept out within the time. */
static bool readers_wait(pthread_rwlock_t *lock)
{
	int64_t until_ms = mx_mono_ms() + PATIENCE_MS;

	while (mx_mono_ms() < until_ms) {
		if (pthread_rwlock_tryrdlock(lock) == EBUSY)
			return true;
		pthread_rwlock_unlock(lock);
		sched_yield();
	}
	return false;
}

static void new_readers_do_not_keep_a_writer_out(void **state)
{
	pthread_rwlock_t lock;
	pthread_t writer;

	(void)state;
	mx_rwlock_init(&lock);
	pthread_rwlock_rdlock(&lock);
	writer = mx_thread_start("writer", write_once, &lock);
	assert_true(readers_wait(&lock));
	pthread_rwlock_unlock(&lock);
	pthread_join(writer, NULL);
	assert_int_equal(pthread_rwlock_tryrdlock(&lock), 0);
	pthread_rwlock_unlock(&lock);
	pthread_rwlock_destroy(&lock);
}

static void *niceness_of_one_that_yields(void *ctx)
{
	int *niceness = ctx;

	mx_thread_yields();
	*niceness = getpriority(PRIO_PROCESS, (id_t)gettid());
	return NULL;
}

static void a_thread_that_yields_leaves_the_others_as_they_are(void **state)
{
	int before = getpriority(PRIO_PROCESS, (id_t)gettid()), niceness = before;

	(void)state;
	pthread_join(mx_thread_start("yields", niceness_of_one_that_yields, &niceness), NULL);
	assert_true(niceness > before || before >= 10);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)gettid()), before);
}

static void a_time_ahead_is_ahead(void **state)
{
	struct timespec now = mx_after_us(0), later = mx_after_us(1999999);
	int64_t between_us = (int64_t)(later.tv_sec - now.tv_sec) * 1000000 +
			     (later.tv_nsec - now.tv_nsec) / 1000;

	(void)state;
	assert_in_range(later.tv_nsec, 0, 999999999);
	assert_true(between_us >= 1999998);
}

struct sleeper {
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping;
};

static void *stop(void *ctx)
{
	struct sleeper *sleeper = ctx;

	pthread_mutex_lock(&sleeper->lock);
	sleeper->stopping = true;
	pthread_cond_signal(&sleeper->stop);
	pthread_mutex_unlock(&sleeper->lock);
	return NULL;
}

static bool sleep_for(struct sleeper *sleeper, int64_t us)
{
	return mx_cond_sleep(&sleeper->stop, &sleeper->lock, &sleeper->stopping, us);
}

static void a_sleep_ends_with_its_time_or_when_it_is_to_stop(void **state)
{
	struct sleeper sleeper = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t thread;

	(void)state;
	mx_cond_init(&sleeper.stop);
	assert_true(sleep_for(&sleeper, 0));
	assert_true(sleep_for(&sleeper, 1000));
	thread = mx_thread_start("stop", stop, &sleeper);
	assert_false(sleep_for(&sleeper, INT64_C(3600) * 1000 * 1000));
	pthread_join(thread, NULL);
	assert_false(sleep_for(&sleeper, 0));
	pthread_cond_destroy(&sleeper.stop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_readers_do_not_keep_a_writer_out),
		cmocka_unit_test(a_thread_that_yields_leaves_the_others_as_they_are),
		cmocka_unit_test(a_time_ahead_is_ahead),
		cmocka_unit_test(a_sleep_ends_with_its_time_or_when_it_is_to_stop),
	};

	return cmocka_run_group_tests_name("core/thread", tests, NULL, NULL);
}

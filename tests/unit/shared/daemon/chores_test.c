#include "shared/daemon/chores.h"

#include "shared/core/log.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void *ctx;
	unsigned often, never;
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static size_t run_often(void *ctx, int64_t now_ms)
{
	(void)now_ms;
	pthread_mutex_lock(&seen.lock);
	seen.ctx = ctx;
	seen.often++;
	pthread_cond_signal(&seen.changed);
	pthread_mutex_unlock(&seen.lock);
	return 0;
}

static size_t run_never(void *ctx, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	pthread_mutex_lock(&seen.lock);
	seen.never++;
	pthread_mutex_unlock(&seen.lock);
	return 0;
}

static const struct chore list[] = {
	{ "often", 1, run_often },
	{ "never", 1000000000, run_never },
};

static void a_chore_is_done_again_and_again_until_the_stop(void **state)
{
	int own = 0;
	struct chores *chores = chores_start(&own, list, 2);
	unsigned often;

	(void)state;
	pthread_mutex_lock(&seen.lock);
	while (seen.often < 3)
		pthread_cond_wait(&seen.changed, &seen.lock);
	pthread_mutex_unlock(&seen.lock);
	chores_stop(chores);
	often = seen.often;
	assert_ptr_equal(seen.ctx, &own);
	assert_int_equal(seen.never, 0);
	assert_true(often >= 3);
}

static void a_stop_does_not_wait_for_what_is_not_due(void **state)
{
	int own = 0;

	(void)state;
	chores_stop(chores_start(&own, &list[1], 1));
	chores_stop(NULL);
	assert_int_equal(seen.never, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chore_is_done_again_and_again_until_the_stop),
		cmocka_unit_test(a_stop_does_not_wait_for_what_is_not_due),
	};

	mx_log_setup(MX_LOG_ERROR, MX_LOG_TEXT);
	return cmocka_run_group_tests_name("daemon/chores", tests, NULL, NULL);
}

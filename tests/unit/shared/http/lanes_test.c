#include "shared/http/lanes.h"

#include "shared/core/alloc.h"
#include "shared/http/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#define WORKERS 2
#define NETTERS 5

static pthread_barrier_t all_there;
static _Atomic unsigned ran;

/* Ends only once as many run at the same time as the pool may have threads. */
static void meet(struct exchange *ex, enum route_lane lane)
{
	(void)ex;
	assert_int_equal(lane, LANE_NET);
	pthread_barrier_wait(&all_there);
	atomic_fetch_add(&ran, 1);
}

static void count(struct exchange *ex, enum route_lane lane)
{
	(void)ex;
	assert_int_equal(lane, LANE_WORK);
	atomic_fetch_add(&ran, 1);
}

static void a_pool_grows_to_all_its_threads_when_there_is_work(void **state)
{
	struct exchange *waiting = mx_calloc(NETTERS, sizeof(*waiting));
	struct lanes *lanes = lanes_new(WORKERS, NETTERS, meet);

	(void)state;
	ran = 0;
	pthread_barrier_init(&all_there, NULL, NETTERS);
	for (int i = 0; i < NETTERS; i++)
		assert_true(lanes_push(lanes, &waiting[i], LANE_NET));
	lanes_free(lanes);
	assert_int_equal(ran, NETTERS);
	pthread_barrier_destroy(&all_there);
	mx_free(waiting);
}

static void everything_that_was_admitted_runs(void **state)
{
	struct exchange *waiting = mx_calloc(LANE_QUEUE_MAX, sizeof(*waiting));
	struct lanes *lanes = lanes_new(WORKERS, 1, count);

	(void)state;
	ran = 0;
	for (int i = 0; i < LANE_QUEUE_MAX; i++)
		lanes_push_again(lanes, &waiting[i], LANE_WORK);
	lanes_free(lanes);
	assert_int_equal(ran, LANE_QUEUE_MAX);
	mx_free(waiting);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void pass_gate(struct exchange *ex, enum route_lane lane)
{
	(void)ex, (void)lane;
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
}

static void a_full_queue_refuses_but_never_what_was_admitted_before(void **state)
{
	struct exchange *waiting = mx_calloc(LANE_QUEUE_MAX + 3, sizeof(*waiting));
	struct lanes *lanes = lanes_new(1, 1, pass_gate);
	unsigned taken = 0;

	(void)state;
	pthread_mutex_lock(&gate);
	while (lanes_push(lanes, &waiting[taken], LANE_WORK))
		taken++;
	assert_int_equal(lanes_queued(lanes, LANE_WORK), LANE_QUEUE_MAX);
	assert_in_range(taken, LANE_QUEUE_MAX, LANE_QUEUE_MAX + 1);
	lanes_push_again(lanes, &waiting[taken], LANE_WORK);
	assert_int_equal(lanes_queued(lanes, LANE_WORK), LANE_QUEUE_MAX + 1);
	pthread_mutex_unlock(&gate);
	lanes_free(lanes);
	mx_free(waiting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_grows_to_all_its_threads_when_there_is_work),
		cmocka_unit_test(everything_that_was_admitted_runs),
		cmocka_unit_test(a_full_queue_refuses_but_never_what_was_admitted_before),
	};

	return cmocka_run_group_tests_name("http/lanes", tests, NULL, NULL);
}

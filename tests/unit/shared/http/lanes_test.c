#include "shared/http/lanes.h"

#include "shared/core/alloc.h"
#include "shared/http/exchange.h"

#include <pthread.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned ran[3], running, running_max;
static bool gate_shut;
static struct exchange *last;

/* Everybody waits at the gate, so a test sees how many run at once. */
static void run(struct exchange *ex, enum route_lane lane)
{
	pthread_mutex_lock(&lock);
	last = ex;
	running++;
	running_max = running > running_max ? running : running_max;
	pthread_cond_broadcast(&changed);
	while (gate_shut)
		pthread_cond_wait(&changed, &lock);
	running--;
	ran[lane]++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static int set_up(void **state)
{
	memset(ran, 0, sizeof(ran));
	running = running_max = 0;
	gate_shut = false;
	*state = lanes_new(2, 3, run);
	return 0;
}

static void gate_set(bool shut)
{
	pthread_mutex_lock(&lock);
	gate_shut = shut;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void wait_running(unsigned count)
{
	pthread_mutex_lock(&lock);
	while (running < count)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void what_is_queued_is_run_before_the_end(void **state)
{
	struct exchange *many = mx_calloc(200, sizeof(*many));

	for (unsigned i = 0; i < 200; i++)
		assert_true(lanes_push(*state, &many[i], i % 2 ? LANE_WORK : LANE_NET));
	lanes_free(*state);
	assert_int_equal(ran[LANE_WORK], 100);
	assert_int_equal(ran[LANE_NET], 100);
	mx_free(many);
}

static void a_pool_runs_as_many_as_it_has_threads(void **state)
{
	struct exchange *many = mx_calloc(20, sizeof(*many));

	gate_set(true);
	for (unsigned i = 0; i < 20; i++)
		lanes_push(*state, &many[i], LANE_NET);
	wait_running(3);
	gate_set(false);
	lanes_free(*state);
	assert_int_equal(running_max, 3);
	assert_int_equal(ran[LANE_NET], 20);
	mx_free(many);
}

static void a_full_queue_refuses_but_not_who_was_admitted_before(void **state)
{
	struct exchange *many = mx_calloc(LANE_QUEUE_MAX + 4, sizeof(*many));

	gate_set(true);
	lanes_push(*state, &many[0], LANE_WORK);
	wait_running(1);
	lanes_push(*state, &many[1], LANE_WORK);
	wait_running(2);
	for (unsigned i = 2; i < LANE_QUEUE_MAX + 2; i++)
		assert_true(lanes_push(*state, &many[i], LANE_WORK));
	assert_int_equal(lanes_queued(*state, LANE_WORK), LANE_QUEUE_MAX);
	assert_false(lanes_push(*state, &many[LANE_QUEUE_MAX + 2], LANE_WORK));
	assert_true(lanes_push(*state, &many[LANE_QUEUE_MAX + 3], LANE_NET));
	lanes_push_again(*state, &many[LANE_QUEUE_MAX + 2], LANE_WORK);
	assert_int_equal(lanes_queued(*state, LANE_WORK), LANE_QUEUE_MAX + 1);
	gate_set(false);
	lanes_free(*state);
	assert_int_equal(ran[LANE_WORK], LANE_QUEUE_MAX + 3);
	mx_free(many);
}

static void who_came_first_runs_first(void **state)
{
	struct exchange *many = mx_calloc(10, sizeof(*many));
	struct lanes *single = lanes_new(1, 1, run);

	gate_set(true);
	for (unsigned i = 0; i < 10; i++)
		lanes_push(single, &many[i], LANE_WORK);
	gate_set(false);
	lanes_free(single);
	assert_ptr_equal(last, &many[9]);
	lanes_free(*state);
	mx_free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_queued_is_run_before_the_end, set_up),
		cmocka_unit_test_setup(a_pool_runs_as_many_as_it_has_threads, set_up),
		cmocka_unit_test_setup(a_full_queue_refuses_but_not_who_was_admitted_before,
				       set_up),
		cmocka_unit_test_setup(who_came_first_runs_first, set_up),
	};
	return cmocka_run_group_tests_name("http/lanes", tests, NULL, NULL);
}

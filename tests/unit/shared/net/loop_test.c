#include "shared/net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

struct counted {
	struct net_task task;
	struct net_loop *loop;
	struct net_task *wakes; /* another one, from inside */
	int runs;
};

static void count(struct net_task *task)
{
	struct counted *counted = net_entry(task, struct counted, task);

	counted->runs++;
	if (counted->wakes)
		net_task_wake(counted->loop, counted->wakes);
}

static int set_up(void **state)
{
	static struct net_loop loop;

	*state = &loop;
	return net_loop_init(&loop) ? 0 : -1;
}

static int tear_down(void **state)
{
	net_loop_done(*state);
	return 0;
}

static void a_task_woken_often_runs_once(void **state)
{
	struct counted counted = { .task.run = count };

	for (int i = 0; i < 5; i++)
		net_task_wake(*state, &counted.task);
	net_loop_run(*state);
	net_loop_run(*state);
	assert_int_equal(counted.runs, 1);
}

static void a_task_may_wake_another(void **state)
{
	struct counted second = { .task.run = count };
	struct counted first = { .task.run = count, .loop = *state, .wakes = &second.task };

	net_task_wake(*state, &first.task);
	net_loop_run(*state);
	assert_int_equal(second.runs, 1);
}

static void a_cancelled_task_does_not_run(void **state)
{
	struct counted counted = { .task.run = count };

	net_task_cancel(&counted.task);
	net_task_wake(*state, &counted.task);
	net_task_cancel(&counted.task);
	net_loop_run(*state);
	assert_int_equal(counted.runs, 0);
}

static void all_who_wait_are_woken_once(void **state)
{
	struct counted counted[3];
	struct net_wait waits[3] = { 0 };
	struct net_link waiting, other;

	net_list_init(&waiting);
	net_list_init(&other);
	for (int i = 0; i < 3; i++) {
		counted[i] = (struct counted){ .task.run = count };
		net_wait_add(&other, &waits[i], &counted[i].task);
		net_wait_add(&waiting, &waits[i], &counted[i].task);
	}
	assert_true(net_list_empty(&other)); /* a wait is in one list at most */
	net_list_remove(&waits[1].link);
	net_wait_wake_all(*state, &waiting);
	net_wait_wake_all(*state, &waiting);
	net_loop_run(*state);
	assert_int_equal(counted[0].runs, 1);
	assert_int_equal(counted[1].runs, 0);
	assert_int_equal(counted[2].runs, 1);
}

/* ---- timers */

#define TIMERS 200

static void timers_fire_in_time_and_not_before(void **state)
{
	struct counted counted[TIMERS] = { 0 };
	struct net_timer timers[TIMERS] = { 0 };

	for (int i = 0; i < TIMERS; i++) {
		counted[i].task.run = count;
		timers[i].task = &counted[i].task;
		net_timer_arm(*state, &timers[i], 1000 + (i * 73) % TIMERS);
	}
	for (int now = 999; now < 1000 + TIMERS; now++) {
		int64_t next = net_timers_fire(*state, now);

		net_loop_run(*state);
		assert_int_equal(next, now < 999 + TIMERS ? now + 1 : -1);
		for (int i = 0; i < TIMERS; i++)
			assert_int_equal(counted[i].runs, 1000 + (i * 73) % TIMERS <= now);
	}
}

static void a_disarmed_timer_does_not_fire(void **state)
{
	struct counted counted[TIMERS] = { 0 };
	struct net_timer timers[TIMERS] = { 0 };

	for (int i = 0; i < TIMERS; i++) {
		counted[i].task.run = count;
		timers[i].task = &counted[i].task;
		net_timer_arm(*state, &timers[i], (i * 37) % TIMERS);
	}
	for (int i = 0; i < TIMERS; i += 2) {
		net_timer_disarm(*state, &timers[i]);
		net_timer_disarm(*state, &timers[i]);
	}
	assert_int_equal(net_timers_fire(*state, TIMERS), -1);
	net_loop_run(*state);
	for (int i = 0; i < TIMERS; i++)
		assert_int_equal(counted[i].runs, i % 2);
}

static void a_timer_armed_again_has_its_new_time(void **state)
{
	struct counted counted = { .task.run = count };
	struct net_timer timer = { .task = &counted.task };

	net_timer_arm(*state, &timer, 10);
	net_timer_arm(*state, &timer, 30);
	assert_int_equal(net_timers_fire(*state, 20), 30);
	net_loop_run(*state);
	assert_int_equal(counted.runs, 0);
	assert_int_equal(net_timers_fire(*state, 30), -1);
	net_loop_run(*state);
	assert_int_equal(counted.runs, 1);
	assert_int_equal(timer.due.place, 0);
}

/* ---- sockets */

static void an_interrupt_ends_one_wait(void **state)
{
	struct net_ready ready[NET_READY_MAX];

	net_loop_interrupt(*state);
	net_loop_interrupt(*state);
	assert_int_equal(net_loop_poll(*state, -1, ready), 0);
	assert_int_equal(net_loop_poll(*state, 0, ready), 0);
}

static void only_what_is_watched_is_told(void **state)
{
	struct net_ready ready[NET_READY_MAX];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	net_loop_watch(*state, (struct net_ready){ ends[0], NET_SOCKET_DNS, .readable = true });
	assert_int_equal(net_loop_poll(*state, 0, ready), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(net_loop_poll(*state, -1, ready), 1);
	assert_int_equal(ready[0].fd, ends[0]);
	assert_int_equal(ready[0].owner, NET_SOCKET_DNS);
	assert_true(ready[0].readable && !ready[0].writable && !ready[0].failed);
	net_loop_watch(*state, (struct net_ready){ ends[0], NET_SOCKET_DNS });
	assert_int_equal(net_loop_poll(*state, 0, ready), 0);
	net_loop_watch(*state, (struct net_ready){ ends[1], NET_SOCKET_CURL, .writable = true });
	assert_int_equal(net_loop_poll(*state, -1, ready), 1);
	assert_true(ready[0].writable && ready[0].owner == NET_SOCKET_CURL);
	close(ends[0]);
	close(ends[1]);
	net_loop_watch(*state, (struct net_ready){ ends[1], NET_SOCKET_CURL }); /* too late */
}

static void a_peer_that_left_makes_a_socket_readable(void **state)
{
	struct net_ready ready[NET_READY_MAX];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	net_loop_watch(*state, (struct net_ready){ ends[0], NET_SOCKET_CURL, .readable = true });
	close(ends[1]);
	assert_int_equal(net_loop_poll(*state, -1, ready), 1);
	assert_true(ready[0].readable);
	close(ends[0]);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_task_woken_often_runs_once),
		test(a_task_may_wake_another),
		test(a_cancelled_task_does_not_run),
		test(all_who_wait_are_woken_once),
		test(timers_fire_in_time_and_not_before),
		test(a_disarmed_timer_does_not_fire),
		test(a_timer_armed_again_has_its_new_time),
		test(an_interrupt_ends_one_wait),
		test(only_what_is_watched_is_told),
		test(a_peer_that_left_makes_a_socket_readable),
	};
	return cmocka_run_group_tests_name("net/loop", tests, NULL, NULL);
}

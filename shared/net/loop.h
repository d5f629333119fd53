/* The network thread's loop: sockets, timers, and tasks that are run when something they wait
 * for has happened. Everything but net_loop_interrupt() belongs to that one thread. */
#pragma once

#include "shared/core/due.h"
#include "shared/net/list.h"

#include <stdbool.h>
#include <stdint.h>

/* A piece of work that looks at its state and goes on; it may be woken any number of times. */
struct net_task {
	struct net_link link; /* in the run queue */
	void (*run)(struct net_task *task);
};

/* A task's place in a list of those who wait for the same thing. */
struct net_wait {
	struct net_link link;
	struct net_task *task;
};

struct net_timer {
	struct mx_due due; /* monotonic */
	struct net_task *task;
};

enum net_socket_owner { NET_SOCKET_WAKE, NET_SOCKET_CURL, NET_SOCKET_DNS };

struct net_loop {
	int epoll_fd, wake_fd;
	struct net_link runnable;
	struct mx_due_heap timers;
};

/* A socket that is ready; what is wanted of it was said with net_loop_watch(). */
struct net_ready {
	int fd;
	enum net_socket_owner owner;
	bool readable, writable, failed;
};

/* False if the system gives no descriptors. */
bool net_loop_init(struct net_loop *loop);
void net_loop_done(struct net_loop *loop);

/* Makes the next net_loop_poll() return at once; any thread. */
void net_loop_interrupt(struct net_loop *loop);

/* Neither readable nor writable: forget the socket. */
void net_loop_watch(struct net_loop *loop, struct net_ready wanted);

/* Waits until a socket is ready, at most timeout_ms (-1 = for ever). */
#define NET_READY_MAX 64
size_t net_loop_poll(struct net_loop *loop, int64_t timeout_ms,
		     struct net_ready ret_ready[NET_READY_MAX]);

void net_task_wake(struct net_loop *loop, struct net_task *task);
void net_task_cancel(struct net_task *task);

/* Runs woken tasks until none is left. */
void net_loop_run(struct net_loop *loop);

void net_wait_add(struct net_link *waits, struct net_wait *wait, struct net_task *task);
void net_wait_wake_all(struct net_loop *loop, struct net_link *waits);

void net_timer_arm(struct net_loop *loop, struct net_timer *timer, int64_t at_ms);
void net_timer_disarm(struct net_loop *loop, struct net_timer *timer);

/* Wakes the tasks whose time has come; when the next one is due, -1 if none. */
int64_t net_timers_fire(struct net_loop *loop, int64_t mono_ms);

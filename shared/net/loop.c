#include "shared/net/loop.h"

#include "shared/core/alloc.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define OWNER_SHIFT 32

static uint64_t tag_of(int fd, enum net_socket_owner owner)
{
	return (uint64_t)owner << OWNER_SHIFT | (uint32_t)fd;
}

bool net_loop_init(struct net_loop *loop)
{
	*loop = (struct net_loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
				   .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	net_list_init(&loop->runnable);
	if (loop->epoll_fd < 0 || loop->wake_fd < 0)
		return false;
	net_loop_watch(loop, (struct net_ready){ loop->wake_fd, NET_SOCKET_WAKE, true });
	return true;
}

void net_loop_done(struct net_loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	mx_due_heap_done(&loop->timers);
}

void net_loop_interrupt(struct net_loop *loop)
{
	uint64_t one = 1;

	/* It can only fail when the counter is full, and then the thread is awake anyway. */
	if (write(loop->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void net_loop_watch(struct net_loop *loop, struct net_ready wanted)
{
	struct epoll_event event = { .data.u64 = tag_of(wanted.fd, wanted.owner) };

	if (wanted.readable)
		event.events |= EPOLLIN;
	if (wanted.writable)
		event.events |= EPOLLOUT;
	/* Sockets may be closed before we are told: then there is nothing to forget. */
	if (event.events == 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, wanted.fd, NULL);
	else if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, wanted.fd, &event) < 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, wanted.fd, &event);
}

static struct net_ready ready_of(const struct epoll_event *event)
{
	return (struct net_ready){
		.fd = (int)(uint32_t)event->data.u64,
		.owner = (enum net_socket_owner)(event->data.u64 >> OWNER_SHIFT),
		.readable = event->events & (EPOLLIN | EPOLLHUP | EPOLLERR),
		.writable = event->events & EPOLLOUT,
		.failed = event->events & EPOLLERR,
	};
}

static void wake_clear(struct net_loop *loop)
{
	uint64_t count;

	while (read(loop->wake_fd, &count, sizeof(count)) > 0)
		continue;
}

size_t net_loop_poll(struct net_loop *loop, int64_t timeout_ms,
		     struct net_ready ret_ready[NET_READY_MAX])
{
	struct epoll_event events[NET_READY_MAX];
	int timeout = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
	int count = epoll_wait(loop->epoll_fd, events, NET_READY_MAX, timeout);
	size_t len = 0;

	for (int i = 0; i < count; i++) {
		struct net_ready ready = ready_of(&events[i]);

		if (ready.owner == NET_SOCKET_WAKE)
			wake_clear(loop);
		else
			ret_ready[len++] = ready;
	}
	return len;
}

void net_task_wake(struct net_loop *loop, struct net_task *task)
{
	if (!task->link.next)
		net_list_push(&loop->runnable, &task->link);
}

void net_task_cancel(struct net_task *task)
{
	net_list_remove(&task->link);
}

void net_loop_run(struct net_loop *loop)
{
	struct net_link *link;

	while ((link = net_list_pop(&loop->runnable))) {
		struct net_task *task = net_entry(link, struct net_task, link);

		task->run(task);
	}
}

void net_wait_add(struct net_link *waits, struct net_wait *wait, struct net_task *task)
{
	wait->task = task;
	net_list_remove(&wait->link);
	net_list_push(waits, &wait->link);
}

void net_wait_wake_all(struct net_loop *loop, struct net_link *waits)
{
	struct net_link *link;

	while ((link = net_list_pop(waits)))
		net_task_wake(loop, net_entry(link, struct net_wait, link)->task);
}

void net_timer_arm(struct net_loop *loop, struct net_timer *timer, int64_t at_ms)
{
	mx_due_add(&loop->timers, &timer->due, at_ms);
}

void net_timer_disarm(struct net_loop *loop, struct net_timer *timer)
{
	mx_due_remove(&loop->timers, &timer->due);
}

int64_t net_timers_fire(struct net_loop *loop, int64_t mono_ms)
{
	struct mx_due *first;

	while ((first = mx_due_first(&loop->timers)) && first->at <= mono_ms) {
		mx_due_remove(&loop->timers, first);
		net_task_wake(loop, mx_due_entry(first, struct net_timer, due)->task);
	}
	return first ? first->at : -1;
}

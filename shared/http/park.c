#include "shared/http/park.h"

#include "shared/core/alloc.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/core/vec.h"
#include "shared/http/exchange.h"
#include "shared/http/server.h"
#include "shared/http/wake.h"

#include <microhttpd.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SWEEP_FROM 128 /* suspended connections from which on resumes are collected */
#define SWEEP_MS   3
#define EVENTS_MAX 64

enum reason { WOKEN, TIMED_OUT, GONE };

struct park {
	struct park_calls calls;
	pthread_mutex_t lock;
	pthread_t thread;
	int epoll_fd, event_fd;
	bool closed, stopping;
	struct mx_due_heap heap;
	struct mx_vec(struct req_wake *) by_fd; /* who is parked on that descriptor */
	struct exchange *resumes; /* collected for the next sweep */
	int64_t sweep_ms; /* when it is due; 0 = none is */
	_Atomic unsigned parked, suspended;
	_Atomic bool refuses;
};

/* ---- the handle */

struct req_wake *req_wake_new(struct req *r, int64_t timeout_ms)
{
	struct exchange *ex = exchange_of(r);
	struct req_wake *wake = mx_calloc(1, sizeof(*wake));

	park_forget(ex);
	atomic_init(&wake->refs, 2); /* the request's and the caller's */
	pthread_mutex_init(&wake->lock, NULL);
	wake->ex = ex;
	wake->park = ex->server->park;
	wake->timeout_ms = timeout_ms;
	ex->wake = wake;
	return wake;
}

struct req_wake *req_wake_ref(struct req_wake *wake)
{
	atomic_fetch_add_explicit(&wake->refs, 1, memory_order_relaxed);
	return wake;
}

void req_wake_unref(struct req_wake *wake)
{
	if (!wake || atomic_fetch_sub_explicit(&wake->refs, 1, memory_order_acq_rel) != 1)
		return;
	pthread_mutex_destroy(&wake->lock);
	mx_free(wake);
}

void park_forget(struct exchange *ex)
{
	struct req_wake *wake = ex->wake;

	if (!wake)
		return;
	ex->wake = NULL;
	pthread_mutex_lock(&wake->lock);
	wake->ex = NULL;
	pthread_mutex_unlock(&wake->lock);
	req_wake_unref(wake);
}

/* ---- in and out; the wake's lock is held */

static void park_nudge(struct park *park)
{
	uint64_t one = 1;
	ssize_t written = write(park->event_fd, &one, sizeof(one));

	(void)written; /* it can only be full, and then the thread is awake */
}

static void watch_fd(struct park *park, struct req_wake *wake)
{
	struct epoll_event event = { .events = EPOLLRDHUP | EPOLLONESHOT, .data.fd = wake->fd };

	while (park->by_fd.len <= (size_t)wake->fd)
		mx_vec_push(&park->by_fd, NULL);
	park->by_fd.items[wake->fd] = wake;
	epoll_ctl(park->epoll_fd, EPOLL_CTL_ADD, wake->fd, &event);
}

static void park_enter(struct park *park, struct req_wake *wake, int64_t until_ms)
{
	pthread_mutex_lock(&park->lock);
	wake->parked = true;
	mx_due_add(&park->heap, &wake->due, until_ms);
	watch_fd(park, wake);
	park->parked++;
	/* closed: park_close() might have gone through the heap just before. */
	if (park->closed || mx_due_first(&park->heap) == &wake->due)
		park_nudge(park);
	pthread_mutex_unlock(&park->lock);
}

static void park_leave(struct park *park, struct req_wake *wake)
{
	pthread_mutex_lock(&park->lock);
	wake->parked = false;
	mx_due_remove(&park->heap, &wake->due);
	/* The connection is still suspended, so the descriptor is still its own. */
	epoll_ctl(park->epoll_fd, EPOLL_CTL_DEL, wake->fd, NULL);
	park->by_fd.items[wake->fd] = NULL;
	park->parked--;
	pthread_mutex_unlock(&park->lock);
}

static void fire(struct req_wake *wake, enum reason reason)
{
	struct exchange *ex = NULL;
	struct park *park;

	pthread_mutex_lock(&wake->lock);
	park = wake->park;
	/* A wake that finds nobody parked is kept for the next park. */
	if (reason == WOKEN)
		wake->woken = !wake->parked;
	if (wake->parked) {
		ex = wake->ex;
		park_leave(park, wake);
	}
	pthread_mutex_unlock(&wake->lock);
	if (!ex)
		return;
	if (reason == GONE) {
		park->calls.gone(ex);
		return;
	}
	ex->req.timed_out = reason == TIMED_OUT;
	park->calls.run(ex);
}

void req_wake(struct req_wake *wake)
{
	fire(wake, WOKEN);
}

static bool is_closed(struct park *park)
{
	bool closed;

	pthread_mutex_lock(&park->lock);
	closed = park->closed;
	pthread_mutex_unlock(&park->lock);
	return closed;
}

bool park_wait(struct park *park, struct exchange *ex)
{
	struct req_wake *wake = ex->wake;
	int64_t now_ms = mx_mono_ms();
	bool waits;

	if (!ex->park_until_ms) {
		ex->park_until_ms = now_ms + wake->timeout_ms;
		if (ex->deadline_ms < ex->park_until_ms)
			ex->park_until_ms = ex->deadline_ms;
	}
	ex->req.timed_out = ex->park_until_ms <= now_ms || is_closed(park);
	if (ex->req.timed_out)
		return false;
	pthread_mutex_lock(&wake->lock);
	waits = !wake->woken;
	wake->woken = false;
	if (waits) {
		wake->fd = ex->conn->fd;
		park_enter(park, wake, ex->park_until_ms);
	}
	pthread_mutex_unlock(&wake->lock);
	return waits;
}

/* ---- suspending and resuming */

bool park_suspend(struct park *park, struct exchange *ex)
{
	/* Counted before it looks: whoever set `refuses` looks at the count afterwards. */
	atomic_fetch_add(&park->suspended, 1);
	if (atomic_load(&park->refuses)) {
		atomic_fetch_sub(&park->suspended, 1);
		return false;
	}
	ex->suspended = true;
	MHD_suspend_connection(ex->mhd);
	return true;
}

void park_back(struct park *park, struct exchange *ex)
{
	ex->suspended = false;
	atomic_fetch_sub(&park->suspended, 1);
}

void park_resume(struct park *park, struct exchange *ex)
{
	bool nudge = false;

	if (atomic_load(&park->suspended) < SWEEP_FROM) {
		MHD_resume_connection(ex->mhd);
		return;
	}
	pthread_mutex_lock(&park->lock);
	ex->next = park->resumes;
	park->resumes = ex;
	if (park->sweep_ms == 0) {
		park->sweep_ms = mx_mono_ms() + SWEEP_MS;
		nudge = true;
	}
	pthread_mutex_unlock(&park->lock);
	if (nudge)
		park_nudge(park);
}

/* ---- the thread */

static int wait_ms(struct park *park)
{
	const struct mx_due *first;
	int64_t until = INT64_MAX, now_ms = mx_mono_ms();

	pthread_mutex_lock(&park->lock);
	first = mx_due_first(&park->heap);
	if (first)
		until = first->at;
	if (park->sweep_ms && park->sweep_ms < until)
		until = park->sweep_ms;
	pthread_mutex_unlock(&park->lock);
	if (until <= now_ms)
		return 0;
	return until - now_ms > MX_MINUTE_MS ? (int)MX_MINUTE_MS : (int)(until - now_ms);
}

/* A descriptor may be somebody else's since the event: ask it again. */
static struct req_wake *left_on(struct park *park, int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLRDHUP };
	struct req_wake *wake = NULL;

	pthread_mutex_lock(&park->lock);
	if ((size_t)fd < park->by_fd.len && park->by_fd.items[fd] && poll(&poll_fd, 1, 0) == 1)
		wake = req_wake_ref(park->by_fd.items[fd]);
	pthread_mutex_unlock(&park->lock);
	return wake;
}

static void take_events(struct park *park, const struct epoll_event *events, int len)
{
	uint64_t count;

	for (int i = 0; i < len; i++) {
		struct req_wake *wake = NULL;

		if (events[i].data.fd == park->event_fd) {
			ssize_t got = read(park->event_fd, &count, sizeof(count));

			(void)got; /* which nudge it was does not matter */
		} else {
			wake = left_on(park, events[i].data.fd);
		}
		if (!wake)
			continue;
		fire(wake, GONE);
		req_wake_unref(wake);
	}
}

/* The first in the heap whose time is over; a reference. */
static struct req_wake *take_expired(struct park *park, int64_t now_ms)
{
	struct req_wake *wake = NULL;
	struct mx_due *first;

	pthread_mutex_lock(&park->lock);
	first = mx_due_first(&park->heap);
	if (first && (park->closed || first->at <= now_ms)) {
		wake = req_wake_ref(mx_due_entry(first, struct req_wake, due));
		/* Not again: whoever holds the wake's lock now takes it out altogether. */
		mx_due_remove(&park->heap, first);
	}
	pthread_mutex_unlock(&park->lock);
	return wake;
}

static void fire_expired(struct park *park)
{
	int64_t now_ms = mx_mono_ms();
	struct req_wake *wake;

	while ((wake = take_expired(park, now_ms)) != NULL) {
		fire(wake, TIMED_OUT);
		req_wake_unref(wake);
	}
}

static void sweep(struct park *park)
{
	struct exchange *ex = NULL;

	pthread_mutex_lock(&park->lock);
	if (park->sweep_ms && park->sweep_ms <= mx_mono_ms()) {
		ex = park->resumes;
		park->resumes = NULL;
		park->sweep_ms = 0;
	}
	pthread_mutex_unlock(&park->lock);
	while (ex) {
		struct exchange *next = ex->next;

		MHD_resume_connection(ex->mhd);
		ex = next;
	}
}

static bool is_stopping(struct park *park)
{
	bool stopping;

	pthread_mutex_lock(&park->lock);
	stopping = park->stopping;
	pthread_mutex_unlock(&park->lock);
	return stopping;
}

static void *park_main(void *ctx)
{
	struct epoll_event events[EVENTS_MAX];
	struct park *park = ctx;

	while (!is_stopping(park)) {
		int len = epoll_wait(park->epoll_fd, events, EVENTS_MAX, wait_ms(park));

		take_events(park, events, len);
		fire_expired(park);
		sweep(park);
	}
	return NULL;
}

struct park *park_new(const struct park_calls *calls)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct park *park = mx_calloc(1, sizeof(*park));

	park->calls = *calls;
	pthread_mutex_init(&park->lock, NULL);
	park->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	park->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.data.fd = park->event_fd;
	if (park->epoll_fd < 0 || park->event_fd < 0 ||
	    epoll_ctl(park->epoll_fd, EPOLL_CTL_ADD, park->event_fd, &event) != 0)
		abort(); /* no descriptors at start */
	park->thread = mx_thread_start("http-park", park_main, park);
	return park;
}

void park_close(struct park *park)
{
	pthread_mutex_lock(&park->lock);
	park->closed = true;
	pthread_mutex_unlock(&park->lock);
	park_nudge(park);
}

void park_refuse(struct park *park)
{
	atomic_store(&park->refuses, true);
}

void park_free(struct park *park)
{
	if (!park)
		return;
	pthread_mutex_lock(&park->lock);
	park->stopping = true;
	pthread_mutex_unlock(&park->lock);
	park_nudge(park);
	pthread_join(park->thread, NULL);
	close(park->epoll_fd);
	close(park->event_fd);
	mx_due_heap_done(&park->heap);
	mx_vec_done(&park->by_fd);
	pthread_mutex_destroy(&park->lock);
	mx_free(park);
}

unsigned park_parked(struct park *park)
{
	return atomic_load(&park->parked);
}

unsigned park_suspended(struct park *park)
{
	return atomic_load(&park->suspended);
}

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/net/discover.h"
#include "shared/net/job.h"
#include "shared/net/net.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* How soon somebody who has to hurry is noticed. */
#define LOOK_MS 100

/* ---- an answer. Whoever comes last frees it: the callback, or the asker who was in a hurry. */

struct fetch {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool done, left; /* left: nobody waits any more */
	struct mx_arena *mem;
	struct net_response *response;
};

static void fetch_free(struct fetch *fetch)
{
	pthread_cond_destroy(&fetch->ended);
	pthread_mutex_destroy(&fetch->lock);
	mx_free(fetch);
}

static void keep_response(struct fetch *fetch, const struct net_response *response)
{
	*fetch->response = *response;
	fetch->response->body = mx_arena_slice(fetch->mem, response->body);
	if (response->content_type)
		fetch->response->content_type = mx_arena_strdup(fetch->mem, response->content_type);
	fetch->done = true;
	pthread_cond_signal(&fetch->ended);
}

static void fetched(void *ctx, const struct net_response *response)
{
	struct fetch *fetch = ctx;
	bool left;

	pthread_mutex_lock(&fetch->lock);
	left = fetch->left;
	if (!left)
		keep_response(fetch, response);
	/* The asker frees it as soon as the lock is released. */
	pthread_mutex_unlock(&fetch->lock);
	if (left)
		fetch_free(fetch);
}

static void wait_a_little(struct fetch *fetch)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_clockwait(&fetch->ended, &fetch->lock, CLOCK_MONOTONIC, &until);
}

/* Whether there is an answer. */
static bool wait_for(struct fetch *fetch, const _Atomic bool *hurry)
{
	bool done;

	pthread_mutex_lock(&fetch->lock);
	while (!fetch->done && !(hurry && atomic_load(hurry))) {
		if (hurry)
			wait_a_little(fetch);
		else
			pthread_cond_wait(&fetch->ended, &fetch->lock);
	}
	done = fetch->done;
	fetch->left = !done;
	pthread_mutex_unlock(&fetch->lock);
	return done;
}

void net_fetch(struct net *net, const struct net_request *request, struct mx_arena *mem,
	       struct net_response *ret_response)
{
	struct fetch *fetch = mx_calloc(1, sizeof(*fetch));

	pthread_mutex_init(&fetch->lock, NULL);
	pthread_cond_init(&fetch->ended, NULL);
	fetch->mem = mem;
	fetch->response = ret_response;
	net_start(net, request, fetched, fetch);
	if (wait_for(fetch, request->hurry)) {
		fetch_free(fetch);
		return;
	}
	*ret_response = (struct net_response){ 0 };
	ret_response->rc = mx_fail(&ret_response->err, MX_BUSY, "There was no time to wait");
}

/* ---- a trace */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool done;
	struct net_job *job;
	json_t *trace;
};

static void waiter_init(struct waiter *waiter)
{
	*waiter = (struct waiter){ 0 };
	pthread_mutex_init(&waiter->lock, NULL);
	pthread_cond_init(&waiter->ended, NULL);
}

static void waiter_wait(struct waiter *waiter)
{
	pthread_mutex_lock(&waiter->lock);
	while (!waiter->done)
		pthread_cond_wait(&waiter->ended, &waiter->lock);
	pthread_mutex_unlock(&waiter->lock);
	pthread_cond_destroy(&waiter->ended);
	pthread_mutex_destroy(&waiter->lock);
}

/* The waiter is gone as soon as the lock is released. */
static void waiter_signal(struct waiter *waiter)
{
	pthread_mutex_lock(&waiter->lock);
	waiter->done = true;
	pthread_cond_signal(&waiter->ended);
	pthread_mutex_unlock(&waiter->lock);
}

static json_t *addresses_json(const struct net_plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->len; i++) {
		for (size_t k = 0; k < plan->places[i].len; k++) {
			char text[NET_ADDRESS_TEXT_MAX];

			net_address_format(&plan->places[i].addresses[k], text);
			json_array_append_new(list, json_string(text));
		}
	}
	return list;
}

static void traced(void *ctx, const struct net_response *response)
{
	struct waiter *waiter = ctx;
	struct net_job *job = waiter->job;
	const struct net_plan *plan = &job->plan;

	waiter->trace = json_pack("{s:o}", "steps", mx_steal(&job->search.steps));
	if (response->rc)
		json_object_set_new(waiter->trace, "error",
				    json_string(mx_error_text(&response->err, response->rc)));
	else
		json_object_update_new(waiter->trace,
				       json_pack("{s:s, s:i, s:s, s:o}", "host", plan->host_header,
						 "port", plan->places[0].port, "tls_name",
						 plan->host, "addresses", addresses_json(plan)));
	waiter_signal(waiter);
}

json_t *net_discover_trace(struct net *net, const char *server, int64_t timeout_ms)
{
	const struct net_request request = { .server = server,
					     .target = "/",
					     .total_ms = timeout_ms };
	struct waiter waiter;

	waiter_init(&waiter);
	waiter.job = net_job_new(net, &request, traced, &waiter);
	waiter.job->only_discover = true;
	waiter.job->search.steps = json_array();
	net_job_submit(waiter.job);
	waiter_wait(&waiter);
	return waiter.trace;
}

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/net/discover.h"
#include "shared/net/job.h"
#include "shared/net/net.h"

#include <pthread.h>

/* The forms that wait: the callback leaves its result here and signals. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool done;
	struct mx_arena *mem;
	struct net_response *response;
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

static void fetched(void *ctx, const struct net_response *response)
{
	struct waiter *waiter = ctx;

	*waiter->response = *response;
	waiter->response->body = mx_arena_slice(waiter->mem, response->body);
	if (response->content_type)
		waiter->response->content_type = mx_arena_strdup(waiter->mem,
								 response->content_type);
	waiter_signal(waiter);
}

void net_fetch(struct net *net, const struct net_request *request, struct mx_arena *mem,
	       struct net_response *ret_response)
{
	struct waiter waiter;

	waiter_init(&waiter);
	waiter.mem = mem;
	waiter.response = ret_response;
	net_start(net, request, fetched, &waiter);
	waiter_wait(&waiter);
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

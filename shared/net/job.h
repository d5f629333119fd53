/* One request from its start to its callback: discovery, transfers, redirects, deadline. */
#pragma once

#include "shared/core/str.h"
#include "shared/net/loop.h"
#include "shared/net/net.h"
#include "shared/net/plan.h"

#include <curl/curl.h>

struct net_transfer;

#define NET_REDIRECTS_MAX 10

struct net_job {
	struct net_task task;
	struct net_link link; /* in net->submitted, then in net->jobs */
	struct net_timer deadline;
	struct net *net;

	char *method, *url, *server, *target;
	bool valid; /* all of these have been looked at */
	struct curl_slist *headers;
	struct mx_str body;
	size_t max_bytes;
	int64_t connect_ms, total_ms, started_ms;
	unsigned redirects, redirects_max;
	char *visited[NET_REDIRECTS_MAX + 1]; /* URLs, to see loops */
	bool only_discover; /* ends when the plan is made */
	net_done_fn *done;
	void *ctx;

	struct net_search search;
	struct net_plan plan;
	size_t place; /* of the plan, tried now */
	CURLU *where;
	bool tls;
	struct net_transfer *transfer;
	struct mx_str cache_headers; /* of the answer, when done is called */
	struct net_response response;
};

/* Copies the request. */
struct net_job *net_job_new(struct net *net, const struct net_request *request, net_done_fn *done,
			    void *ctx);

/* From any thread; from the network thread. The job frees itself after its callback. */
void net_job_submit(struct net_job *job);
void net_job_start(struct net_job *job);

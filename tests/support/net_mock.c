#include "tests/support/net_mock.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"

#include <pthread.h>

struct pending {
	struct pending *next;
	struct net_mock_request request;
	char *body;
	net_done_fn *done;
	void *ctx;
};

static struct {
	pthread_mutex_t lock;
	net_mock_fn *handler;
	void *ctx;
	size_t asked, waiting;
	struct pending *first;
} mock = { .lock = PTHREAD_MUTEX_INITIALIZER };

void __wrap_net_start(struct net *net, const struct net_request *request, net_done_fn *done,
		      void *ctx);
void __wrap_net_fetch(struct net *net, const struct net_request *request, struct mx_arena *mem,
		      struct net_response *ret_response);

static void pending_free(struct pending *pending)
{
	mx_free(pending->body);
	mx_free(pending);
}

void net_mock_reset(void)
{
	while (mock.first) {
		struct pending *next = mock.first->next;

		pending_free(mock.first);
		mock.first = next;
	}
	mock.handler = NULL;
	mock.asked = mock.waiting = 0;
}

void net_mock_handle(net_mock_fn *handler, void *ctx)
{
	mock.handler = handler;
	mock.ctx = ctx;
}

size_t net_mock_asked(void)
{
	size_t asked;

	pthread_mutex_lock(&mock.lock);
	asked = mock.asked;
	pthread_mutex_unlock(&mock.lock);
	return asked;
}

size_t net_mock_waiting(void)
{
	size_t waiting;

	pthread_mutex_lock(&mock.lock);
	waiting = mock.waiting;
	pthread_mutex_unlock(&mock.lock);
	return waiting;
}

static struct net_mock_request copy_request(const struct net_request *request)
{
	struct net_mock_request copy = { .headers = request->headers, .body = request->body };

	snprintf(copy.method, sizeof(copy.method), "%s", request->method ? request->method : "GET");
	snprintf(copy.url, sizeof(copy.url), "%s", request->url ? request->url : "");
	snprintf(copy.server, sizeof(copy.server), "%s", request->server ? request->server : "");
	snprintf(copy.target, sizeof(copy.target), "%s", request->target ? request->target : "");
	return copy;
}

static struct net_response response_of(const struct net_mock_answer *answer)
{
	struct net_response response = {
		.rc = answer->rc,
		.sent = answer->sent || answer->rc == 0,
		.status = answer->status,
		.retry_after_ms = answer->retry_after_ms,
		.body = answer->body,
		.took_ms = answer->took_ms,
	};

	if (answer->rc)
		mx_fail(&response.err, (enum mx_code) - answer->rc, "played failure");
	snprintf(response.address, sizeof(response.address), "%s",
		 answer->address ? answer->address : "");
	snprintf(response.certificate_sha256, sizeof(response.certificate_sha256), "%s",
		 answer->certificate ? answer->certificate : "");
	return response;
}

static void wait_for_reply(const struct net_request *request, net_done_fn *done, void *ctx)
{
	struct pending *pending = mx_calloc(1, sizeof(*pending)), **end;

	pending->request = copy_request(request);
	pending->body = mx_strndup(request->body.ptr, request->body.len);
	pending->done = done;
	pending->ctx = ctx;
	pthread_mutex_lock(&mock.lock);
	for (end = &mock.first; *end; end = &(*end)->next)
		continue;
	*end = pending;
	mock.waiting++;
	pthread_mutex_unlock(&mock.lock);
}

static void count_request(void)
{
	pthread_mutex_lock(&mock.lock);
	mock.asked++;
	pthread_mutex_unlock(&mock.lock);
}

void __wrap_net_start(struct net *net, const struct net_request *request, net_done_fn *done,
		      void *ctx)
{
	struct net_mock_request copy = copy_request(request);
	struct net_mock_answer answer;
	struct net_response response;

	(void)net;
	count_request();
	if (!mock.handler) {
		wait_for_reply(request, done, ctx);
		return;
	}
	answer = mock.handler(mock.ctx, &copy);
	response = response_of(&answer);
	done(ctx, &response);
}

void __wrap_net_fetch(struct net *net, const struct net_request *request, struct mx_arena *mem,
		      struct net_response *ret_response)
{
	struct net_mock_request copy = copy_request(request);
	struct net_mock_answer answer = { .rc = -MX_REMOTE_FAILED };

	(void)net;
	count_request();
	if (mock.handler)
		answer = mock.handler(mock.ctx, &copy);
	*ret_response = response_of(&answer);
	ret_response->body = mx_arena_slice(mem, answer.body);
}

static struct pending *take(const char *server)
{
	struct pending **at = &mock.first, *found;

	pthread_mutex_lock(&mock.lock);
	while (*at && strcmp((*at)->request.server, server) != 0)
		at = &(*at)->next;
	found = *at;
	if (found) {
		*at = found->next;
		mock.waiting--;
	}
	pthread_mutex_unlock(&mock.lock);
	return found;
}

bool net_mock_reply(const char *server, const struct net_mock_answer *answer)
{
	struct net_response response = response_of(answer);
	struct pending *pending = take(server);

	if (!pending)
		return false;
	pending->done(pending->ctx, &response);
	pending_free(pending);
	return true;
}

void net_mock_stop(void)
{
	const struct net_mock_answer stopped = { .rc = -MX_BUSY };

	while (net_mock_waiting())
		net_mock_reply(mock.first->request.server, &stopped);
}

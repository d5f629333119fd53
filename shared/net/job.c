#include "shared/net/job.h"

#include "shared/core/alloc.h"
#include "shared/core/metrics.h"
#include "shared/core/rand.h"
#include "shared/core/time.h"
#include "shared/net/state.h"
#include "shared/net/transfer.h"

#include <strings.h>

#define DEFAULT_BYTES      (64 * 1024)
#define DEFAULT_CONNECT_MS 3000
#define DEFAULT_TOTAL_MS   8000
#define PORT_HTTP          80
#define RETRY_AFTER_MAX_S  86400

#define TOKEN_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"

static bool is_token(struct mx_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!text.ptr[i] || !strchr(TOKEN_CHARS, text.ptr[i]))
			return false;
	return text.len > 0;
}

/* Neither line ends nor anything else that would let a value become two. */
static bool is_header(const char *line)
{
	struct mx_slice name, rest = mx_slice(line);

	if (!mx_split_next(&rest, ':', &name) || !rest.ptr || !is_token(name))
		return false;
	for (const char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\t')
			return false;
	return true;
}

static bool is_target(const char *target)
{
	if (!target || target[0] != '/')
		return false;
	for (const char *c = target; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '#')
			return false;
	return true;
}

static int request_check(const struct net_job *job, struct mx_error *err)
{
	if (!is_token(mx_slice(job->method)))
		return mx_fail(err, MX_INVALID_PARAM, "Not a method");
	if (!job->url == !job->server)
		return mx_fail(err, MX_INVALID_PARAM, "Either an URL or a server is needed");
	if (job->server && !is_target(job->target))
		return mx_fail(err, MX_INVALID_PARAM, "Not a request target");
	for (const struct curl_slist *h = job->headers; h; h = h->next)
		if (!is_header(h->data))
			return mx_fail(err, MX_INVALID_PARAM, "Not a header");
	return 0;
}

/* One part of the job's URL (curl_free), or NULL. */
static char *url_part(const struct net_job *job, CURLUPart part, unsigned flags)
{
	char *text = NULL;

	return curl_url_get(job->where, part, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool url_part_exists(const struct net_job *job, CURLUPart part)
{
	char *text = url_part(job, part, 0);

	curl_free(text);
	return text != NULL;
}

/* Parsed once: what is checked is what curl gets. */
static bool url_set(struct net_job *job, const char *url)
{
	curl_url_cleanup(job->where);
	job->where = curl_url();
	if (!job->where)
		abort();
	return curl_url_set(job->where, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK;
}

/* Host without brackets; empty if it is none that we would ask for. */
static void url_host(const struct net_job *job, char ret_host[NET_HOST_MAX])
{
	char *host = url_part(job, CURLUPART_HOST, 0);
	struct mx_slice text = mx_slice(host);

	ret_host[0] = '\0';
	if (text.len > 2 && text.ptr[0] == '[')
		text = mx_slice_of(text.ptr + 1, text.len - 2);
	if (text.len > 0 && text.len < NET_HOST_MAX && text.ptr[text.len - 1] != '.') {
		memcpy(ret_host, text.ptr, text.len);
		ret_host[text.len] = '\0';
	}
	for (const char *c = ret_host; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '/' || *c == '@')
			ret_host[0] = '\0';
	curl_free(host);
}

static int url_read(struct net_job *job, struct mx_error *err)
{
	char *scheme, *port;
	int64_t number = 0;

	if (!url_set(job, job->url))
		return mx_fail(err, MX_INVALID_PARAM, "Not an URL");
	scheme = url_part(job, CURLUPART_SCHEME, 0);
	job->tls = streq(scheme, "https");
	if (!job->tls && !streq(scheme, "http")) {
		curl_free(scheme);
		return mx_fail(err, MX_INVALID_PARAM, "Neither https nor http");
	}
	curl_free(scheme);
	url_host(job, job->plan.host);
	if (!job->plan.host[0] || url_part_exists(job, CURLUPART_USER) ||
	    url_part_exists(job, CURLUPART_PASSWORD) || url_part_exists(job, CURLUPART_ZONEID))
		return mx_fail(err, MX_INVALID_PARAM, "Not an URL of a plain host");
	port = url_part(job, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	mx_parse_i64(mx_slice(port), &number);
	curl_free(port);
	if (number < 1 || number > UINT16_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "Not a port");
	job->plan.places[0].port = (uint16_t)number;
	return 0;
}

/* The port of a redirect is the peer's choice, as that of a server name is. */
static int look_for_url(struct net_job *job, struct mx_error *err)
{
	struct net_place *place = &job->plan.places[0];
	int rc = job->where ? 0 : url_read(job, err);

	if (rc)
		return rc;
	if (job->redirects > 0 && !net_port_permitted(job->net, place->port) &&
	    (job->tls || place->port != PORT_HTTP))
		return mx_fail(err, MX_ADDRESS_REFUSED, "Port %u may not be contacted",
			       (unsigned)place->port);
	rc = net_place_find(&job->search, 0, job->plan.host, place, err);
	if (rc)
		return rc;
	job->plan.len = 1;
	return 0;
}

static bool same_host(const char *a, const char *b)
{
	struct net_address x, y;

	if (net_address_parse(a, &x) && net_address_parse(b, &y))
		return mx_slice_eq(net_address_key(&x), net_address_key(&y));
	return strcasecmp(a, b) == 0;
}

/* https://host:port/target for the place that is tried now. */
static int server_url(struct net_job *job, struct mx_error *err)
{
	bool brackets = strchr(job->plan.host, ':') != NULL;
	mx_autofree char *url = mx_strf("https://%s%s%s:%u%s", brackets ? "[" : "", job->plan.host,
					brackets ? "]" : "",
					(unsigned)job->plan.places[job->place].port, job->target);
	char host[NET_HOST_MAX];

	job->tls = true;
	if (!url_set(job, url))
		return mx_fail(err, MX_INVALID_PARAM, "Not a request target");
	/* curl reads some host names, such as 0x7f.1, as addresses: these do not get through. */
	url_host(job, host);
	if (!same_host(host, job->plan.host))
		return mx_fail(err, MX_INVALID_PARAM, "Not a server name");
	return 0;
}

static int look(struct net_job *job, struct mx_error *err)
{
	if (job->url)
		return look_for_url(job, err);
	return net_discover(&job->search, job->server, &job->plan, err);
}

static bool visited_before(struct net_job *job, const char *url)
{
	for (unsigned i = 0; i <= job->redirects; i++)
		if (streq(job->visited[i], url))
			return true;
	return false;
}

static int ask(struct net_job *job, struct mx_error *err)
{
	int rc = job->server ? server_url(job, err) : 0;

	if (rc)
		return rc;
	if (!job->visited[job->redirects]) {
		char *url = url_part(job, CURLUPART_URL, 0);

		job->visited[job->redirects] = mx_strdup(url ? url : "");
		curl_free(url);
	}
	job->transfer = net_transfer_new(job, &job->task);
	return NET_PENDING;
}

static void drop_transfer(struct net_job *job)
{
	if (job->transfer)
		job->response.sent |= job->transfer->checked;
	net_transfer_free(job->transfer);
	job->transfer = NULL;
}

/* Puts the address first whose queue the next try has to stand in. */
static void prefer(struct net_place *place, const struct net_address *address)
{
	for (size_t i = 1; i < place->len; i++) {
		struct net_address first = place->addresses[0];

		if (!mx_slice_eq(net_address_key(&place->addresses[i]), net_address_key(address)))
			continue;
		place->addresses[0] = place->addresses[i];
		place->addresses[i] = first;
	}
}

/* Whether a failure before the request went out leaves something else to try. */
static bool next_try(struct net_job *job)
{
	const struct net_transfer *transfer = job->transfer;

	if (transfer->checked)
		return false;
	if (transfer->crowded)
		prefer(&job->plan.places[job->place], &transfer->crowd);
	else if (++job->place >= job->plan.len)
		return false;
	return true;
}

/* RFC 9110, 15.4: 303 asks for the result, which is what everybody does for 301 and 302 of a
 * POST as well. */
static void become_get(struct net_job *job, int status)
{
	bool post = streq(job->method, "POST");

	if (!(status == 303 && !streq(job->method, "HEAD")) &&
	    !(post && (status == 301 || status == 302)))
		return;
	mx_free(job->method);
	job->method = mx_strdup("GET");
	mx_str_clear(&job->body);
}

/* What was meant for one peer is not shown to another. */
static void drop_credentials(struct net_job *job)
{
	struct curl_slist *kept = NULL;

	for (const struct curl_slist *h = job->headers; h; h = h->next)
		if (strncasecmp(h->data, "Authorization:", strlen("Authorization:")) != 0)
			kept = curl_slist_append(kept, h->data);
	curl_slist_free_all(job->headers);
	job->headers = kept;
}

/* The next hop is an URL like any other, and goes through all checks again. */
static int redirect(struct net_job *job, int status, const char *url, struct mx_error *err)
{
	if (job->redirects >= job->redirects_max)
		return mx_fail(err, MX_REMOTE_FAILED, "HTTP: more than %u redirects",
			       job->redirects_max);
	if (visited_before(job, url))
		return mx_fail(err, MX_REMOTE_FAILED, "HTTP: the redirects go in a circle");
	if (job->tls && strncasecmp(url, "https:", strlen("https:")) != 0)
		return mx_fail(err, MX_REMOTE_FAILED, "HTTP: a redirect leaves https");
	mx_free(job->url);
	mx_free(job->server);
	job->server = NULL;
	job->url = mx_strdup(url);
	curl_url_cleanup(job->where);
	job->where = NULL;
	become_get(job, status);
	drop_credentials(job);
	job->plan = (struct net_plan){ 0 };
	job->place = 0;
	job->redirects++;
	return 0;
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The transfer is through. 0: it was the last one; NET_PENDING: one more. */
static int answered(struct net_job *job, struct mx_error *err)
{
	struct net_transfer *transfer = job->transfer;
	int rc = net_transfer_outcome(transfer, err);
	long status = 0;
	char *url = NULL;

	if (rc) {
		if (!next_try(job))
			return rc;
		drop_transfer(job);
		return ask(job, err);
	}
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &url);
	job->response.status = (int)status;
	if (job->redirects_max == 0 || !is_redirect((int)status) || !url)
		return 0;
	rc = redirect(job, (int)status, url, err);
	if (rc)
		return rc;
	drop_transfer(job);
	net_task_wake(&job->net->loop, &job->task);
	return NET_PENDING;
}

static int timed_out(const struct net_job *job, struct mx_error *err)
{
	return mx_fail(err, MX_REMOTE_TIMEOUT, "No answer within %lld ms, waiting for %s",
		       (long long)job->total_ms,
		       job->transfer ? net_transfer_phase(job->transfer) : "discovery");
}

static int advance(struct net_job *job, struct mx_error *err)
{
	int rc;

	if (job->net->stopping)
		return mx_fail(err, MX_BUSY, "Stopping");
	if (job->deadline.due.place == 0)
		return timed_out(job, err);
	if (job->transfer)
		return job->transfer->done ? answered(job, err) : NET_PENDING;
	rc = look(job, err);
	if (rc || job->only_discover)
		return rc;
	return ask(job, err);
}

static void response_fill(struct net_job *job)
{
	struct net_response *response = &job->response;
	struct net_transfer *transfer = job->transfer;
	curl_off_t retry_after_s = 0;
	char *type = NULL;

	response->took_ms = mx_mono_ms() - job->started_ms;
	response->body = MX_SLICE("");
	if (!transfer)
		return;
	response->sent |= transfer->checked;
	memcpy(response->address, transfer->address, sizeof(response->address));
	memcpy(response->certificate_sha256, transfer->certificate_sha256,
	       sizeof(response->certificate_sha256));
	if (response->rc)
		return;
	response->body = mx_str_slice(&transfer->body);
	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
	response->content_type = type;
	curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	if (retry_after_s > 0)
		response->retry_after_ms = (retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s
									      : RETRY_AFTER_MAX_S) *
					   MX_SECOND_MS;
	mx_str_add_slice(&job->cache_headers, mx_str_slice(&transfer->cache_headers));
}

static void job_free(struct net_job *job)
{
	net_transfer_free(job->transfer);
	curl_url_cleanup(job->where);
	curl_slist_free_all(job->headers);
	for (size_t i = 0; i <= NET_REDIRECTS_MAX; i++)
		mx_free(job->visited[i]);
	mx_free(job->method);
	mx_free(job->url);
	mx_free(job->server);
	mx_free(job->target);
	mx_str_done(&job->body);
	mx_str_done(&job->cache_headers);
	mx_free(job);
}

static void finish(struct net_job *job, int rc)
{
	struct net *net = job->net;

	net_timer_disarm(&net->loop, &job->deadline);
	net_search_cancel(&job->search);
	job->response.rc = rc;
	if (rc)
		job->response.status = 0;
	response_fill(job);
	mx_metric_add(net->finished[-rc], 1);
	mx_metric_observe_us(net->duration, job->response.took_ms * 1000);
	job->done(job->ctx, &job->response);
	net_task_cancel(&job->task);
	net_list_remove(&job->link);
	job_free(job);
}

static void run(struct net_task *task)
{
	struct net_job *job = net_entry(task, struct net_job, task);
	int rc = 0;

	if (!job->valid)
		rc = request_check(job, &job->response.err);
	job->valid = true;
	if (rc == 0)
		rc = advance(job, &job->response.err);
	if (rc != NET_PENDING)
		finish(job, rc);
}

static char *copy_or_null(const char *text)
{
	return text ? mx_strdup(text) : NULL;
}

static int64_t or_default(int64_t value, int64_t other)
{
	return value > 0 ? value : other;
}

struct net_job *net_job_new(struct net *net, const struct net_request *request, net_done_fn *done,
			    void *ctx)
{
	struct net_job *job = mx_calloc(1, sizeof(*job));

	job->task.run = run;
	job->net = net;
	job->method = mx_strdup(request->method ? request->method : "GET");
	job->url = copy_or_null(request->url);
	job->server = copy_or_null(request->server);
	job->target = copy_or_null(request->target);
	for (size_t i = 0; request->headers && request->headers[i]; i++)
		job->headers = curl_slist_append(job->headers, request->headers[i]);
	mx_str_add_slice(&job->body, request->body);
	job->max_bytes = request->max_bytes ? request->max_bytes : DEFAULT_BYTES;
	job->connect_ms = or_default(request->connect_ms, DEFAULT_CONNECT_MS);
	job->total_ms = or_default(request->total_ms, DEFAULT_TOTAL_MS);
	job->redirects_max = request->redirects < NET_REDIRECTS_MAX ? request->redirects
								    : NET_REDIRECTS_MAX;
	job->started_ms = mx_mono_ms();
	job->done = done;
	job->ctx = ctx;
	job->deadline.task = &job->task;
	job->search = (struct net_search){ .net = net, .task = &job->task };
	mx_random_bytes(&job->search.seed, sizeof(job->search.seed));
	job->search.seed |= 1;
	return job;
}

void net_job_submit(struct net_job *job)
{
	struct net *net = job->net;
	bool first;

	pthread_mutex_lock(&net->lock);
	first = net_list_empty(&net->submitted);
	net_list_push(&net->submitted, &job->link);
	pthread_mutex_unlock(&net->lock);
	if (first)
		net_loop_interrupt(&net->loop);
}

void net_job_start(struct net_job *job)
{
	struct net *net = job->net;

	net_list_push(&net->jobs, &job->link);
	net_timer_arm(&net->loop, &job->deadline, job->started_ms + job->total_ms);
	net_task_wake(&net->loop, &job->task);
}

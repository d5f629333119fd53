#include "shared/net/transfer.h"

#include "shared/core/alloc.h"
#include "shared/core/time.h"
#include "shared/net/cidr.h"
#include "shared/net/job.h"
#include "shared/net/state.h"

#include <strings.h>
#include <unistd.h>

#define HEADER_BYTES_MAX       (64 * 1024)
#define CACHE_HEADER_BYTES_MAX 4096
#define SLOW_BYTES_PER_S       50L
#define SLOW_S                 10L
#define IDLE_S                 30L
#define CONNECTION_AGE_S       600L

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct net_transfer *transfer = ctx;
	size_t len = size * count;

	/* Counted here, after chunking: no header of the peer has a say. */
	if (len > transfer->max_bytes - transfer->body.len) {
		transfer->too_large = true;
		return 0;
	}
	mx_str_add(&transfer->body, bytes, len);
	return len;
}

static bool is_cache_header(const char *line, size_t len)
{
	static const char *const names[] = { "cache-control:", "expires:", "date:", "age:" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (len >= strlen(names[i]) && strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* RFC 9112, 6.3: an answer with two lengths has none that can be trusted. */
static bool has_other_length(struct net_transfer *transfer, struct mx_slice line)
{
	static const char name[] = "Content-Length:";
	struct mx_slice value;

	if (line.len < strlen(name) || strncasecmp(line.ptr, name, strlen(name)) != 0)
		return false;
	while (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r')
		line.len--;
	value = mx_trim(mx_slice_of(line.ptr + strlen(name), line.len - strlen(name)));
	if (transfer->length.len == 0)
		mx_str_add_slice(&transfer->length, value);
	return !mx_slice_eq(mx_str_slice(&transfer->length), value);
}

static size_t take_header(char *line, size_t size, size_t count, void *ctx)
{
	struct net_transfer *transfer = ctx;
	size_t len = size * count;

	transfer->header_bytes += len;
	if (transfer->header_bytes > HEADER_BYTES_MAX) {
		transfer->too_large = true;
		return 0;
	}
	/* 1xx answers bring headers of their own. */
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		mx_str_clear(&transfer->cache_headers);
		mx_str_clear(&transfer->length);
	}
	if (has_other_length(transfer, mx_slice_of(line, len))) {
		mx_fail(&transfer->err, MX_REMOTE_FAILED, "HTTP: the answer has two lengths");
		return 0;
	}
	if (is_cache_header(line, len) && transfer->cache_headers.len < CACHE_HEADER_BYTES_MAX)
		mx_str_add(&transfer->cache_headers, line, len);
	return len;
}

/* The last word on where a connection goes, whatever was looked up before. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *target)
{
	struct net_transfer *transfer = ctx;
	struct net *net = transfer->net;
	struct net_address address;

	if (purpose != CURLSOCKTYPE_IPCXN || !net_address_from(&target->addr, &address) ||
	    !mx_address_permitted(&target->addr, net->allow, net->deny)) {
		transfer->refused = true;
		return CURL_SOCKET_BAD;
	}
	if (!net_slots_extend(&net->slots, &transfer->slot, &address)) {
		transfer->crowded = true;
		transfer->crowd = address;
		return CURL_SOCKET_BAD;
	}
	return socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

static gnutls_session_t session_of(CURL *easy)
{
	struct curl_tlssessioninfo *info = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info ||
	    info->backend != CURLSSLBACKEND_GNUTLS)
		return NULL;
	return info->internals;
}

/* Connected, and nothing sent yet: on new connections and on reused ones. */
static int before_request(void *ctx, char *address, char *local_address, int port, int local_port)
{
	struct net_transfer *transfer = ctx;
	gnutls_session_t session;

	(void)local_address, (void)port, (void)local_port;
	snprintf(transfer->address, sizeof(transfer->address), "%s", address);
	if (transfer->tls) {
		session = session_of(transfer->easy);
		if (!session) {
			mx_fail(&transfer->err, MX_REMOTE_FAILED, "TLS: there is no session");
			return CURL_PREREQFUNC_ABORT;
		}
		if (net_trust_check(transfer->net->trust, session, transfer->host,
				    transfer->certificate_sha256, &transfer->err))
			return CURL_PREREQFUNC_ABORT;
	}
	transfer->checked = true;
	return CURL_PREREQFUNC_OK;
}

/* All options are set through this: one that this libcurl does not know must not be ignored. */
#define SET(easy, option, value)                                       \
	do {                                                           \
		if (curl_easy_setopt(easy, option, value) != CURLE_OK) \
			abort();                                       \
	} while (0)

static void set_limits(struct net_transfer *transfer, const struct net_job *job)
{
	CURL *easy = transfer->easy;

	SET(easy, CURLOPT_PROTOCOLS_STR, transfer->tls ? "https" : "http");
	SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET(easy, CURLOPT_PROXY, "");
	SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)job->connect_ms);
	SET(easy, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES_PER_S);
	SET(easy, CURLOPT_LOW_SPEED_TIME, SLOW_S);
	SET(easy, CURLOPT_MAXAGE_CONN, IDLE_S);
	SET(easy, CURLOPT_MAXLIFETIME_CONN, CONNECTION_AGE_S);
	SET(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(easy, CURLOPT_OPENSOCKETDATA, transfer);
}

/* curl's GnuTLS code reads the whole authority file for every connection (6 ms of processor time
 * for Debian's); so the check of chain and name is ours, in before_request(), with the list
 * loaded once. */
static void set_checks(struct net_transfer *transfer)
{
	CURL *easy = transfer->easy;

	SET(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	SET(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	SET(easy, CURLOPT_CAINFO, NULL);
	SET(easy, CURLOPT_CAPATH, NULL);
	SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	SET(easy, CURLOPT_PREREQFUNCTION, before_request);
	SET(easy, CURLOPT_PREREQDATA, transfer);
}

static void set_certificate(struct net_transfer *transfer)
{
	const struct net *net = transfer->net;

	if (!transfer->tls || !net->certificate_file)
		return;
	SET(transfer->easy, CURLOPT_SSLCERT, net->certificate_file);
	SET(transfer->easy, CURLOPT_SSLKEY, net->key_file);
}

static void set_body(CURL *easy, const struct net_job *job)
{
	if (strcmp(job->method, "HEAD") == 0)
		SET(easy, CURLOPT_NOBODY, 1L);
	else if (job->body.len > 0 || strcmp(job->method, "GET") != 0) {
		SET(easy, CURLOPT_POSTFIELDS, job->body.ptr ? job->body.ptr : "");
		SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->body.len);
	}
	SET(easy, CURLOPT_CUSTOMREQUEST, job->method);
}

static bool has_header(const struct curl_slist *headers, const char *name)
{
	for (; headers; headers = headers->next)
		if (strncasecmp(headers->data, name, strlen(name)) == 0)
			return true;
	return false;
}

static void header_add(struct net_transfer *transfer, const char *line)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (!longer)
		abort();
	transfer->headers = longer;
}

static void set_headers(struct net_transfer *transfer, const struct net_job *job)
{
	for (const struct curl_slist *h = job->headers; h; h = h->next)
		header_add(transfer, h->data);
	if (job->plan.host_header[0]) {
		mx_autofree char *host = mx_strf("Host: %s", job->plan.host_header);

		header_add(transfer, host);
	}
	if (!has_header(job->headers, "Content-Type:"))
		header_add(transfer,
			   job->body.len ? "Content-Type: application/json" : "Content-Type:");
	header_add(transfer, "Expect:");
	SET(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	SET(transfer->easy, CURLOPT_USERAGENT, transfer->net->user_agent);
	SET(transfer->easy, CURLOPT_HEADERFUNCTION, take_header);
	SET(transfer->easy, CURLOPT_HEADERDATA, transfer);
	SET(transfer->easy, CURLOPT_WRITEFUNCTION, take_body);
	SET(transfer->easy, CURLOPT_WRITEDATA, transfer);
}

/* curl never asks a resolver: it is told the addresses, which it tries in their order and both
 * families side by side. */
static void set_addresses(struct net_transfer *transfer, const struct net_place *place)
{
	mx_str_auto line = { 0 };

	mx_str_addf(&line, "+%s:%u:", transfer->host, (unsigned)place->port);
	for (size_t i = 0; i < place->len; i++) {
		const struct net_address *address = &place->addresses[i];
		char text[NET_ADDRESS_TEXT_MAX];

		net_address_format(address, text);
		mx_str_addf(&line, address->any.sa_family == AF_INET6 ? "%s[%s]" : "%s%s",
			    i > 0 ? "," : "", text);
	}
	transfer->resolve = curl_slist_append(NULL, line.ptr);
	SET(transfer->easy, CURLOPT_RESOLVE, transfer->resolve);
}

static void start(struct net_slot *slot)
{
	struct net_transfer *transfer = net_entry(slot, struct net_transfer, slot);

	transfer->in_multi = true;
	if (curl_multi_add_handle(transfer->net->multi, transfer->easy) != CURLM_OK)
		net_transfer_finish(transfer, CURLE_FAILED_INIT);
}

struct net_transfer *net_transfer_new(const struct net_job *job, struct net_task *owner)
{
	struct net_transfer *transfer = mx_calloc(1, sizeof(*transfer));
	const struct net_place *place = &job->plan.places[job->place];
	struct net_address literal;

	transfer->net = job->net;
	transfer->owner = owner;
	transfer->slot.start = start;
	transfer->tls = job->tls;
	transfer->max_bytes = job->max_bytes;
	memcpy(transfer->host, job->plan.host, sizeof(transfer->host));
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		abort();
	SET(transfer->easy, CURLOPT_CURLU, job->where);
	SET(transfer->easy, CURLOPT_PATH_AS_IS, 1L);
	SET(transfer->easy, CURLOPT_PRIVATE, transfer);
	SET(transfer->easy, CURLOPT_ERRORBUFFER, transfer->curl_text);
	set_limits(transfer, job);
	set_checks(transfer);
	set_certificate(transfer);
	set_body(transfer->easy, job);
	set_headers(transfer, job);
	if (!net_address_parse(transfer->host, &literal))
		set_addresses(transfer, place);
	net_slots_ask(&transfer->net->slots, &transfer->slot, &place->addresses[0]);
	return transfer;
}

static void leave(struct net_transfer *transfer)
{
	if (transfer->in_multi)
		curl_multi_remove_handle(transfer->net->multi, transfer->easy);
	transfer->in_multi = false;
	net_slots_release(&transfer->net->slots, &transfer->slot);
}

void net_transfer_finish(struct net_transfer *transfer, CURLcode result)
{
	transfer->result = result;
	transfer->done = true;
	leave(transfer);
	net_task_wake(&transfer->net->loop, transfer->owner);
}

void net_transfer_free(struct net_transfer *transfer)
{
	if (!transfer)
		return;
	leave(transfer);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->resolve);
	mx_str_done(&transfer->body);
	mx_str_done(&transfer->cache_headers);
	mx_str_done(&transfer->length);
	mx_free(transfer);
}

static const char *stage_of(const struct net_transfer *transfer)
{
	if (transfer->checked)
		return "HTTP";
	switch (transfer->result) {
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR: return transfer->tls ? "TLS" : "HTTP";
	default: return "connect";
	}
}

int net_transfer_outcome(const struct net_transfer *transfer, struct mx_error *err)
{
	const char *why = transfer->curl_text[0] ? transfer->curl_text
						 : curl_easy_strerror(transfer->result);

	if (transfer->too_large)
		return mx_fail(err, MX_TOO_LARGE, "The answer is larger than %zu bytes",
			       transfer->max_bytes);
	if (transfer->err.code) {
		*err = transfer->err;
		return -(int)transfer->err.code;
	}
	if (transfer->result == CURLE_OK) {
		/* Nothing is an answer unless the peer was checked. */
		if (transfer->tls && !transfer->checked)
			return mx_fail(err, MX_REMOTE_FAILED, "TLS: the peer was not checked");
		return 0;
	}
	if (transfer->refused && !transfer->checked)
		return mx_fail(err, MX_ADDRESS_REFUSED, "That address may not be contacted");
	if (transfer->result == CURLE_OPERATION_TIMEDOUT)
		return mx_fail(err, MX_REMOTE_TIMEOUT, "%s: %s", stage_of(transfer), why);
	return mx_fail(err, MX_REMOTE_FAILED, "%s: %s", stage_of(transfer), why);
}

const char *net_transfer_phase(const struct net_transfer *transfer)
{
	if (!transfer->slot.running)
		return "a free connection";
	return transfer->checked ? "the answer" : "the connection";
}

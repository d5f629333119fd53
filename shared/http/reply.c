#include "shared/http/reply.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/http/cors.h"
#include "shared/http/exchange.h"
#include "shared/http/server.h"
#include "shared/json/json.h"

#include <assert.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <strings.h>
#include <unistd.h>

static const char json_media[] = "application/json";

struct reply_body {
	_Atomic unsigned refs;
	struct MHD_Response *response;
	_Atomic bool named; /* the Server header was added or is not wanted */
};

void reply_clear(struct exchange *ex)
{
	struct reply *reply = &ex->reply;

	if (reply->json)
		json_decref(reply->json);
	if (reply->kind == REPLY_OWNED)
		mx_free((char *)reply->bytes.ptr);
	if (reply->shared)
		reply_body_unref(reply->shared);
	if (reply->kind == REPLY_FILE)
		close(reply->file.fd);
	*reply = (struct reply){ 0 };
}

/* Another body in place of this one; status and headers stay. */
static struct reply *reply_replace(struct req *r, enum reply_kind kind)
{
	struct exchange *ex = exchange_of(r);
	struct reply kept = ex->reply;

	kept.json = NULL;
	kept.shared = NULL;
	kept.bytes = (struct mx_slice){ 0 };
	reply_clear(ex);
	ex->reply = kept;
	ex->reply.kind = kind;
	return &ex->reply;
}

void reply_json(struct req *r, json_t *json)
{
	reply_replace(r, REPLY_JSON)->json = json;
}

void reply_bytes(struct req *r, const char *content_type, struct mx_slice bytes)
{
	struct reply *reply = reply_replace(r, REPLY_BYTES);

	reply->content_type = content_type;
	reply->bytes = bytes;
}

void reply_owned(struct req *r, const char *content_type, char *bytes, size_t len)
{
	struct reply *reply = reply_replace(r, REPLY_OWNED);

	reply->content_type = content_type;
	reply->bytes = mx_slice_of(bytes, len);
}

void reply_shared(struct req *r, struct reply_body *body)
{
	reply_replace(r, REPLY_SHARED)->shared = reply_body_ref(body);
}

void reply_file(struct req *r, const char *content_type, const struct reply_file *file)
{
	struct reply *reply = reply_replace(r, REPLY_FILE);

	reply->content_type = content_type;
	reply->file = *file;
}

void reply_redirect(struct req *r, const char *location)
{
	reply_replace(r, REPLY_BYTES)->content_type = "text/plain";
	reply_status(r, 302);
	reply_header(r, "Location", location);
}

void reply_status(struct req *r, int status)
{
	exchange_of(r)->reply.status = status;
}

/* A line break would let a value end the header and begin another. */
static bool is_header_safe(const char *text)
{
	return !strpbrk(text, "\r\n");
}

void reply_header(struct req *r, const char *name, const char *value)
{
	struct reply *reply = &exchange_of(r)->reply;

	assert(reply->headers_len < REPLY_HEADERS_MAX);
	if (reply->headers_len == REPLY_HEADERS_MAX || !is_header_safe(name) ||
	    !is_header_safe(value))
		return;
	reply->headers[reply->headers_len++] = (struct reply_header){
		mx_arena_strdup(r->mem, name),
		mx_arena_strdup(r->mem, value),
	};
}

/* ---- shared bodies */

struct reply_body *reply_body_new(const char *content_type, const void *bytes, size_t len,
				  bool cors)
{
	struct reply_body *body = mx_calloc(1, sizeof(*body));

	atomic_init(&body->refs, 1);
	body->response = MHD_create_response_from_buffer(len, (void *)bytes, MHD_RESPMEM_MUST_COPY);
	if (!body->response)
		abort();
	MHD_add_response_header(body->response, "Content-Type", content_type);
	hardening_add(body->response, false);
	if (cors)
		cors_add(body->response);
	return body;
}

struct reply_body *reply_body_ref(struct reply_body *body)
{
	atomic_fetch_add_explicit(&body->refs, 1, memory_order_relaxed);
	return body;
}

void reply_body_unref(struct reply_body *body)
{
	if (!body || atomic_fetch_sub_explicit(&body->refs, 1, memory_order_acq_rel) != 1)
		return;
	MHD_destroy_response(body->response);
	mx_free(body);
}

/* The body is made before it is known who sends it, so the server's name is added once, before
 * the first use: later the response may be on its way in another thread. */
static void body_name(struct reply_body *body, struct http_server *server)
{
	if (atomic_load_explicit(&body->named, memory_order_acquire))
		return;
	pthread_mutex_lock(&server->name_lock);
	if (!atomic_load_explicit(&body->named, memory_order_relaxed)) {
		if (server->app.server_header)
			MHD_add_response_header(body->response, "Server",
						server->app.server_header);
		atomic_store_explicit(&body->named, true, memory_order_release);
	}
	pthread_mutex_unlock(&server->name_lock);
}

/* ---- errors */

/* Clients show M_RESOURCE_LIMIT_EXCEEDED with 403. Servers try again only what came back with 5xx,
 * and what they send must not get lost. */
static int wire_code(const struct exchange *ex, int rc)
{
	if (rc == -MX_STORE_FULL && ex->server->app.admin_contact && ex->reply.cors)
		return MX_RESOURCE_LIMIT;
	if (rc == -MX_MISSING_PARAM && ex->server->app.plural_missing)
		return MX_MISSING_PARAMS;
	if (rc == -MX_NOT_JSON && ex->server->app.plural_missing)
		return MX_BAD_JSON;
	return -rc > 0 && -rc < MX_CODE_COUNT ? -rc : MX_UNKNOWN;
}

static void add_retry(struct exchange *ex, json_t *json)
{
	int64_t wait_ms = ex->req.err.retry_after_ms;

	if (wait_ms <= 0)
		return;
	json_object_set_new(json, "retry_after_ms", json_integer(wait_ms));
	reply_header(&ex->req, "Retry-After",
		     mx_arena_strf(ex->req.mem, "%lld", (long long)((wait_ms + 999) / 1000)));
}

/* Spec: client-server API, "Other error codes". */
static void add_contact(struct exchange *ex, json_t *json)
{
	const char *(*contact)(struct req * r) = ex->server->app.admin_contact;

	if (contact)
		json_object_set_new(json, "admin_contact", json_string(contact(&ex->req)));
}

static void add_allow(struct exchange *ex, unsigned allow)
{
	static const char *const names[ROUTE_METHODS] = {
		[GET] = "GET, HEAD, ", [POST] = "POST, ", [PUT] = "PUT, ", [DELETE] = "DELETE, "
	};
	mx_str_auto list = { 0 };

	for (unsigned m = GET; m < ROUTE_METHODS; m++)
		if (allow & 1u << m)
			mx_str_add_text(&list, names[m]);
	mx_str_add_text(&list, "OPTIONS");
	reply_header(&ex->req, "Allow", list.ptr);
}

/* RFC 9110, 14.4 */
static void add_size(struct exchange *ex)
{
	reply_header(&ex->req, "Content-Range",
		     mx_arena_strf(ex->req.mem, "bytes */%" PRIu64, ex->req.err_size));
}

void reply_error(struct exchange *ex, int rc)
{
	const struct mx_errc *row = mx_errc((enum mx_code)wire_code(ex, rc));
	bool cors = ex->reply.cors;
	unsigned allow = ex->reply.allow;
	json_t *json = ex->req.err_fields ? json_copy(ex->req.err_fields) : json_object();

	reply_clear(ex);
	ex->reply.cors = cors;
	if (*row->errcode) {
		json_object_set_new(json, "errcode", json_string(row->errcode));
		json_object_set_new(json, "error", json_string(mx_error_text(&ex->req.err, rc)));
	}
	reply_json(&ex->req, json);
	reply_status(&ex->req, row->status);
	if (rc == -MX_LIMIT_EXCEEDED)
		add_retry(ex, json);
	if (rc == -MX_STORE_FULL || rc == -MX_RESOURCE_LIMIT)
		add_contact(ex, json);
	if (rc == -MX_BAD_METHOD)
		add_allow(ex, allow);
	if (rc == -MX_BAD_RANGE)
		add_size(ex);
}

/* ---- sending */

void reply_seal(struct exchange *ex)
{
	struct reply *reply = &ex->reply;
	char *text;

	if (reply->kind != REPLY_JSON)
		return;
	text = mx_json_text(reply->json);
	json_decref(reply->json);
	reply->json = NULL;
	reply->kind = REPLY_OWNED;
	reply->content_type = json_media;
	reply->bytes = mx_slice(text);
}

/* The library takes the descriptor over, and wants none for nothing. */
static struct MHD_Response *response_of_file(struct reply *reply)
{
	struct reply_file file = reply->file;

	reply->kind = REPLY_BYTES;
	if (file.len > 0)
		return MHD_create_response_from_fd_at_offset64(file.len, file.fd, file.from);
	close(file.fd);
	return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *response_of(struct reply *reply)
{
	struct mx_slice bytes = reply->bytes;

	if (reply->kind == REPLY_FILE)
		return response_of_file(reply);
	if (reply->kind == REPLY_EMPTY_OBJECT)
		bytes = MX_SLICE("{}");
	if (reply->kind != REPLY_OWNED)
		return MHD_create_response_from_buffer(bytes.len, (void *)bytes.ptr,
						       MHD_RESPMEM_PERSISTENT);
	/* From here on the library frees the bytes. */
	reply->kind = REPLY_BYTES;
	return MHD_create_response_from_buffer_with_free_callback(bytes.len, (void *)bytes.ptr,
								  mx_free);
}

static bool sets_cache(const struct reply *reply)
{
	for (unsigned i = 0; i < reply->headers_len; i++)
		if (strcasecmp(reply->headers[i].name, "Cache-Control") == 0)
			return true;
	return false;
}

static void add_headers(struct exchange *ex, struct MHD_Response *response)
{
	const struct reply *reply = &ex->reply;
	const char *type = reply->content_type ? reply->content_type : json_media;

	MHD_add_response_header(response, "Content-Type", type);
	if (reply->cors)
		cors_add(response);
	if (ex->server->app.server_header)
		MHD_add_response_header(response, "Server", ex->server->app.server_header);
	if (atomic_load_explicit(&ex->server->stopping, memory_order_relaxed))
		MHD_add_response_header(response, "Connection", "close");
	hardening_add(response, sets_cache(reply));
	for (unsigned i = 0; i < reply->headers_len; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
}

static unsigned status_of(const struct reply *reply)
{
	return reply->status ? (unsigned)reply->status : 200;
}

bool reply_send(struct exchange *ex)
{
	struct MHD_Response *response;
	bool sent;

	conn_set_phase(ex->conn, CONN_REPLY);
	if (ex->reply.kind == REPLY_SHARED) {
		body_name(ex->reply.shared, ex->server);
		return MHD_queue_response(ex->mhd, status_of(&ex->reply),
					  ex->reply.shared->response) == MHD_YES;
	}
	response = response_of(&ex->reply);
	if (!response)
		return false;
	add_headers(ex, response);
	sent = MHD_queue_response(ex->mhd, status_of(&ex->reply), response) == MHD_YES;
	MHD_destroy_response(response);
	return sent;
}

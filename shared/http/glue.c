#include "shared/http/glue.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/dispatch.h"
#include "shared/http/exchange.h"
#include "shared/http/park.h"
#include "shared/http/reply.h"
#include "shared/http/server.h"
#include "shared/http/spool.h"
#include "shared/http/wire_layout.h"

/* Bodies of refused requests are read to the end: the connection stays in step, and who sends
 * somewhat too much can read why, where a close with bytes unread would be a reset. Longer ones
 * end it. */
#define SWALLOW_MAX  (2 * 1024 * 1024)
#define BODY_AT_ONCE 4096 /* taken on the word of Content-Length; more only as it comes */

static struct http_conn *conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void *glue_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct exchange *ex = exchange_take();

	ex->server = cls;
	ex->mhd = mhd;
	ex->conn = conn_of(mhd);
	ex->conn->ex = ex;
	ex->raw_target = mx_slice_of(target, target ? strlen(target) : 0);
	/* The library is about to take the query apart in its buffer. */
	ex->req.target = mx_arena_strndup(ex->own, target ? target : "", ex->raw_target.len);
	return ex;
}

/* ---- the headers */

struct header_pass {
	struct head *head;
	struct wire_layout layout;
};

static enum MHD_Result see_header(void *cls, enum MHD_ValueKind kind, const char *name,
				  size_t name_len, const char *value, size_t value_len)
{
	struct header_pass *pass = cls;
	struct mx_slice name_slice = { name, name_len };
	struct mx_slice value_slice = { value ? value : "", value_len };

	(void)kind;
	head_add(pass->head, name_slice, value_slice);
	wire_layout_header(&pass->layout, name_slice, value_slice);
	return MHD_YES;
}

static size_t block_len(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info ? info->header_size : 0;
}

static int check_headers(struct exchange *ex, const char *method, const char *version)
{
	struct header_pass pass = {
		.head = &ex->head,
		.layout = wire_layout_begin(method, ex->raw_target, version, block_len(ex->mhd)),
	};

	MHD_get_connection_values_n(ex->mhd, MHD_HEADER_KIND, see_header, &pass);
	if (ex->server->check_layout && !wire_layout_is_clean(&pass.layout))
		return mx_fail(&ex->req.err, MX_BAD_HTTP,
			       "Lines must end with CRLF and may not be folded");
	return head_check(&ex->head, strcmp(version, "HTTP/1.0") != 0, &ex->req.err);
}

static void find_client(struct exchange *ex)
{
	ex->peer = ex->conn->peer;
	ex->req.client = ex->conn->client;
	if (!ex->conn->trusted || !ex->head.forwarded_for.ptr)
		return;
	ex->peer = peer_behind(&ex->server->trusted, &ex->peer, ex->head.forwarded_for);
	peer_format(&ex->peer, ex->client);
	ex->req.client = ex->client;
}

static enum MHD_Result send_reply(struct exchange *ex)
{
	return reply_send(ex) ? MHD_YES : MHD_NO;
}

/* A reply before the body was read makes the library close the connection behind it. */
static bool ends_connection(const struct exchange *ex, int rc)
{
	uint64_t len = head_body_len(&ex->head);

	return rc == -MX_BAD_HTTP || (len > 0 && ex->head.expects) ||
	       (len != UINT64_MAX && len > SWALLOW_MAX);
}

static enum MHD_Result refuse(struct exchange *ex, int rc)
{
	/* Malformed numbers have no length. */
	bool now = rc == -MX_BAD_HTTP || ends_connection(ex, rc);

	dispatch_finish(ex, rc);
	if (now)
		return send_reply(ex);
	ex->state = EXCHANGE_REFUSED;
	return MHD_YES;
}

static void expect_body(struct exchange *ex)
{
	uint64_t len = head_body_len(&ex->head);

	ex->state = EXCHANGE_BODY;
	if (len == 0)
		return;
	conn_set_phase(ex->conn, CONN_BODY);
	if (ex->req.spool)
		return;
	mx_str_reserve(&ex->body, len < BODY_AT_ONCE ? (size_t)len + 1 : BODY_AT_ONCE);
}

static enum MHD_Result on_headers(struct exchange *ex, const char *method, const char *version)
{
	int rc = check_headers(ex, method, version);

	ex->raw_target.ptr = ex->req.target;
	if (rc) {
		ex->reply.cors = true;
		return refuse(ex, rc);
	}
	find_client(ex);
	rc = dispatch_route(ex, method);
	if (rc == 0 && ex->entry && (ex->entry->route->flags & ROUTE_SPOOL))
		rc = dispatch_spool(ex);
	if (rc || !ex->entry)
		return refuse(ex, rc);
	expect_body(ex);
	return MHD_YES;
}

/* ---- the body */

static int add_data(struct exchange *ex, const char *data, size_t len)
{
	if (ex->body_seen > ex->body_max)
		return -MX_TOO_LARGE;
	if (ex->req.spool)
		return spool_add(ex->req.spool, data, len, &ex->req.err);
	mx_str_add(&ex->body, data, len);
	return 0;
}

static void drop_body(struct exchange *ex)
{
	mx_str_clear(&ex->body);
	spool_free(ex->req.spool);
	ex->req.spool = NULL;
}

static enum MHD_Result on_data(struct exchange *ex, const char *data, size_t len)
{
	int rc;

	conn_add_received(ex->conn, len);
	ex->body_seen += len;
	rc = ex->state == EXCHANGE_BODY ? add_data(ex, data, len) : 0;
	if (rc) {
		drop_body(ex);
		dispatch_finish(ex, rc);
		ex->state = EXCHANGE_REFUSED;
	}
	if (ex->state == EXCHANGE_REFUSED && ex->body_seen > ex->body_max + SWALLOW_MAX)
		return MHD_NO;
	return MHD_YES;
}

static enum MHD_Result on_end(struct exchange *ex)
{
	if (ex->state == EXCHANGE_REFUSED)
		return send_reply(ex);
	return dispatch_start(ex) ? send_reply(ex) : MHD_YES;
}

static enum MHD_Result on_rerun(struct exchange *ex)
{
	ex->state = EXCHANGE_RUNNING;
	return dispatch_run(ex, LANE_IO) ? send_reply(ex) : MHD_YES;
}

enum MHD_Result glue_request(void *cls, struct MHD_Connection *mhd, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *data_len, void **context)
{
	struct exchange *ex = *context;
	size_t len = *data_len;

	(void)cls, (void)mhd, (void)url;
	if (!ex)
		return MHD_NO;
	if (ex->suspended)
		park_back(ex->server->park, ex);
	switch (ex->state) {
	case EXCHANGE_NEW: return on_headers(ex, method, version);
	case EXCHANGE_BODY:
	case EXCHANGE_REFUSED: *data_len = 0; return len > 0 ? on_data(ex, data, len) : on_end(ex);
	case EXCHANGE_RERUN: return on_rerun(ex);
	case EXCHANGE_ANSWERED: return send_reply(ex);
	case EXCHANGE_RUNNING:
	case EXCHANGE_GONE: return MHD_NO;
	}
	return MHD_NO;
}

static void end_exchange(struct exchange *ex)
{
	ex->conn->ex = NULL;
	conn_set_phase(ex->conn, CONN_IDLE);
	if (ex->suspended)
		park_back(ex->server->park, ex);
	exchange_give(ex);
}

void glue_completed(void *cls, struct MHD_Connection *mhd, void **context,
		    enum MHD_RequestTerminationCode code)
{
	struct exchange *ex = *context;

	(void)cls, (void)mhd, (void)code;
	*context = NULL;
	if (ex)
		end_exchange(ex);
}

/* ---- connections */

static int fd_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static const struct sockaddr *address_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info ? info->client_addr : NULL;
}

/* So that servers that come back need no full handshake. */
static void offer_tickets(struct http_server *server, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	if (info && info->tls_session)
		gnutls_session_ticket_enable_server(info->tls_session, &server->ticket_key);
}

void glue_connection(void *cls, struct MHD_Connection *mhd, void **context,
		     enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = cls;
	struct http_conn *conn;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = conn_open(server->conns, fd_of(mhd), address_of(mhd));
		if (server->ticket_key.data)
			offer_tickets(server, mhd);
		return;
	}
	conn = *context;
	/* Not every error of the library (1.0.1: an endless chunk extension) says that the request
	 * is over. */
	if (conn->ex)
		end_exchange(conn->ex);
	conn_close(server->conns, conn);
	*context = NULL;
}

enum MHD_Result glue_accept(void *cls, const struct sockaddr *address, socklen_t len)
{
	struct http_server *server = cls;

	(void)len;
	return conn_may_open(server->conns, address) ? MHD_YES : MHD_NO;
}

size_t glue_unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls, (void)mhd;
	return strlen(text);
}

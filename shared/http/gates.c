#include "shared/http/gates.h"

#include "shared/core/arena.h"
#include "shared/core/time.h"
#include "shared/http/exchange.h"
#include "shared/http/form.h"
#include "shared/http/gate_limit.h"
#include "shared/http/server.h"
#include "shared/json/json.h"
#include "shared/schema/schema.h"

/* Arena strings of the authenticator would end with the first run. */
static const char *keep(struct exchange *ex, const char *text)
{
	return text ? mx_arena_strdup(ex->own, text) : NULL;
}

static int pass_authenticate(struct exchange *ex)
{
	struct req *r = &ex->req;
	int rc;

	if (ex->entry->route->auth == AUTH_NONE)
		return 0;
	rc = ex->server->app.authenticate(r);
	if (rc)
		return rc;
	r->user = keep(ex, r->user);
	r->device = keep(ex, r->device);
	r->origin = keep(ex, r->origin);
	return 0;
}

int gates_again(struct exchange *ex)
{
	struct req *r = &ex->req;
	const char *user = r->user, *device = r->device, *origin = r->origin;
	int rc;

	if (ex->gate == 0 || ex->entry->route->auth == AUTH_NONE)
		return 0;
	rc = ex->server->app.authenticate(r);
	/* It is the same token: what was kept of it stays, and nothing piles up. */
	r->user = user;
	r->device = device;
	r->origin = origin;
	return rc;
}

static int pass_limit(struct exchange *ex)
{
	enum route_limit limit = ex->entry->route->limit;
	struct mx_slice who = ex->req.user ? mx_slice(ex->req.user) : peer_key(&ex->peer);
	int64_t wait_ms;

	if (limit == LIMIT_NONE)
		return 0;
	wait_ms = limiter_take(ex->server->limiter, limit, who, mx_mono_ms());
	if (wait_ms == 0)
		return 0;
	ex->req.err.retry_after_ms = wait_ms;
	return -MX_LIMIT_EXCEEDED;
}

static int pass_params(struct exchange *ex)
{
	for (unsigned i = 0; i < ex->entry->params_len; i++) {
		const struct route_param *param = &ex->entry->params[i];
		int rc;

		ex->params[i] = ex->target.segments[param->segment];
		rc = param->type ? param->type->check(&ex->req, ex->params[i]) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static bool wants_json(const struct exchange *ex)
{
	const struct route *route = ex->entry->route;

	if (!route->body || (route->flags & ROUTE_RAW_BODY))
		return false;
	return ex->req.raw.len > 0 || !(route->flags & ROUTE_OPTIONAL_BODY);
}

static int parse_json(struct exchange *ex)
{
	struct mx_json_limits limits = mx_json_default_limits;

	if (ex->body_max > limits.bytes)
		limits.bytes = ex->body_max;
	if (ex->entry->route->nodes_max)
		limits.nodes = ex->entry->route->nodes_max;
	return mx_json_parse(ex->req.raw, &limits, ex->req.mem, &ex->req.body, &ex->req.err);
}

/* Spec: identity service API: v1 took forms and queries, and so its clients still send them. */
static int parse_form(struct exchange *ex)
{
	struct mx_slice raw = ex->req.raw;
	int rc = 0;

	if (form_is_json(ex->head.content_type, raw)) {
		rc = parse_json(ex);
		raw.len = 0;
	}
	if (rc == 0 && (!ex->req.body || json_is_null(ex->req.body)))
		ex->req.body = json_object();
	if (rc == 0 && raw.len > 0)
		rc = form_read(raw, ex->req.mem, ex->req.body, &ex->req.err);
	if (rc == 0 && json_is_object(ex->req.body))
		form_fill(ex->req.body, &ex->target);
	return rc;
}

static int pass_json(struct exchange *ex)
{
	if (ex->entry->route->body && (ex->entry->route->flags & ROUTE_FORM))
		return parse_form(ex);
	return wants_json(ex) ? parse_json(ex) : 0;
}

static int pass_schema(struct exchange *ex)
{
	int rc = 0;

	if (ex->req.body)
		rc = mx_schema_check(ex->entry->body, ex->req.body, &ex->req.err);
	/* The handler begins with an empty arena. */
	mx_arena_reset(ex->req.mem);
	return rc;
}

static int pass_own(struct exchange *ex)
{
	return ex->server->app.pass ? ex->server->app.pass(&ex->req) : 0;
}

static int (*const gates[])(struct exchange *ex) = {
	pass_authenticate, pass_limit, pass_params, pass_json, pass_schema, pass_own,
};

#define GATES       (sizeof(gates) / sizeof(gates[0]))
#define GATE_PARSES 3

int gates_pass(struct exchange *ex, bool cheap_only)
{
	unsigned end = cheap_only ? GATE_PARSES : GATES;

	for (; ex->gate < end; ex->gate++) {
		int rc = gates[ex->gate](ex);

		if (rc)
			return rc;
	}
	return 0;
}

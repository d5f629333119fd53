#include "homeserver/account/threepid_server.h"

#include "homeserver/account/id_server.h"
#include "homeserver/account/threepids.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

struct change {
	const char *user;
	struct threepid_binding binding;
};

/* ---- binding */

static int note_bound(const struct hs_call *call, void *ctx, struct mx_error *err)
{
	const struct change *change = ctx;

	(void)err;
	threepids_bound(call, change->user, &change->binding);
	return 0;
}

/* What the server says it bound. */
static int read_bound(const struct hs_call *call, const json_t *answer,
		      struct threepid *ret_threepid)
{
	return threepid_parse(jstr_or(answer, "medium", ""), jstr_or(answer, "address", ""),
			      call->mem, ret_threepid, NULL);
}

int threepid_server_bind(const struct hs_call *call, const char *user, const json_t *creds,
			 struct mx_error *err)
{
	json_auto_t *body = json_pack("{s:s, s:s, s:s}", "sid", jstr(creds, "sid"), "client_secret",
				      jstr(creds, "client_secret"), "mxid", user);
	struct change change = { .user = user };
	struct id_server_ask ask = {
		.path = "/3pid/bind",
		.token = jstr(creds, "id_access_token"),
		.body = body,
	};
	json_auto_t *answer = NULL;
	int rc = id_server_find(call->hs, jstr(creds, "id_server"), &ask.server, err);

	if (rc == 0)
		rc = id_server_call(call, &ask, &answer, err);
	if (rc)
		return rc;
	if (read_bound(call, answer, &change.binding.threepid))
		return mx_fail(err, MX_REMOTE_FAILED,
			       "The identity server's answer names no address");
	change.binding.id_server = ask.server->name;
	return call_change(call, note_bound, &change, err);
}

/* ---- unbinding */

static int note_unbound(const struct hs_call *call, void *ctx, struct mx_error *err)
{
	const struct change *change = ctx;

	(void)err;
	threepids_unbound(call, change->user, &change->binding);
	return 0;
}

static bool unbind_at(const struct hs_call *call, const char *user,
		      const struct threepid_binding *binding)
{
	struct change change = { user, *binding };
	const struct id_server_conf *server;
	struct mx_error err = { 0 };
	int rc = id_server_find(call->hs, binding->id_server, &server, &err);

	if (rc == 0)
		rc = id_server_unbind(call, server, user, &binding->threepid, &err);
	/* Somebody else's, or nobody's any more, is not ours to remember either. */
	if (rc == -MX_NOT_FOUND)
		rc = 0;
	if (rc) {
		mx_log(MX_LOG_INFO, "an address stays bound at an identity server", "server",
		       binding->id_server, "why", mx_error_text(&err, rc), NULL);
		return false;
	}
	return call_change(call, note_unbound, &change, NULL) == 0;
}

bool threepid_server_unbind_all(const struct hs_call *call, const char *user,
				const struct threepid_bindings *bindings)
{
	bool all = true;

	for (size_t i = 0; i < bindings->len; i++)
		all = unbind_at(call, user, &bindings->items[i]) && all;
	return all;
}

/* Those of one address. */
static int load_bindings(const struct hs_call *call, const char *user,
			 const struct threepid *threepid, struct threepid_bindings *ret_bindings)
{
	struct hs_call reading = *call;
	struct threepid_bindings all;
	size_t len = 0;
	int rc;

	reading.view = store_view_begin(call->hs->store);
	rc = threepids_bindings(&reading, user, &all);
	store_view_end(reading.view);
	if (rc)
		return rc;
	for (size_t i = 0; i < all.len; i++)
		if (threepid_same(&all.items[i].threepid, threepid))
			all.items[len++] = all.items[i];
	all.len = len;
	*ret_bindings = all;
	return 0;
}

bool threepid_server_unbind(const struct hs_call *call, const char *user,
			    const struct threepid *threepid, const char *id_server)
{
	const struct threepid_binding said = { *threepid, id_server };
	struct threepid_bindings known;

	if (id_server)
		return unbind_at(call, user, &said);
	if (load_bindings(call, user, threepid, &known) || known.len == 0)
		return false;
	return threepid_server_unbind_all(call, user, &known);
}

/* ---- forgetting */

static int forget(const struct hs_call *call, void *ctx, struct mx_error *err)
{
	const struct change *change = ctx;

	return threepids_remove(call, change->user, &change->binding.threepid, err);
}

int threepid_server_forget(const struct hs_call *call, const char *user,
			   const struct threepid *threepid, struct mx_error *err)
{
	struct change change = { user, { *threepid, NULL } };

	return call_change(call, forget, &change, err);
}

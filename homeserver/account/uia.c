#include "homeserver/account/uia.h"

#include "homeserver/account/uia_db.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#include <sodium.h>

#define ID_LEN        24
#define CONFLICTS_MAX 16

void uia_session_done(struct uia_session *session)
{
	json_decref(session->completed);
	json_decref(session->kept);
	session->completed = session->kept = NULL;
}

const struct uia_stage *uia_stage_find(const char *type)
{
	for (size_t i = 0; uia_stages[i]; i++)
		if (streq(uia_stages[i]->type, type))
			return uia_stages[i];
	return NULL;
}

const json_t *uia_result(const struct uia_session *session, const char *type)
{
	return json_object_get(session->completed, type);
}

/* ---- a session and its request */

static const char *what_of(struct req *r)
{
	static const char *const methods[] = { "", "GET", "POST", "PUT", "DELETE" };

	return mx_arena_strf(r->mem, "%s %.*s", methods[r->method], (int)strcspn(r->target, "?"),
			     r->target);
}

static int hash_body(struct req *r, uint8_t ret_hash[MX_SHA256_LEN])
{
	static const char *const without[] = { "auth", NULL };
	mx_str_auto text = { 0 };
	int rc = 0;

	/* Nothing at all is what is left of one that has `auth` only. */
	if (r->body)
		rc = mx_canonical_json(r->body, without, &text, &r->err);
	else
		mx_str_add_text(&text, "{}");
	if (rc == 0)
		mx_sha256(mx_str_slice(&text), ret_hash);
	return rc;
}

static int begin(struct req *r, const struct uia_purpose *purpose, struct uia_session *ret_session)
{
	char *id = mx_arena_alloc(r->mem, ID_LEN + 1);
	struct uia_session session = {
		.id = id,
		.user = r->user ? r->user : "",
		.what = what_of(r),
		.created_ms = call_of(r).now_ms,
	};
	int rc = purpose->any_body ? 0 : hash_body(r, session.body);

	if (rc)
		return rc;
	mx_random_token(id, ID_LEN);
	session.completed = json_object();
	session.kept = json_object();
	*ret_session = session;
	return 0;
}

int uia_load(const struct hs_call *call, const char *id, struct uia_session *ret_session)
{
	struct uia_session session = { 0 };
	int rc = uia_db_load(call, id, &session);

	if (rc == 0 && session.created_ms + UIA_LIFE_MS < call->now_ms) {
		uia_session_done(&session);
		return -MX_NOT_FOUND;
	}
	if (rc == 0)
		*ret_session = session;
	return rc;
}

void uia_complete(const struct hs_call *call, struct uia_session *session, const char *type,
		  json_t *result)
{
	json_object_set_new(session->completed, type, result ? result : json_true());
	uia_db_put(call, session);
}

static const json_t *auth_of(struct req *r)
{
	return jobj(r->body, "auth");
}

/* The session that the request names, if it was begun for such a request by this user. */
static int load_own(struct req *r, struct uia_session *ret_session)
{
	const char *id = jstr(auth_of(r), "session");
	struct hs_call call = call_of(r);
	struct store_view *view;
	int rc;

	if (!id)
		return -MX_NOT_FOUND;
	call.txn = NULL;
	view = call.view = store_view_begin(call.hs->store);
	rc = uia_load(&call, id, ret_session);
	store_view_end(view);
	if (rc || (streq(ret_session->user, r->user ? r->user : "") &&
		   streq(ret_session->what, what_of(r))))
		return rc;
	uia_session_done(ret_session);
	return -MX_NOT_FOUND;
}

static int check_body(struct req *r, const struct uia_session *session)
{
	uint8_t hash[MX_SHA256_LEN];
	int rc = hash_body(r, hash);

	if (rc == 0 && sodium_memcmp(hash, session->body, sizeof(hash)) != 0)
		return mx_fail(&r->err, MX_FORBIDDEN,
			       "The request is not the one that the session was begun for");
	return rc;
}

json_t *uia_kept(struct req *r)
{
	uia_session_auto session = { 0 };

	if (load_own(r, &session))
		return NULL;
	return json_incref(session.kept);
}

/* ---- flows */

static bool is_done(const struct uia_session *session, const char *type)
{
	return json_object_get(session->completed, type) != NULL;
}

/* How many stages from the first on are completed. */
static size_t done_of(const struct uia_flow *flow, const struct uia_session *session)
{
	size_t len = 0;

	while (len < flow->len && is_done(session, flow->stages[len]))
		len++;
	return len;
}

static bool is_complete(const struct uia_flows *flows, const struct uia_session *session)
{
	for (size_t i = 0; i < flows->len; i++)
		if (done_of(&flows->items[i], session) == flows->items[i].len)
			return true;
	return false;
}

/* Spec: "the flow's stages must be completed in order". */
static bool is_next(const struct uia_flows *flows, const struct uia_session *session,
		    const char *type)
{
	for (size_t i = 0; i < flows->len; i++) {
		const struct uia_flow *flow = &flows->items[i];
		size_t done = done_of(flow, session);

		if (done < flow->len && streq(flow->stages[done], type))
			return true;
	}
	return false;
}

/* Of the request itself, or ours: the client cannot try the stage again. */
static bool is_final(int rc)
{
	switch (-rc) {
	case MX_PARK:
	case MX_OTHER_USER:
	case MX_LIMIT_EXCEEDED:
	case MX_BAD_JSON:
	case MX_MISSING_PARAM:
	case MX_INVALID_PARAM:
	case MX_BUSY:
	case MX_STORE:
	case MX_STORE_FULL:
	case MX_UNKNOWN: return true;
	default: return false;
	}
}

/* 0 also if there was no attempt, or one that is no use any more. */
static int attempt(struct req *r, const struct uia_flows *flows, struct uia_session *session)
{
	const json_t *auth = auth_of(r);
	const char *type = jstr(auth, "type");
	json_t *result = NULL;
	int rc;

	if (!type || is_done(session, type))
		return 0;
	if (!is_next(flows, session, type) || !uia_stage_find(type))
		return mx_fail(&r->err, MX_STAGE_FAILED, "That stage is not to be done now");
	rc = uia_stage_find(type)->attempt(r, session, auth, &result);
	if (rc == 0)
		json_object_set_new(session->completed, type, result ? result : json_true());
	return rc;
}

/* ---- the answer */

static json_t *show_flows(const struct uia_flows *flows)
{
	json_t *list = json_array();

	for (size_t i = 0; i < flows->len; i++) {
		const struct uia_flow *flow = &flows->items[i];
		json_t *stages = json_array();

		for (size_t j = 0; j < flow->len; j++)
			json_array_append_new(stages, json_string(flow->stages[j]));
		json_array_append_new(list, json_pack("{s:o}", "stages", stages));
	}
	return list;
}

static json_t *show_params(const struct hs *hs, const struct uia_flows *flows)
{
	json_t *all = json_object();

	for (size_t i = 0; i < flows->len; i++)
		for (size_t j = 0; j < flows->items[i].len; j++) {
			const char *type = flows->items[i].stages[j];
			const struct uia_stage *stage = uia_stage_find(type);
			json_t *params = stage && stage->params ? stage->params(hs) : NULL;

			if (params)
				json_object_set_new(all, type, params);
		}
	return all;
}

static json_t *show_completed(const struct uia_session *session)
{
	json_t *list = json_array(), *result;
	const char *type;

	json_object_foreach (session->completed, type, result)
		json_array_append_new(list, json_string(type));
	return list;
}

/* rc: why the last attempt failed, or 0. */
static int answer(struct req *r, const struct uia_flows *flows, const struct uia_session *session,
		  int rc)
{
	json_t *fields = json_pack("{s:o, s:o, s:s}", "flows", show_flows(flows), "params",
				   show_params(r->app, flows), "session", session->id);

	if (json_object_size(session->completed) > 0)
		json_object_set_new(fields, "completed", show_completed(session));
	if (rc) {
		json_object_set_new(fields, "errcode",
				    json_string(mx_errc((enum mx_code) - rc)->errcode));
		json_object_set_new(fields, "error", json_string(mx_error_text(&r->err, rc)));
	}
	json_decref(r->err_fields);
	r->err_fields = fields;
	r->err = (struct mx_error){ 0 };
	return -MX_INTERACTIVE;
}

/* ---- */

/* What another request of the session completed meanwhile stays completed. */
static int save_once(struct hs_call *call, struct uia_session *session)
{
	uia_session_auto before = { 0 };
	int rc = uia_db_load(call, session->id, &before);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc == 0)
		json_object_update_missing(session->completed, before.completed);
	uia_db_put(call, session);
	return 0;
}

static int save(struct req *r, struct uia_session *session)
{
	struct hs_call call = call_of(r);
	int rc = -MX_CONFLICT;

	for (unsigned i = 0; rc == -MX_CONFLICT && i < CONFLICTS_MAX; i++) {
		call.txn = store_txn_begin(call.hs->store);
		rc = save_once(&call, session);
		if (rc)
			store_txn_abort(call.txn);
		else
			rc = store_txn_commit(call.txn, &r->err);
	}
	return rc == -MX_CONFLICT ? -MX_BUSY : rc;
}

/* is_new: nobody knows it yet, so if it is complete at once it need not be written down. */
static int proceed(struct req *r, const struct uia_purpose *purpose, struct uia_session *session,
		   bool is_new)
{
	struct uia_flows flows = { 0 };
	bool complete;
	int rc, saved;

	purpose->flows(r->app, &flows);
	if (flows.len == 0 && !r->user)
		return -MX_MISSING_TOKEN;
	if (flows.len == 0)
		return mx_fail(&r->err, MX_FORBIDDEN, "There is no way to prove who you are");
	rc = attempt(r, &flows, session);
	if (is_final(rc))
		return rc;
	complete = rc == 0 && auth_of(r) && is_complete(&flows, session);
	saved = complete && is_new ? 0 : save(r, session);
	if (saved || complete)
		return saved;
	return answer(r, &flows, session, rc);
}

int uia_require(struct req *r, const struct uia_purpose *purpose, json_t *kept,
		struct uia_session *ret_session)
{
	uia_session_auto session = { 0 };
	int rc = load_own(r, &session);
	bool is_new = rc == -MX_NOT_FOUND;

	if (rc == 0 && !purpose->any_body)
		rc = check_body(r, &session);
	else if (is_new)
		rc = begin(r, purpose, &session);
	if (rc)
		return rc;
	if (kept)
		json_object_update_missing(session.kept, kept);
	rc = proceed(r, purpose, &session, is_new);
	if (rc)
		return rc;
	*ret_session = session;
	session = (struct uia_session){ 0 };
	return 0;
}

int uia_gate(struct req *r)
{
	uia_session_auto session = { 0 };

	if (!(r->route->flags & ROUTE_UIA))
		return 0;
	return uia_require(r, &uia_confirm, NULL, &session);
}

void uia_spend(const struct hs_call *call, struct req *r)
{
	const char *id = jstr(auth_of(r), "session");

	if (id)
		uia_db_delete(call, id);
}

size_t uia_reap(void *hs_ptr, int64_t now_ms)
{
	struct hs *hs = hs_ptr;

	return uia_db_reap(hs->store, now_ms - UIA_LIFE_MS);
}

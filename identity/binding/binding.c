#include "identity/binding/binding.h"

#include "identity/binding/binding_db.h"
#include "identity/binding/lookup.h"
#include "identity/identity.h"
#include "identity/long_term_keys.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/canonical.h"

/* ---- making */

static json_t *user_or_null(const char *user_id)
{
	return user_id ? json_string(user_id) : json_null();
}

static json_t *time_or_null(const struct binding *binding, int64_t time_ms)
{
	return binding->user_id ? json_integer(time_ms) : json_null();
}

/* Spec: identity service API, "POST /_matrix/identity/v2/3pid/bind". A tombstone is not in the
 * specification; its nulls are what other services replicate. */
static json_t *association(const struct binding *binding)
{
	return json_pack("{ss ss so sI so so}", "medium", binding->threepid.medium, "address",
			 binding->threepid.address, "mxid", user_or_null(binding->user_id), "ts",
			 (json_int_t)binding->ts_ms, "not_before",
			 time_or_null(binding, binding->not_before_ms), "not_after",
			 time_or_null(binding, binding->not_after_ms));
}

static const char *signer_of(const json_t *object, struct mx_arena *mem)
{
	json_t *signatures = json_object_get(object, "signatures");

	return mx_arena_strdup(mem, json_object_iter_key(json_object_iter(signatures)));
}

static int sign(const struct identity_call *call, json_t *object, struct binding *binding,
		struct mx_error *err)
{
	mx_str_auto text = { 0 };
	int rc;

	if (!object)
		return mx_fail(err, MX_INVALID_PARAM, "The user id or the address is no text");
	rc = long_term_sign(call->identity->keys, object, err);
	if (rc == 0)
		rc = mx_canonical_json(object, NULL, &text, err);
	if (rc)
		return rc;
	binding->origin = signer_of(object, call->mem);
	binding->signed_json = mx_arena_slice(call->mem, mx_str_slice(&text));
	return 0;
}

/* A clock that went back must not make a new binding older than the one that it replaces. */
static int choose_time(const struct identity_call *call, const struct threepid *threepid,
		       int64_t *ret_ts_ms)
{
	struct binding stored;
	int rc = binding_load(call, threepid, &stored);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	*ret_ts_ms = call->now_ms;
	if (rc == 0 && stored.ts_ms >= call->now_ms)
		*ret_ts_ms = stored.ts_ms + 1;
	return 0;
}

static int make(const struct identity_call *call, struct binding *binding, struct mx_error *err)
{
	json_auto_t *object = association(binding);

	binding->ours = true;
	return sign(call, object, binding, err);
}

int binding_sign(const struct identity_call *call, const struct binding *binding,
		 struct binding *ret_binding, struct mx_error *err)
{
	struct binding made = *binding;
	int rc = make(call, &made, err);

	if (rc == 0)
		*ret_binding = made;
	return rc;
}

int binding_make(const struct identity_call *call, const struct threepid *threepid,
		 const char *user_id, struct binding *ret_binding, struct mx_error *err)
{
	struct binding binding = {
		.threepid.medium = mx_arena_strdup(call->mem, threepid->medium),
		.threepid.address = mx_arena_strdup(call->mem, threepid->address),
		.user_id = user_id ? mx_arena_strdup(call->mem, user_id) : NULL,
	};
	int rc = choose_time(call, threepid, &binding.ts_ms);

	if (rc)
		return rc;
	binding.not_before_ms = user_id ? call->now_ms : 0;
	binding.not_after_ms = user_id ? call->now_ms + BINDING_VALID_MS : 0;
	rc = make(call, &binding, err);
	if (rc == 0)
		*ret_binding = binding;
	return rc;
}

/* ---- storing */

static bool same_user(const struct binding *one, const struct binding *two)
{
	return streq(one->user_id, two->user_id) || (!one->user_id && !two->user_id);
}

int binding_compare(const struct identity_call *call, const struct binding *binding,
		    enum binding_standing *ret_standing)
{
	struct binding stored;
	int rc = binding_load(call, &binding->threepid, &stored);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc || stored.ts_ms < binding->ts_ms)
		*ret_standing = BINDING_NEWER;
	else if (stored.ts_ms == binding->ts_ms && same_user(&stored, binding))
		*ret_standing = BINDING_SAME;
	else
		*ret_standing = BINDING_OLDER;
	return 0;
}

bool binding_put(const struct identity_call *call, const struct binding *binding)
{
	struct binding stored, numbered = *binding;
	int rc = binding_load(call, &binding->threepid, &stored);
	uint64_t last;

	/* A failure to read sticks to the transaction: its commit reports it. */
	if (rc && rc != -MX_NOT_FOUND)
		return false;
	if (rc == 0 && stored.ts_ms > binding->ts_ms)
		return false;
	if (binding->ours) {
		if (binding_db_last_number(call->txn, call->mem, &last))
			return false;
		numbered.number = last + 1;
	}
	binding_db_put(call->txn, rc == 0 ? &stored : NULL, &numbered);
	lookup_update(call->txn, &numbered);
	return true;
}

/* ---- reading */

static bool is_in_force(const struct binding *binding, int64_t now_ms)
{
	return binding->user_id && binding->not_before_ms <= now_ms &&
	       now_ms < binding->not_after_ms;
}

int binding_find(const struct identity_call *call, const struct threepid *threepid,
		 struct binding *ret_binding)
{
	struct binding binding;
	int rc = binding_load(call, threepid, &binding);

	if (rc)
		return rc;
	if (!is_in_force(&binding, call->now_ms))
		return -MX_NOT_FOUND;
	*ret_binding = binding;
	return 0;
}

int binding_load(const struct identity_call *call, const struct threepid *threepid,
		 struct binding *ret_binding)
{
	const struct store_reader reader = reader_of(call);

	return binding_db_load(&reader, threepid, ret_binding);
}

int binding_of_user(const struct identity_call *call, const char *user_id, const struct page *page,
		    struct binding_list *ret_list)
{
	const struct store_reader reader = reader_of(call);

	return binding_db_of_user(&reader, user_id, page, ret_list);
}

int binding_each(struct store *store, void (*visit)(void *ctx, const struct binding *binding),
		 void *ctx, struct mx_error *err)
{
	return binding_db_each(store, visit, ctx, err);
}

int binding_log_raise(const struct identity_call *call, uint64_t number, bool *ret_raised)
{
	uint64_t last;
	int rc = binding_db_last_number(call->txn, call->mem, &last);

	if (rc)
		return rc;
	*ret_raised = last < number;
	if (last < number)
		binding_db_put_last_number(call->txn, number);
	return 0;
}

int binding_log(const struct identity_call *call, uint64_t after, size_t limit,
		struct binding **ret_items, size_t *ret_len)
{
	const struct store_reader reader = reader_of(call);

	return binding_db_log(&reader, after, limit, ret_items, ret_len);
}

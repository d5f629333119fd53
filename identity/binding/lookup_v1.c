#include "identity/binding/lookup_v1.h"

#include "identity/binding/listed.h"
#include "identity/binding/lookup.h"
#include "identity/binding/lookup_cost.h"
#include "identity/identity.h"
#include "identity/long_term_keys.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"

/* Clients know our key, not those of the services that we replicate with. */
static int countersign(const struct identity_call *call, const struct binding *binding,
		       struct mx_slice *ret_json, struct mx_error *err)
{
	json_t *object = json_loadb(binding->signed_json.ptr, binding->signed_json.len, 0, NULL);
	mx_str_auto text = { 0 };
	int rc;

	if (!object)
		return mx_fail(err, MX_STORE, "The association cannot be read");
	rc = long_term_sign(call->identity->keys, object, err);
	if (rc == 0)
		rc = mx_canonical_json(object, NULL, &text, err);
	json_decref(object);
	if (rc == 0)
		*ret_json = mx_arena_slice(call->mem, mx_str_slice(&text));
	return rc;
}

int lookup_v1_associate(const struct identity_call *call, const struct threepid *threepid,
			const char *user_id, struct mx_slice *ret_json, struct mx_error *err)
{
	struct binding binding;
	int rc = binding_make(call, threepid, user_id, &binding, err);

	if (rc == 0)
		*ret_json = binding.signed_json;
	return rc;
}

static int find_listed(const struct identity_call *call, const struct threepid *threepid,
		       struct mx_slice *ret_json, struct mx_error *err)
{
	struct listed listed;
	int rc = listed_find(call, threepid, &listed);

	return rc ? rc : lookup_v1_associate(call, threepid, listed.user_id, ret_json, err);
}

/* An address that is none is nobody's: no error, as clients send whole address books. */
static int find(const struct identity_call *call, const struct threepid *as_sent,
		struct mx_slice *ret_json, struct mx_error *err)
{
	struct threepid threepid;
	struct binding binding;
	int rc;

	if (threepid_parse(as_sent->medium, as_sent->address, call->mem, &threepid, NULL))
		return -MX_NOT_FOUND;
	rc = binding_find(call, &threepid, &binding);
	if (rc == -MX_NOT_FOUND)
		return find_listed(call, &threepid, ret_json, err);
	if (rc)
		return rc;
	if (!binding.ours)
		return countersign(call, &binding, ret_json, err);
	*ret_json = binding.signed_json;
	return 0;
}

int lookup_v1_one(const struct identity_call *call, const struct threepid *as_sent,
		  const char *asker, struct mx_slice *ret_json, struct mx_error *err)
{
	struct mx_slice json = { 0 };
	int rc = lookup_cost_take(call, asker, 1, err);

	if (rc)
		return rc;
	rc = find(call, as_sent, &json, err);
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc == 0)
		lookup_cost_settle(call, asker, 1);
	*ret_json = json;
	return 0;
}

static bool read_pair(const json_t *pair, struct threepid *ret_threepid)
{
	*ret_threepid = (struct threepid){
		.medium = json_string_value(json_array_get(pair, 0)),
		.address = json_string_value(json_array_get(pair, 1)),
	};
	return json_array_size(pair) == 2 && ret_threepid->medium && ret_threepid->address;
}

static int check_pairs(const json_t *threepids, struct mx_error *err)
{
	if (!json_is_array(threepids))
		return mx_fail(err, MX_INVALID_PARAM, "threepids must be a list");
	if (json_array_size(threepids) > LOOKUP_ADDRESSES_MAX)
		return mx_fail(err, MX_TOO_MANY, "At most %d addresses may be asked for at once",
			       LOOKUP_ADDRESSES_MAX);
	for (size_t i = 0; i < json_array_size(threepids); i++) {
		struct threepid threepid;

		if (!read_pair(json_array_get(threepids, i), &threepid))
			return mx_fail(err, MX_INVALID_PARAM,
				       "threepids must be a list of [medium, address]");
	}
	return 0;
}

static int find_user(const struct identity_call *call, const struct threepid *as_sent,
		     const char **ret_user_id)
{
	struct threepid threepid;

	if (threepid_parse(as_sent->medium, as_sent->address, call->mem, &threepid, NULL))
		return -MX_NOT_FOUND;
	return listed_or_bound(call, &threepid, ret_user_id);
}

static int find_all(const struct identity_call *call, const json_t *threepids, json_t *found)
{
	for (size_t i = 0; i < json_array_size(threepids); i++) {
		struct threepid as_sent;
		const char *user_id;
		int rc;

		read_pair(json_array_get(threepids, i), &as_sent);
		rc = find_user(call, &as_sent, &user_id);
		if (rc == 0)
			json_array_append_new(found, json_pack("[sss]", as_sent.medium,
							       as_sent.address, user_id));
		if (rc && rc != -MX_NOT_FOUND)
			return rc;
	}
	return 0;
}

int lookup_v1_bulk(const struct identity_call *call, const json_t *threepids, const char *asker,
		   json_t **ret_found, struct mx_error *err)
{
	json_t *found;
	int rc = check_pairs(threepids, err);

	if (rc == 0)
		rc = lookup_cost_take(call, asker, json_array_size(threepids), err);
	if (rc)
		return rc;
	found = json_array();
	rc = find_all(call, threepids, found);
	if (rc) {
		json_decref(found);
		return rc;
	}
	lookup_cost_settle(call, asker, json_array_size(found));
	*ret_found = found;
	return 0;
}

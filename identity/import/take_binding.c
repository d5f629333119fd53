/* Bindings that are taken over: the service's own, signed again, and those of its peers. */
#include "identity/bind/bind.h"
#include "identity/binding/association.h"
#include "identity/binding/binding.h"
#include "identity/import/take_item.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"

/* *ret_outcome NULL: it is to be stored. */
static int compare(const struct identity_call *call, const struct binding *binding,
		   const char **ret_outcome)
{
	static const char *const outcomes[] = {
		[BINDING_NEWER] = NULL,
		[BINDING_SAME] = TAKEN_KNOWN,
		[BINDING_OLDER] = "older: The address has a newer association here",
	};
	enum binding_standing standing;
	int rc = binding_compare(call, binding, &standing);

	if (rc == 0)
		*ret_outcome = outcomes[standing];
	return rc;
}

static const char *read_binding(const struct identity_call *call, const json_t *item,
				struct binding *ret_binding)
{
	struct binding binding = {
		.user_id = jstr(item, "mxid"),
		.ts_ms = jint(item, "ts", -1),
		.not_before_ms = jint(item, "not_before", 0),
		.not_after_ms = jint(item, "not_after", 0),
	};
	struct mx_error err = { 0 };
	struct mx_id id;

	if (threepid_parse(jstr_or(item, "medium", ""), jstr_or(item, "address", ""), call->mem,
			   &binding.threepid, &err))
		return item_refused(call, "bad_address", &err);
	if (binding.user_id && !mx_user_id_parse(mx_slice(binding.user_id), false, &id))
		return "bad_user: No Matrix user id";
	if (binding.ts_ms < 0 || binding.not_before_ms < 0 || binding.not_after_ms < 0)
		return "bad_time: No time";
	*ret_binding = binding;
	return NULL;
}

static int take_own(const struct identity_call *call, const json_t *item, const char *source,
		    const char **ret_outcome)
{
	struct binding binding, signed_again;
	struct mx_error err = { 0 };
	int rc;

	(void)source;
	*ret_outcome = read_binding(call, item, &binding);
	if (*ret_outcome)
		return 0;
	rc = compare(call, &binding, ret_outcome);
	if (rc || *ret_outcome)
		return rc;
	if (binding_sign(call, &binding, &signed_again, &err)) {
		*ret_outcome = item_refused(call, "bad_text", &err);
		return 0;
	}
	binding_put(call, &signed_again);
	*ret_outcome = TAKEN_NEW;
	return 0;
}

static const char *read_association(const struct identity_call *call, const json_t *item,
				    struct binding *ret_binding)
{
	struct association_source source = {
		.origin = jstr_or(item, "origin", ""),
		.number = (uint64_t)jint(item, "number", 0),
	};
	struct mx_error err = { 0 };
	uint8_t key[32];
	int rc;

	if (!mx_server_name_valid(mx_slice(source.origin)))
		return "bad_origin: No server name";
	/* A peer that was removed has no key any more; its associations are still answered. */
	if (jstr(item, "public_key")) {
		if (!association_key(jstr(item, "public_key"), key))
			return "bad_key: The peer's public key is none";
		source.public_key = key;
	}
	rc = association_read(jslice(item, "association"), &source, call->mem, ret_binding, &err);
	if (rc == -MX_BAD_SIGNATURE)
		return item_refused(call, "bad_signature", &err);
	return rc ? item_refused(call, "bad_association", &err) : NULL;
}

static int take_peers(const struct identity_call *call, const json_t *item, const char *source,
		      const char **ret_outcome)
{
	struct binding binding;
	int rc;

	(void)source;
	*ret_outcome = read_association(call, item, &binding);
	if (*ret_outcome)
		return 0;
	rc = compare(call, &binding, ret_outcome);
	if (rc || *ret_outcome)
		return rc;
	binding_put(call, &binding);
	*ret_outcome = TAKEN_NEW;
	return 0;
}

static void replaced_hash(const struct threepid *threepid, const char *user_id,
			  uint8_t ret_hash[MX_SHA256_LEN])
{
	mx_str_auto text = { 0 };

	mx_str_addf(&text, "replaced %s %s %s", threepid->medium, threepid->address, user_id);
	mx_sha256(mx_str_slice(&text), ret_hash);
}

/* Somebody had the address in another spelling. Its owner learns who has it now, once. */
static int take_replaced(const struct identity_call *call, const json_t *item, const char *source,
			 const char **ret_outcome)
{
	struct binding replaced, stored;
	uint8_t hash[MX_SHA256_LEN];
	bool again;
	int rc;

	(void)source;
	*ret_outcome = read_binding(call, item, &replaced);
	if (*ret_outcome)
		return 0;
	*ret_outcome = TAKEN_KNOWN;
	rc = binding_load(call, &replaced.threepid, &stored);
	if (rc == -MX_NOT_FOUND || !replaced.user_id)
		return 0;
	if (rc || streq(stored.user_id, replaced.user_id))
		return rc;
	replaced_hash(&replaced.threepid, replaced.user_id, hash);
	rc = item_is_again(call, hash, &again);
	if (rc || again)
		return rc;
	bind_tell(call, &replaced.threepid, stored.user_id, replaced.user_id);
	*ret_outcome = TAKEN_NEW;
	return 0;
}

static int take_last_number(const struct identity_call *call, const json_t *item,
			    const char *source, const char **ret_outcome)
{
	bool raised;
	int rc = binding_log_raise(call, (uint64_t)jint(item, "number", 0), &raised);

	(void)source;
	if (rc == 0)
		*ret_outcome = raised ? TAKEN_NEW : TAKEN_KNOWN;
	return rc;
}

const struct item_kind binding_kinds[] = {
	{ "last_number", take_last_number },
	{ "binding", take_own },
	{ "peer_binding", take_peers },
	{ "replaced", take_replaced },
	{ 0 },
};

#include "notary/inspect.h"

#include "notary/freshness.h"
#include "notary/notary.h"
#include "notary/trust.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"

#define CONFLICTS_SHOWN 100

static json_t *slice_json(struct mx_slice text)
{
	return text.len ? json_stringn(text.ptr, text.len) : json_null();
}

static json_t *key_text(const uint8_t public_key[32])
{
	mx_str_auto text = { 0 };

	mx_base64_add(&text, public_key, 32);
	return json_string(text.ptr);
}

static json_t *key_json(const struct key_entry_key *key)
{
	json_t *json = json_pack("{s:o, s:o, s:b}", "id", slice_json(key->id), "public_key",
				 key_text(key->public_key), "compromised", key->compromised);

	if (key->expired_ts)
		json_object_set_new(json, "expired_ts", json_integer(key->expired_ts));
	return json;
}

static json_t *keys_json(const struct key_version *version)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < version->keys_len; i++)
		json_array_append_new(keys, key_json(&version->keys[i]));
	return keys;
}

static json_t *version_json(struct notary *notary, struct mx_slice server,
			    const struct key_version *version)
{
	json_t *json = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "number", (json_int_t)version->number,
		"valid_until_ts", (json_int_t)version->valid_until_ts, "first_seen_ts",
		(json_int_t)version->first_seen_ms, "last_seen_ts",
		(json_int_t)version->last_seen_ms, "renewed_ts", (json_int_t)version->renewed_ms,
		"renewals", (json_int_t)version->renewals, "asked_again_ts",
		(json_int_t)version_half_life_ms(version));

	json_object_set_new(json, "source", slice_json(version->source));
	json_object_set_new(json, "address", slice_json(version->address));
	json_object_set_new(json, "certificate_sha256", slice_json(version->certificate));
	json_object_set_new(json, "served",
			    json_boolean(trust_fits_pins(notary->trust, server, version)));
	json_object_set_new(json, "keys", keys_json(version));
	return json;
}

static json_t *versions_json(struct notary *notary, const struct key_entry *entry)
{
	json_t *versions = json_array();

	for (size_t i = 0; i < entry->len; i++)
		json_array_append_new(versions,
				      version_json(notary, entry->server, &entry->versions[i]));
	return versions;
}

json_t *inspect_conflict(const struct key_conflict *conflict)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o}", "server",
			 slice_json(conflict->server), "key_id", slice_json(conflict->key_id),
			 "kept", key_text(conflict->kept), "refused", key_text(conflict->refused),
			 "first_seen_ts", (json_int_t)conflict->first_seen_ms, "last_seen_ts",
			 (json_int_t)conflict->last_seen_ms, "count", (json_int_t)conflict->count,
			 "source", slice_json(conflict->source));
}

json_t *inspect_fetch(const struct key_fetch_state *state)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:i, s:I, s:s, s:s}", "server",
			 slice_json(state->server), "last_try_ts", (json_int_t)state->last_try_ms,
			 "last_success_ts", (json_int_t)state->last_success_ms,
			 "backed_off_until_ts", (json_int_t)state->backed_off_until_ms, "failures",
			 (int)state->failures, "took_ms", (json_int_t)state->took_ms, "last_result",
			 mx_errc((enum mx_code) - state->last_rc)->name, "last_error",
			 state->last_error);
}

static int conflicts_json(struct notary *notary, struct mx_slice server, json_t **ret_json,
			  struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_conflict *conflicts;
	size_t len;
	int rc = key_history_conflicts(notary->history, server, CONFLICTS_SHOWN, mem, &conflicts,
				       &len, err);

	if (rc)
		return rc;
	*ret_json = json_array();
	for (size_t i = 0; i < len; i++)
		json_array_append_new(*ret_json, inspect_conflict(&conflicts[i]));
	return 0;
}

static json_t *fetch_json(struct notary *notary, struct mx_slice server)
{
	struct key_fetch_state state;

	if (!key_fetch_state(notary->fetcher, server, &state))
		return json_null();
	return inspect_fetch(&state);
}

int inspect_server(struct notary *notary, struct mx_slice server, json_t **ret_json,
		   struct mx_error *err)
{
	json_t *conflicts, *decision = trust_show(notary->trust, server);
	struct key_entry *entry;
	int rc = conflicts_json(notary, server, &conflicts, err);

	if (rc == 0) {
		rc = key_history_load(notary->history, server, &entry, err);
		if (rc)
			json_decref(conflicts);
	}
	if (rc) {
		json_decref(decision);
		return rc;
	}
	*ret_json = json_pack("{s:o, s:b, s:o, s:o, s:o, s:o}", "server", slice_json(server),
			      "allowed", trust_allows(notary->trust, server), "decision",
			      decision ? decision : json_null(), "versions",
			      versions_json(notary, entry), "conflicts", conflicts, "fetch",
			      fetch_json(notary, server));
	key_entry_unref(entry);
	return 0;
}

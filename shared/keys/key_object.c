#include "shared/keys/key_object.h"

#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sign_json.h"
#include "shared/id/mxid.h"
#include "shared/json/canonical.h"

#define ALGORITHM     "ed25519"
#define NODES_MAX     10000 /* values in one object */
#define KEY_ID_MAX    255
#define TIMESTAMP_MAX INT64_C(9007199254740991) /* Spec: appendices, "Canonical JSON" */

static const struct mx_json_limits limits = {
	.bytes = KEY_OBJECT_MAX,
	.nodes = NODES_MAX,
	.depth = 100,
	/* What others signed over a real cannot be known: each language writes it otherwise. */
	.no_reals = true,
};

/* One check under way. */
struct check {
	struct mx_slice server;
	enum key_policy policy;
	struct mx_arena *mem;
	struct mx_error *err;
	struct key_object object;
};

#define refuse(check, why, ...) (mx_fail((check)->err, MX_BAD_SIGNATURE, __VA_ARGS__), (why))

const char *key_refusal_name(enum key_refusal refusal)
{
	static const char *const names[KEY_REFUSALS] = {
		[KEY_FINE] = "fine",
		[KEY_NOT_JSON] = "not_json",
		[KEY_WRONG_SERVER] = "wrong_server",
		[KEY_BAD_SHAPE] = "bad_shape",
		[KEY_BAD_KEY] = "bad_key",
		[KEY_UNSIGNED] = "unsigned",
		[KEY_BAD_SIGNATURE] = "bad_signature",
		[KEY_COMPROMISED] = "compromised",
	};

	return refusal < KEY_REFUSALS ? names[refusal] : "unknown";
}

static bool is_printable(struct mx_slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	}
	return true;
}

/* An id as it may stand in a sentence. */
static const char *id_text(const struct check *check, struct mx_slice id)
{
	if (id.len > 64 || !is_printable(id))
		return "(an id that cannot be shown)";
	return mx_arena_strndup(check->mem, id.ptr, id.len);
}

static struct mx_slice copy_of(struct mx_arena *mem, const struct mx_str *text)
{
	return mx_arena_slice(mem, mx_str_slice(text));
}

/* Everything after this looks at the canonical bytes, so that what is checked is what is kept. */
static enum key_refusal read_text(struct check *check, struct mx_slice text)
{
	struct key_object *object = &check->object;
	mx_str_auto canonical = { 0 };
	mx_str_auto signed_bytes = { 0 };
	struct mx_json_doc doc;

	if (mx_json_scan(text, &limits, check->mem, &doc, check->err) != 0)
		return KEY_NOT_JSON;
	if (mx_json_type(&doc, 0) != MX_JSON_OBJECT)
		return refuse(check, KEY_BAD_SHAPE, "The answer is not a JSON object");
	if (mx_canonical(&doc, 0, NULL, &canonical, check->err) != 0)
		return KEY_NOT_JSON;
	object->bytes = copy_of(check->mem, &canonical);
	if (mx_json_scan(object->bytes, &limits, check->mem, &object->doc, check->err) != 0 ||
	    mx_signed_bytes(&object->doc, &signed_bytes, check->err) != 0)
		return KEY_NOT_JSON;
	object->signed_bytes = copy_of(check->mem, &signed_bytes);
	return KEY_FINE;
}

/* Names are case-sensitive. Without this anybody could publish keys in another's name. */
static enum key_refusal check_server(struct check *check)
{
	const struct mx_json_doc *doc = &check->object.doc;
	uint32_t node = mx_json_member(doc, 0, "server_name");

	if (!node || mx_json_type(doc, node) != MX_JSON_STRING)
		return refuse(check, KEY_BAD_SHAPE, "server_name is missing or no string");
	if (!mx_slice_eq(mx_json_string(doc, node, check->mem), check->server))
		return refuse(check, KEY_WRONG_SERVER, "server_name is another server's");
	check->object.server = mx_arena_slice(check->mem, check->server);
	return KEY_FINE;
}

static bool read_timestamp(const struct mx_json_doc *doc, uint32_t node, int64_t *ret_ts)
{
	return node && mx_json_i64(doc, node, ret_ts) && *ret_ts >= 0 && *ret_ts <= TIMESTAMP_MAX;
}

static enum key_refusal check_valid_until(struct check *check)
{
	const struct mx_json_doc *doc = &check->object.doc;
	uint32_t node = mx_json_member(doc, 0, "valid_until_ts");

	if (!read_timestamp(doc, node, &check->object.valid_until_ts))
		return refuse(check, KEY_BAD_SHAPE,
			      "valid_until_ts is missing or no integer from 0 to 2^53 - 1");
	return KEY_FINE;
}

static bool values_are(const struct mx_json_doc *doc, uint32_t object, enum mx_json_type type)
{
	for (uint32_t i = mx_json_first(doc, object); i < mx_json_end(doc, object);) {
		uint32_t value = mx_json_next(doc, i);

		if (mx_json_type(doc, value) != type)
			return false;
		i = mx_json_next(doc, value);
	}
	return true;
}

/* Signatures by others are kept, so they must not be of a shape that spoils the whole answer for
 * strict readers. */
static enum key_refusal check_signatures_shape(struct check *check)
{
	const struct mx_json_doc *doc = &check->object.doc;
	uint32_t node = mx_json_member(doc, 0, "signatures");
	bool good = false;

	if (!node)
		return refuse(check, KEY_UNSIGNED, "The object is not signed");
	if (mx_json_type(doc, node) == MX_JSON_OBJECT && values_are(doc, node, MX_JSON_OBJECT)) {
		good = true;
		for (uint32_t i = mx_json_first(doc, node); i < mx_json_end(doc, node);) {
			uint32_t of_server = mx_json_next(doc, i);

			good = good && values_are(doc, of_server, MX_JSON_STRING);
			i = mx_json_next(doc, of_server);
		}
	}
	return good ? KEY_FINE : refuse(check, KEY_BAD_SHAPE, "signatures is malformed");
}

static bool is_ed25519(struct mx_slice id)
{
	const char *colon = memchr(id.ptr, ':', id.len);

	return mx_slice_is(mx_slice_of(id.ptr, colon ? (size_t)(colon - id.ptr) : id.len),
			   ALGORITHM);
}

static bool has_controls(struct mx_slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return true;
	}
	return false;
}

static bool read_public_key(struct check *check, uint32_t node, uint8_t ret_public_key[32])
{
	const struct mx_json_doc *doc = &check->object.doc;
	uint32_t key = mx_json_member(doc, node, "key");

	return key && mx_json_type(doc, key) == MX_JSON_STRING &&
	       mx_base64_decode_exact(mx_json_string(doc, key, check->mem), ret_public_key,
				      MX_ED25519_PUBLIC_LEN) &&
	       mx_ed25519_public_ok(ret_public_key);
}

static enum key_refusal read_expiry(struct check *check, uint32_t node, struct key_entry_key *key)
{
	const struct mx_json_doc *doc = &check->object.doc;

	if (!read_timestamp(doc, mx_json_member(doc, node, "expired_ts"), &key->expired_ts))
		return refuse(check, KEY_BAD_KEY, "Old key %s has no proper expired_ts",
			      id_text(check, key->id));
	/* 0 would make it a verify key; nothing was signed in the first millisecond. */
	if (key->expired_ts == 0)
		key->expired_ts = 1;
	return KEY_FINE;
}

/* An entry of one of the two maps; algorithms that we do not know say nothing to us. */
static enum key_refusal read_key(struct check *check, struct mx_slice id, uint32_t node, bool old)
{
	struct key_entry_key key = { .id = id };
	struct mx_key_id parts;
	enum key_refusal refusal;

	if (mx_json_type(&check->object.doc, node) != MX_JSON_OBJECT)
		return refuse(check, KEY_BAD_SHAPE, "Key %s is no object", id_text(check, id));
	if (!is_ed25519(id))
		return KEY_FINE;
	if (id.len > KEY_ID_MAX || has_controls(id) || !mx_key_id_parse(id, &parts))
		return refuse(check, KEY_BAD_KEY, "%s is no key id", id_text(check, id));
	if (!read_public_key(check, node, key.public_key))
		return refuse(check, KEY_BAD_KEY, "Key %s is no usable Ed25519 key",
			      id_text(check, id));
	key.strict_id = mx_key_id_is_strict(&parts);
	key.compromised = key_is_compromised(key.public_key);
	refusal = old ? read_expiry(check, node, &key) : KEY_FINE;
	if (refusal == KEY_FINE)
		check->object.keys[check->object.keys_len++] = key;
	return refusal;
}

static enum key_refusal read_map(struct check *check, uint32_t map, bool old)
{
	const struct mx_json_doc *doc = &check->object.doc;
	enum key_refusal refusal = KEY_FINE;

	for (uint32_t i = mx_json_first(doc, map); i < mx_json_end(doc, map);) {
		uint32_t value = mx_json_next(doc, i);

		refusal = read_key(check, mx_json_string(doc, i, check->mem), value, old);
		if (refusal != KEY_FINE)
			break;
		i = mx_json_next(doc, value);
	}
	return refusal;
}

/* One id, two keys: whoever sees only one of the maps would be misled. */
static enum key_refusal check_id_uses(struct check *check)
{
	const struct key_entry_key *keys = check->object.keys;

	for (size_t i = 0; i < check->object.keys_len; i++) {
		for (size_t j = 0; j < i; j++) {
			if (mx_slice_eq(keys[i].id, keys[j].id) &&
			    memcmp(keys[i].public_key, keys[j].public_key, 32) != 0)
				return refuse(check, KEY_BAD_SHAPE,
					      "Key id %s stands for two different keys",
					      id_text(check, keys[i].id));
		}
	}
	return KEY_FINE;
}

static enum key_refusal read_keys(struct check *check)
{
	const struct mx_json_doc *doc = &check->object.doc;
	uint32_t verify = mx_json_member(doc, 0, "verify_keys");
	uint32_t old = mx_json_member(doc, 0, "old_verify_keys");
	enum key_refusal refusal;
	size_t count;

	if (!verify || mx_json_type(doc, verify) != MX_JSON_OBJECT)
		return refuse(check, KEY_BAD_SHAPE, "verify_keys is missing or no object");
	if (old && mx_json_type(doc, old) != MX_JSON_OBJECT)
		return refuse(check, KEY_BAD_SHAPE, "old_verify_keys is no object");
	count = (size_t)doc->nodes[verify].count + (old ? doc->nodes[old].count : 0);
	if (count > KEY_OBJECT_KEYS)
		return refuse(check, KEY_NOT_JSON, "More than %d keys", KEY_OBJECT_KEYS);
	check->object.keys = mx_arena_calloc(check->mem, count ? count : 1,
					     sizeof(struct key_entry_key));
	refusal = read_map(check, verify, false);
	if (refusal == KEY_FINE && check->object.keys_len == 0)
		return refuse(check, KEY_BAD_SHAPE, "No verify key is an " ALGORITHM " key");
	if (refusal == KEY_FINE && old)
		refusal = read_map(check, old, true);
	return refusal == KEY_FINE ? check_id_uses(check) : refusal;
}

static enum key_refusal check_compromised(struct check *check)
{
	for (size_t i = 0; i < check->object.keys_len; i++) {
		const struct key_entry_key *key = &check->object.keys[i];

		if (key->expired_ts == 0 && !key->compromised)
			return KEY_FINE;
	}
	return refuse(check, KEY_COMPROMISED, "All verify keys are known to be compromised");
}

/* A signature by a compromised key proves nothing. But those who do not know the list look at it,
 * so it must be there where all have to be, and may never be wrong. */
static enum key_refusal check_signatures(struct check *check)
{
	const struct key_object *object = &check->object;
	size_t missing = 0, proofs = 0;

	for (size_t i = 0; i < object->keys_len; i++) {
		const struct key_entry_key *key = &object->keys[i];

		if (key->expired_ts != 0)
			continue;
		switch (mx_check_signature(&object->doc, object->signed_bytes, object->server,
					   key->id, key->public_key)) {
		case MX_SIG_GOOD: proofs += !key->compromised; break;
		case MX_SIG_ABSENT: missing++; break;
		case MX_SIG_BAD:
			return refuse(check, KEY_BAD_SIGNATURE, "The signature by %s is wrong",
				      id_text(check, key->id));
		}
	}
	if (proofs == 0)
		return refuse(check, KEY_UNSIGNED, "No listed key signed the object");
	if (check->policy == KEY_POLICY_ALL && missing > 0)
		return refuse(check, KEY_UNSIGNED, "%zu verify keys did not sign the object",
			      missing);
	return KEY_FINE;
}

enum key_refusal key_object_check(struct mx_slice text, struct mx_slice server,
				  enum key_policy policy, struct mx_arena *mem,
				  struct key_object *ret_object, struct mx_error *err)
{
	static enum key_refusal (*const steps[])(struct check * check) = {
		check_server, check_valid_until, check_signatures_shape,
		read_keys,    check_compromised, check_signatures,
	};
	struct check check = { .server = server, .policy = policy, .mem = mem, .err = err };
	enum key_refusal refusal = read_text(&check, text);

	for (size_t i = 0; refusal == KEY_FINE && i < sizeof(steps) / sizeof(steps[0]); i++)
		refusal = steps[i](&check);
	if (refusal == KEY_FINE)
		*ret_object = check.object;
	return refusal;
}

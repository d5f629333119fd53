#include "shared/crypto/sign_json.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/canonical.h"

#define SIGNATURES "signatures"

static const char *const not_signed[] = { SIGNATURES, "unsigned", NULL };

static int not_an_object(struct mx_error *err)
{
	return mx_fail(err, MX_BAD_JSON, "Only a JSON object can be signed");
}

int mx_signed_bytes(const struct mx_json_doc *doc, struct mx_str *out, struct mx_error *err)
{
	if (mx_json_type(doc, 0) != MX_JSON_OBJECT)
		return not_an_object(err);
	return mx_canonical(doc, 0, not_signed, out, err);
}

static void add_signature(struct mx_str *out, struct mx_slice message,
			  const struct mx_signing_key *key)
{
	uint8_t signature[MX_ED25519_SIG_LEN];

	mx_signing_key_sign(key, message, signature);
	mx_base64_add(out, signature, sizeof(signature));
}

/* The member, made if it is not there; NULL if it is no object. */
static json_t *object_member(json_t *object, const char *key)
{
	json_t *member = json_object_get(object, key);

	if (!member) {
		member = json_object();
		json_object_set_new(object, key, member);
	}
	return json_is_object(member) ? member : NULL;
}

int mx_sign_json(json_t *object, const char *server, const struct mx_signing_key *key,
		 struct mx_error *err)
{
	mx_str_auto message = { 0 };
	mx_str_auto signature = { 0 };
	json_t *of_server;
	int rc;

	if (!json_is_object(object))
		return not_an_object(err);
	rc = mx_canonical_json(object, not_signed, &message, err);
	if (rc != 0)
		return rc;
	of_server = object_member(object, SIGNATURES);
	if (of_server)
		of_server = object_member(of_server, server);
	if (!of_server)
		return mx_fail(err, MX_BAD_JSON, "The existing signatures are malformed");
	add_signature(&signature, mx_str_slice(&message), key);
	json_object_set_new(of_server, mx_signing_key_id(key),
			    json_stringn(signature.ptr, signature.len));
	return 0;
}

/* mx_json_member() for names that are slices; no name with a NUL is looked for. */
static uint32_t member(const struct mx_json_doc *doc, uint32_t node, struct mx_slice key)
{
	mx_autofree char *name = NULL;

	if (memchr(key.ptr, '\0', key.len))
		return 0;
	name = mx_strndup(key.ptr, key.len);
	return mx_json_member(doc, node, name);
}

static bool decode_signature(const struct mx_json_doc *doc, uint32_t node,
			     uint8_t ret_signature[MX_ED25519_SIG_LEN])
{
	mx_arena_auto *mem = NULL;

	if (mx_json_type(doc, node) != MX_JSON_STRING)
		return false;
	/* Some encoders write the slashes of base64 as `\/`. */
	if (doc->nodes[node].escaped)
		mem = mx_arena_new(0);
	return mx_base64_decode_exact(mx_json_string(doc, node, mem), ret_signature,
				      MX_ED25519_SIG_LEN);
}

enum mx_sig_state mx_check_signature(const struct mx_json_doc *doc, struct mx_slice signed_bytes,
				     struct mx_slice server, struct mx_slice key_id,
				     const uint8_t public_key[32])
{
	uint8_t signature[MX_ED25519_SIG_LEN];
	uint32_t node = mx_json_member(doc, 0, SIGNATURES);

	if (node)
		node = member(doc, node, server);
	if (node)
		node = member(doc, node, key_id);
	if (!node)
		return MX_SIG_ABSENT;
	if (!decode_signature(doc, node, signature))
		return MX_SIG_BAD;
	return mx_ed25519_verify(public_key, signed_bytes, signature) ? MX_SIG_GOOD : MX_SIG_BAD;
}

/* Canonical text of an object and one member that it shall have. */
struct addition {
	struct mx_slice object;
	struct mx_slice key;
	struct mx_slice value; /* canonical too */
};

static void add_member(struct mx_str *out, struct mx_slice key, struct mx_slice value)
{
	if (out->ptr[out->len - 1] != '{')
		mx_str_add_char(out, ',');
	mx_canonical_string(out, key);
	mx_str_add_char(out, ':');
	mx_str_add_slice(out, value);
}

/* Appends the object with the member added, or put in place of the one that has its name. */
static void put_member(const struct mx_json_doc *doc, const struct addition *addition,
		       struct mx_arena *mem, struct mx_str *out)
{
	bool done = false;

	mx_str_add_char(out, '{');
	for (uint32_t i = mx_json_first(doc, 0); i < mx_json_end(doc, 0);) {
		uint32_t value = mx_json_next(doc, i);
		struct mx_slice key = mx_json_string(doc, i, mem);
		int order = mx_slice_cmp(key, addition->key);

		if (order >= 0 && !done) {
			add_member(out, addition->key, addition->value);
			done = true;
		}
		if (order != 0)
			add_member(out, key, mx_json_raw(doc, value));
		i = mx_json_next(doc, value);
	}
	if (!done)
		add_member(out, addition->key, addition->value);
	mx_str_add_char(out, '}');
}

static int add_to_object(const struct addition *addition, struct mx_str *out, struct mx_error *err)
{
	const struct mx_json_limits limits = {
		.bytes = addition->object.len,
		.nodes = UINT32_MAX,
		.depth = UINT32_MAX,
	};
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_json_doc doc;
	int rc = mx_json_scan(addition->object, &limits, mem, &doc, err);

	if (rc == 0)
		put_member(&doc, addition, mem, out);
	return rc;
}

/* The canonical form of an object that may be absent: then `{}`. */
static int canonical_or_empty(const struct mx_json_doc *doc, uint32_t node, struct mx_str *out,
			      struct mx_error *err)
{
	if (!node) {
		mx_str_add_text(out, "{}");
		return 0;
	}
	if (mx_json_type(doc, node) != MX_JSON_OBJECT)
		return mx_fail(err, MX_BAD_JSON, "The existing signatures are malformed");
	return mx_canonical(doc, node, NULL, out, err);
}

static int add_own(struct mx_slice signed_bytes, const struct mx_signing_key *key,
		   struct mx_str *own, struct mx_error *err)
{
	mx_str_auto value = { 0 };
	mx_str_auto grown = { 0 };
	struct addition addition = { mx_str_slice(own), mx_slice(mx_signing_key_id(key)), { 0 } };
	int rc;

	mx_str_add_char(&value, '"');
	add_signature(&value, signed_bytes, key);
	mx_str_add_char(&value, '"');
	addition.value = mx_str_slice(&value);
	rc = add_to_object(&addition, &grown, err);
	if (rc != 0)
		return rc;
	mx_str_clear(own);
	mx_str_add_slice(own, mx_str_slice(&grown));
	return 0;
}

int mx_countersign(const struct mx_json_doc *doc, struct mx_slice signed_bytes, const char *server,
		   const struct mx_signing_key *const *keys, size_t count, struct mx_str *out,
		   struct mx_error *err)
{
	mx_str_auto own = { 0 }, others = { 0 }, all = { 0 }, whole = { 0 };
	uint32_t signatures = mx_json_member(doc, 0, SIGNATURES);
	uint32_t of_server = signatures ? mx_json_member(doc, signatures, server) : 0;
	int rc;

	if (mx_json_type(doc, 0) != MX_JSON_OBJECT)
		return not_an_object(err);
	rc = canonical_or_empty(doc, of_server, &own, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_own(signed_bytes, keys[i], &own, err);
	if (rc == 0)
		rc = canonical_or_empty(doc, signatures, &others, err);
	if (rc == 0)
		rc = add_to_object(&(struct addition){ mx_str_slice(&others), mx_slice(server),
						       mx_str_slice(&own) },
				   &all, err);
	if (rc == 0)
		rc = mx_canonical(doc, 0, NULL, &whole, err);
	if (rc == 0)
		rc = add_to_object(&(struct addition){ mx_str_slice(&whole), MX_SLICE(SIGNATURES),
						       mx_str_slice(&all) },
				   out, err);
	return rc;
}

#include "identity/binding/association.h"

#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/hex.h"
#include "shared/core/str.h"
#include "shared/crypto/sign_json.h"
#include "shared/id/mxid.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"

#define TIME_MAX ((INT64_C(1) << 53) - 1)

bool association_key(const char *text, uint8_t ret_key[32])
{
	uint8_t key[32];

	if (strlen(text) != 2 * sizeof(key))
		return mx_base64_decode_exact(mx_slice(text), ret_key, sizeof(key));
	for (size_t i = 0; i < sizeof(key); i++) {
		int high = mx_hex_digit(text[2 * i]), low = mx_hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret_key, key, sizeof(key));
	return true;
}

static const struct mx_json_limits limits = {
	.bytes = ASSOCIATION_BYTES_MAX, .nodes = 2000, .depth = 16, .no_reals = true
};

/* Key ids are no evidence: services that replicate all call their key "ed25519:0", and configure
 * its bytes. */
static bool is_signed(const struct mx_json_doc *doc, struct mx_slice bytes,
		      const struct association_source *source, struct mx_arena *mem)
{
	uint32_t all = mx_json_member(doc, 0, "signatures");
	uint32_t own = all ? mx_json_member(doc, all, source->origin) : 0;

	if (!own || mx_json_type(doc, own) != MX_JSON_OBJECT)
		return false;
	for (uint32_t i = mx_json_first(doc, own); i < mx_json_end(doc, own); i++) {
		struct mx_slice id = mx_json_string(doc, i, mem);

		if (mx_check_signature(doc, bytes, mx_slice(source->origin), id,
				       source->public_key) == MX_SIG_GOOD)
			return true;
		i = mx_json_next(doc, i);
		if (mx_json_type(doc, i) != MX_JSON_STRING)
			return false;
	}
	return false;
}

static int check_signature(const struct mx_json_doc *doc, const struct association_source *source,
			   struct mx_arena *mem, struct mx_error *err)
{
	mx_str_auto bytes = { 0 };
	int rc;

	if (!source->public_key)
		return 0;
	rc = mx_signed_bytes(doc, &bytes, err);
	if (rc == 0 && !is_signed(doc, mx_str_slice(&bytes), source, mem))
		rc = mx_fail(err, MX_BAD_SIGNATURE, "It is not signed by %s with its key",
			     source->origin);
	return rc;
}

static bool read_text(const struct mx_json_doc *doc, const char *name, struct mx_arena *mem,
		      const char **ret_text)
{
	uint32_t node = mx_json_member(doc, 0, name);
	struct mx_slice text;

	if (!node || mx_json_type(doc, node) != MX_JSON_STRING)
		return false;
	text = mx_json_string(doc, node, mem);
	if (memchr(text.ptr, '\0', text.len))
		return false;
	*ret_text = mx_arena_slice(mem, text).ptr;
	return true;
}

static bool read_time(const struct mx_json_doc *doc, const char *name, int64_t *ret_ms)
{
	uint32_t node = mx_json_member(doc, 0, name);

	return node && mx_json_i64(doc, node, ret_ms) && *ret_ms >= 0 && *ret_ms <= TIME_MAX;
}

static bool is_null(const struct mx_json_doc *doc, const char *name)
{
	uint32_t node = mx_json_member(doc, 0, name);

	return node && mx_json_type(doc, node) == MX_JSON_NULL;
}

static bool read_user(const struct mx_json_doc *doc, struct mx_arena *mem, struct binding *binding)
{
	struct mx_id id;

	return read_text(doc, "mxid", mem, &binding->user_id) &&
	       mx_user_id_parse(mx_slice(binding->user_id), false, &id) &&
	       read_time(doc, "not_before", &binding->not_before_ms) &&
	       read_time(doc, "not_after", &binding->not_after_ms);
}

static int read_members(const struct mx_json_doc *doc, struct mx_arena *mem,
			struct binding *binding, struct mx_error *err)
{
	const char *medium, *address;

	if (!read_text(doc, "medium", mem, &medium) || !read_text(doc, "address", mem, &address))
		return mx_fail(err, MX_BAD_JSON, "medium and address must be text");
	if (!read_time(doc, "ts", &binding->ts_ms))
		return mx_fail(err, MX_BAD_JSON, "ts must be a time");
	if (!is_null(doc, "mxid") && !read_user(doc, mem, binding))
		return mx_fail(err, MX_BAD_JSON,
			       "mxid, not_before and not_after must be a user and "
			       "times, or mxid null");
	return threepid_parse(medium, address, mem, &binding->threepid, err);
}

int association_read(struct mx_slice text, const struct association_source *source,
		     struct mx_arena *mem, struct binding *ret_binding, struct mx_error *err)
{
	struct binding binding = {
		.origin = mx_arena_strdup(mem, source->origin),
		.number = source->number,
	};
	mx_str_auto bytes = { 0 };
	struct mx_json_doc doc;
	int rc = mx_json_scan(text, &limits, mem, &doc, err);

	if (rc)
		return rc == -MX_TOO_LARGE ? mx_fail(err, MX_BAD_JSON, "It is too long") : rc;
	if (mx_json_type(&doc, 0) != MX_JSON_OBJECT)
		return mx_fail(err, MX_BAD_JSON, "It is no object");
	rc = read_members(&doc, mem, &binding, err);
	if (rc == 0)
		rc = check_signature(&doc, source, mem, err);
	if (rc == 0)
		rc = mx_canonical(&doc, 0, NULL, &bytes, err);
	if (rc)
		return rc;
	binding.signed_json = mx_arena_slice(mem, mx_str_slice(&bytes));
	*ret_binding = binding;
	return 0;
}

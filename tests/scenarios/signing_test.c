/* Vectors and rules of signed JSON: tests/scenarios/signing. The member that a file has tells
 * what it is about. */
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sha256.h"
#include "shared/crypto/sign_json.h"
#include "shared/id/mxid.h"
#include "shared/json/canonical.h"
#include "tests/support/scenario.h"
#include "tests/support/signed_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_text(const struct mx_str *got, struct mx_slice expected)
{
	if (!mx_slice_eq(mx_str_slice(got), expected))
		fail_msg("got %.*s, not %.*s", (int)got->len, got->ptr, MX_SLICE_ARG(expected));
}

/* The object itself, or the text that stands in a string because it is no good JSON. */
static struct mx_slice input_of(const struct scenario *scenario, const char *key)
{
	struct mx_slice text = scenario_text(scenario, "text");

	return text.ptr ? text : scenario_raw(scenario, key);
}

static int code_of(const char *name)
{
	for (int code = 0; code < MX_CODE_COUNT; code++) {
		if (streq(mx_errc((enum mx_code)code)->name, name))
			return code;
	}
	fail_msg("there is no code %s", name);
	return MX_OK;
}

static int signed_bytes_of(const struct scenario *scenario, struct mx_slice text,
			   struct mx_json_doc *ret_doc, struct mx_str *out)
{
	int rc = mx_json_scan(text, &mx_json_default_limits, scenario->mem, ret_doc, NULL);

	return rc ? rc : mx_signed_bytes(ret_doc, out, NULL);
}

static void check_refused(const struct scenario *scenario)
{
	mx_str_auto bytes = { 0 };
	struct mx_json_doc doc;

	assert_int_equal(signed_bytes_of(scenario, input_of(scenario, "object"), &doc, &bytes),
			 -code_of(scenario_cstr(scenario, "refused")));
	assert_int_equal(bytes.len, 0);
}

static void check_signed_bytes(const struct scenario *scenario)
{
	mx_str_auto bytes = { 0 };
	struct mx_json_doc doc;

	assert_int_equal(signed_bytes_of(scenario, input_of(scenario, "object"), &doc, &bytes), 0);
	assert_text(&bytes, scenario_text(scenario, "signed_bytes"));
}

static enum mx_sig_state state_of(const struct scenario *scenario, struct mx_slice text,
				  const uint8_t public_key[32])
{
	mx_str_auto bytes = { 0 };
	struct mx_json_doc doc;

	assert_int_equal(signed_bytes_of(scenario, text, &doc, &bytes), 0);
	return mx_check_signature(&doc, mx_str_slice(&bytes), scenario_text(scenario, "server"),
				  scenario_text(scenario, "key"), public_key);
}

/* The published signature comes out, stands where it belongs, and verifies. */
static void check_signature(const struct scenario *scenario, struct mx_slice signature)
{
	struct mx_slice object = scenario_raw(scenario, "object");
	struct mx_signing_key *key = signed_fixture_key(scenario_cstr(scenario, "key"),
							scenario_text(scenario, "seed"));
	const struct mx_signing_key *const keys[] = { key };
	uint8_t raw[MX_ED25519_SIG_LEN];
	mx_str_auto bytes = { 0 };
	mx_str_auto whole = { 0 };
	mx_str_auto text = { 0 };
	struct mx_json_doc doc;

	assert_int_equal(signed_bytes_of(scenario, object, &doc, &bytes), 0);
	mx_signing_key_sign(key, mx_str_slice(&bytes), raw);
	mx_base64_add(&text, raw, sizeof(raw));
	assert_text(&text, signature);
	assert_int_equal(mx_countersign(&doc, mx_str_slice(&bytes),
					scenario_cstr(scenario, "server"), keys, 1, &whole, NULL),
			 0);
	assert_non_null(memmem(whole.ptr, whole.len, signature.ptr, signature.len));
	assert_int_equal(state_of(scenario, mx_str_slice(&whole), mx_signing_key_public(key)),
			 MX_SIG_GOOD);
	mx_signing_key_free(key);
}

/* The same through a tree that we built. */
static void check_tree_signature(const struct scenario *scenario, struct mx_slice signature)
{
	struct mx_slice object = scenario_raw(scenario, "object");
	struct mx_signing_key *key = signed_fixture_key(scenario_cstr(scenario, "key"),
							scenario_text(scenario, "seed"));
	json_t *tree = json_loadb(object.ptr, object.len, JSON_ALLOW_NUL, NULL);
	json_t *of_server;

	assert_non_null(tree);
	assert_int_equal(mx_sign_json(tree, scenario_cstr(scenario, "server"), key, NULL), 0);
	of_server = json_object_get(json_object_get(tree, "signatures"),
				    scenario_cstr(scenario, "server"));
	assert_true(mx_slice_is(
		signature, json_string_value(json_object_get(of_server, mx_signing_key_id(key)))));
	json_decref(tree);
	mx_signing_key_free(key);
}

static void check_verdict(const struct scenario *scenario)
{
	static const char *const names[] = {
		[MX_SIG_ABSENT] = "absent",
		[MX_SIG_BAD] = "bad",
		[MX_SIG_GOOD] = "good",
	};
	uint8_t public_key[32];
	struct mx_slice text;

	signed_fixture_bytes(scenario_text(scenario, "public_key"), public_key);
	text = signed_fixture_object(scenario, input_of(scenario, "object"));
	assert_string_equal(names[state_of(scenario, text, public_key)],
			    scenario_cstr(scenario, "verdict"));
}

static void check_countersigned(const struct scenario *scenario)
{
	mx_str_auto whole = { 0 };

	mx_str_add_slice(&whole, signed_fixture_object(scenario, scenario_raw(scenario, "object")));
	assert_text(&whole, scenario_text(scenario, "countersigned"));
}

static void check_hash(const struct scenario *scenario)
{
	uint8_t digest[MX_SHA256_LEN];
	mx_str_auto text = { 0 };

	mx_sha256(scenario_text(scenario, "hashed"), digest);
	mx_base64url_add(&text, digest, sizeof(digest));
	assert_text(&text, scenario_text(scenario, "digest"));
}

static void hex_add(struct mx_str *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		mx_str_addf(out, "%02x", bytes[i]);
}

static void check_base64(const struct scenario *scenario)
{
	struct scenario item;
	uint32_t cursor = 0;

	while (scenario_next(scenario, "base64", &cursor, &item)) {
		uint8_t bytes[64];
		size_t len = 0;
		mx_str_auto hex = { 0 };
		bool good = mx_base64_decode(scenario_text(&item, "in"), bytes, sizeof(bytes),
					     &len);

		assert_int_equal(good, scenario_has(&item, "bytes"));
		if (!good)
			continue;
		hex_add(&hex, bytes, len);
		assert_text(&hex, scenario_text(&item, "bytes"));
	}
}

static void check_key_ids(const struct scenario *scenario)
{
	struct scenario item;
	uint32_t cursor = 0;

	while (scenario_next(scenario, "key_ids", &cursor, &item)) {
		struct mx_key_id id;
		bool good = mx_key_id_parse(scenario_text(&item, "id"), &id);

		assert_int_equal(good, scenario_has(&item, "algorithm"));
		if (!good)
			continue;
		assert_true(mx_slice_eq(id.algorithm, scenario_text(&item, "algorithm")));
		assert_true(mx_slice_eq(id.version, scenario_text(&item, "version")));
		assert_int_equal(mx_key_id_is_strict(&id), scenario_bool(&item, "strict", true));
	}
}

static void check(const struct scenario *scenario)
{
	struct mx_slice signature = scenario_text(scenario, "signature");
	bool known = false;

	if (signature.ptr) {
		check_signature(scenario, signature);
		if (!scenario_bool(scenario, "beyond_2_53", false))
			check_tree_signature(scenario, signature);
		known = true;
	}
	static const struct {
		const char *member;
		void (*check)(const struct scenario *scenario);
	} kinds[] = {
		{ "refused", check_refused }, { "signed_bytes", check_signed_bytes },
		{ "verdict", check_verdict }, { "countersigned", check_countersigned },
		{ "digest", check_hash },     { "base64", check_base64 },
		{ "key_ids", check_key_ids },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!scenario_has(scenario, kinds[i].member))
			continue;
		kinds[i].check(scenario);
		known = true;
	}
	assert_true(known);
}

int main(void)
{
	mx_crypto_init();
	return scenarios_run("signing", check);
}

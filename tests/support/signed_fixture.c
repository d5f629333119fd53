#include "tests/support/signed_fixture.h"

#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sign_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

void signed_fixture_bytes(struct mx_slice base64, uint8_t ret_bytes[32])
{
	if (!mx_base64_decode_exact(base64, ret_bytes, 32))
		fail_msg("%.*s is not base64 of 32 bytes", MX_SLICE_ARG(base64));
}

struct mx_signing_key *signed_fixture_key(const char *id, struct mx_slice seed)
{
	uint8_t bytes[MX_ED25519_SEED_LEN];

	signed_fixture_bytes(seed, bytes);
	return mx_signing_key_new(id, bytes);
}

static struct mx_slice sign(const struct scenario *signature, struct mx_slice object)
{
	struct mx_signing_key *key = signed_fixture_key(scenario_cstr(signature, "key"),
							scenario_text(signature, "seed"));
	const struct mx_signing_key *const keys[] = { key };
	mx_str_auto signed_bytes = { 0 };
	mx_str_auto out = { 0 };
	struct mx_json_doc doc;

	assert_int_equal(mx_json_scan(object, &mx_json_default_limits, signature->mem, &doc, NULL),
			 0);
	assert_int_equal(mx_signed_bytes(&doc, &signed_bytes, NULL), 0);
	assert_int_equal(mx_countersign(&doc, mx_str_slice(&signed_bytes),
					scenario_cstr(signature, "server"), keys, 1, &out, NULL),
			 0);
	mx_signing_key_free(key);
	return mx_arena_slice(signature->mem, mx_str_slice(&out));
}

struct mx_slice signed_fixture_object(const struct scenario *scenario, struct mx_slice object)
{
	struct scenario signature;
	uint32_t cursor = 0;

	while (scenario_next(scenario, "sign", &cursor, &signature))
		object = sign(&signature, object);
	return object;
}

/* X-Matrix headers: tests/scenarios/xmatrix. Each file has a header and what parsing it gives;
 * with a request, also whether that is what was signed; with a seed, also the header that we
 * would send. */
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/crypto/ed25519.h"
#include "shared/keys/xmatrix.h"
#include "tests/support/scenario.h"
#include "tests/support/signed_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_slice(struct mx_slice got, struct mx_slice expected)
{
	if (!mx_slice_eq(got, expected))
		fail_msg("got %.*s, not %.*s", MX_SLICE_ARG(got), MX_SLICE_ARG(expected));
}

static void assert_rc(int rc, struct mx_slice expected, const struct mx_error *err)
{
	if (!mx_slice_is(expected, mx_errc((enum mx_code) - rc)->name))
		fail_msg("%s (%s), not %.*s", mx_errc((enum mx_code) - rc)->name, err->text,
			 MX_SLICE_ARG(expected));
}

/* The header, with a long run in place of the text REPEAT if there is "repeat". */
static struct mx_slice header_of(const struct scenario *scenario)
{
	struct mx_slice header = scenario_text(scenario, "header");
	const char *at = memmem(header.ptr, header.len, "REPEAT", 6);
	mx_str_auto out = { 0 };

	if (!scenario_has(scenario, "repeat"))
		return header;
	assert_non_null(at);
	mx_str_add(&out, header.ptr, (size_t)(at - header.ptr));
	for (int64_t i = 0; i < scenario_int(scenario, "repeat", 0); i++)
		mx_str_add_char(&out, 'a');
	mx_str_add(&out, at + 6, (size_t)(header.ptr + header.len - at) - 6);
	return mx_arena_slice(scenario->mem, mx_str_slice(&out));
}

static struct xmatrix_request request_of(const struct scenario *scenario)
{
	struct scenario request;

	assert_true(scenario_object(scenario, "request", &request));
	return (struct xmatrix_request){
		.method = scenario_cstr(&request, "method"),
		.target = scenario_cstr(&request, "target"),
		.origin = scenario_text(&request, "origin"),
		.destination = scenario_text(&request, "destination"),
		.content = scenario_text(&request, "content"),
		.destination_name = scenario_cstr(&request, "destination_name"),
	};
}

static void check_verified(const struct scenario *scenario, const struct xmatrix *parsed)
{
	const struct xmatrix_request request = request_of(scenario);
	struct mx_error err = { 0 };
	uint8_t public_key[32];
	int rc;

	signed_fixture_bytes(scenario_text(scenario, "public_key"), public_key);
	rc = xmatrix_verify(parsed, &request, public_key, scenario->mem, &err);
	assert_rc(rc, scenario_text(scenario, "verified"), &err);
}

/* It has the expected signature, and we ourselves understand and accept it. */
static void check_built(const struct scenario *scenario)
{
	struct mx_signing_key *key = signed_fixture_key(scenario_cstr(scenario, "build_key"),
							scenario_text(scenario, "seed"));
	const struct xmatrix_request request = request_of(scenario);
	mx_str_auto header = { 0 };
	struct xmatrix parsed;
	int rc = xmatrix_build(&request, key, scenario->mem, &header, NULL);

	assert_rc(rc, scenario_text(scenario, "built"), &(struct mx_error){ 0 });
	if (rc == 0) {
		assert_slice(mx_str_slice(&header), scenario_text(scenario, "header"));
		assert_int_equal(xmatrix_parse(mx_str_slice(&header), scenario->mem, &parsed, NULL),
				 0);
		assert_int_equal(xmatrix_verify(&parsed, &request, mx_signing_key_public(key),
						scenario->mem, NULL),
				 0);
	} else {
		assert_int_equal(header.len, 0);
	}
	mx_signing_key_free(key);
}

static void check_parsed(const struct scenario *scenario)
{
	struct mx_error err = { 0 };
	struct xmatrix parsed = { 0 };
	int rc = xmatrix_parse(header_of(scenario), scenario->mem, &parsed, &err);

	assert_rc(rc, scenario_text(scenario, "parsed"), &err);
	if (rc != 0) {
		assert_null(parsed.origin.ptr);
		return;
	}
	assert_slice(parsed.origin, scenario_text(scenario, "origin"));
	assert_slice(parsed.destination, scenario_text(scenario, "destination"));
	assert_slice(parsed.key, scenario_text(scenario, "key"));
	assert_slice(parsed.sig, scenario_text(scenario, "sig"));
	if (scenario_has(scenario, "verified"))
		check_verified(scenario, &parsed);
}

static void check(const struct scenario *scenario)
{
	if (scenario_has(scenario, "parsed"))
		check_parsed(scenario);
	if (scenario_has(scenario, "seed"))
		check_built(scenario);
	assert_true(scenario_has(scenario, "parsed") || scenario_has(scenario, "seed"));
}

int main(void)
{
	mx_crypto_init();
	return scenarios_run("xmatrix", check);
}

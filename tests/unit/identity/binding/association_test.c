#include "identity/binding/association.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sign_json.h"
#include "shared/json/json.h"
#include "tests/support/store_fixture.h"

static const uint8_t seed[32] = { 7 };
static struct mx_signing_key *key;
static struct mx_arena *mem;

static int setup(void **state)
{
	(void)state;
	mx_crypto_init();
	key = mx_signing_key_new("ed25519:0", seed);
	mem = mx_arena_new(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mx_signing_key_free(key);
	mx_arena_free(mem);
	return 0;
}

#define ANN                                                                                   \
	"{\"medium\":\"email\",\"address\":\"Ann@x.test\",\"mxid\":\"@ann:p.test\",\"ts\":5," \
	"\"not_before\":6,\"not_after\":7}"
#define TOMBSTONE                                                                  \
	"{\"medium\":\"email\",\"address\":\"ann@x.test\",\"mxid\":null,\"ts\":5," \
	"\"not_before\":null,\"not_after\":null}"

/* The text of what p.test has signed, with blanks as services leave them. */
static const char *signed_text(const char *text, const char *origin)
{
	json_auto_t *object = json_loads(text, 0, NULL);
	char *dumped;
	const char *kept;

	assert_int_equal(mx_sign_json(object, origin, key, NULL), 0);
	dumped = json_dumps(object, 0);
	kept = mx_arena_strdup(mem, dumped);
	free(dumped);
	return kept;
}

static int read_it(const char *text, struct binding *binding, struct mx_error *err)
{
	const struct association_source source = { "p.test", mx_signing_key_public(key), 41 };

	return association_read(mx_slice(text), &source, mem, binding, err);
}

static void what_a_peer_signed_is_read(void **state)
{
	struct binding binding;

	(void)state;
	assert_int_equal(read_it(signed_text(ANN, "p.test"), &binding, NULL), 0);
	assert_string_equal(binding.threepid.address, "ann@x.test");
	assert_string_equal(binding.user_id, "@ann:p.test");
	assert_int_equal(binding.ts_ms, 5);
	assert_int_equal(binding.not_after_ms, 7);
	assert_int_equal(binding.number, 41);
	assert_string_equal(binding.origin, "p.test");
	assert_false(binding.ours);
	/* The bytes stay the signer's. */
	assert_non_null(strstr(binding.signed_json.ptr, "\"address\":\"Ann@x.test\""));
	assert_int_equal(read_it(binding.signed_json.ptr, &binding, NULL), 0);
}

static void a_tombstone_has_no_user(void **state)
{
	struct binding binding;

	(void)state;
	assert_int_equal(read_it(signed_text(TOMBSTONE, "p.test"), &binding, NULL), 0);
	assert_null(binding.user_id);
	assert_int_equal(binding.ts_ms, 5);
}

static void another_signer_is_refused(void **state)
{
	const uint8_t other_seed[32] = { 8 };
	struct mx_signing_key *own = key;
	struct binding binding;
	const char *text;

	(void)state;
	assert_int_equal(read_it(signed_text(ANN, "q.test"), &binding, NULL), -MX_BAD_SIGNATURE);
	assert_int_equal(read_it(ANN, &binding, NULL), -MX_BAD_SIGNATURE);
	key = mx_signing_key_new("ed25519:0", other_seed);
	text = signed_text(ANN, "p.test");
	mx_signing_key_free(key);
	key = own;
	assert_int_equal(read_it(text, &binding, NULL), -MX_BAD_SIGNATURE);
}

static void signatures_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[]",
		"{\"p.test\":[]}",
		"{\"p.test\":{}}",
		"{\"p.test\":\"x\"}",
		"{\"p.test\":{\"ed25519:0\":[\"x\"]}}",
		"{\"p.test\":{\"ed25519:0\":{\"a\":\"b\"},\"ed25519:1\":\"x\"}}",
	};
	struct binding binding;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *text = mx_arena_strf(mem, "{\"signatures\":%s,%s", bad[i], &ANN[1]);

		assert_int_equal(read_it(text, &binding, NULL), -MX_BAD_SIGNATURE);
	}
}

static void a_change_is_noticed(void **state)
{
	struct binding binding;
	char *text;

	(void)state;
	text = mx_arena_strdup(mem, signed_text(ANN, "p.test"));
	memcpy(strstr(text, "@ann:"), "@bob:", 5);
	assert_int_equal(read_it(text, &binding, NULL), -MX_BAD_SIGNATURE);
}

static void what_is_no_association_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"medium\":\"email\"}",
		"{\"medium\":\"email\",\"address\":\"a@x.test\",\"mxid\":\"@a:p.test\",\"ts\":5}",
		"{\"medium\":\"email\",\"address\":\"a@x.test\",\"mxid\":null}",
		"{\"medium\":\"email\",\"address\":\"a@x.test\",\"mxid\":null,\"ts\":-1}",
		"{\"medium\":\"email\",\"address\":\"a@x.test\",\"mxid\":null,\"ts\":1.0}",
		"{\"medium\":\"email\",\"address\":\"a@x.test\",\"mxid\":5,\"ts\":1}",
		"{\"medium\":\"email\",\"address\":\"a@x.test\",\"ts\":1}",
		"{\"medium\":\"email\",\"address\":\"a\\u0000@x.test\",\"mxid\":null,\"ts\":1}",
		"{\"medium\":\"fax\",\"address\":\"a@x.test\",\"mxid\":null,\"ts\":1}",
		"{\"medium\":\"email\",\"address\":\"nobody\",\"mxid\":null,\"ts\":1}",
		("{\"medium\":\"email\",\"address\":\"a@x.test\",\"mxid\":\"a\",\"ts\":1,"
		 "\"not_before\":1,\"not_after\":2}"),
	};
	const struct association_source source = { "p.test", NULL, 0 };
	struct binding binding;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(
			association_read(mx_slice(bad[i]), &source, mem, &binding, NULL), 0);
}

static void keys_are_base64_or_hexadecimal(void **state)
{
	static const char hex[] =
		"5c65f125159dedfb5dfde92727cc01d4522c6a7ecd6391a0a9e9d82f1ed3beca";
	uint8_t one[32], two[32];

	(void)state;
	assert_true(association_key(hex, one));
	assert_true(association_key("XGXxJRWd7ftd/eknJ8wB1FIsan7NY5GgqenYLx7Tvso", two));
	assert_memory_equal(one, two, 32);
	assert_false(association_key("5c65", one));
	assert_false(association_key("", one));
	assert_false(association_key(
		"5c65f125159dedfb5dfde92727cc01d4522c6a7ecd6391a0a9e9d82f1ed3becg", one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_peer_signed_is_read),
		cmocka_unit_test(a_tombstone_has_no_user),
		cmocka_unit_test(another_signer_is_refused),
		cmocka_unit_test(signatures_that_are_none_are_refused),
		cmocka_unit_test(a_change_is_noticed),
		cmocka_unit_test(what_is_no_association_is_refused),
		cmocka_unit_test(keys_are_base64_or_hexadecimal),
	};
	return cmocka_run_group_tests_name("binding/association", tests, setup, teardown);
}

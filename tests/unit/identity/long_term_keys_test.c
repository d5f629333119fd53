#include "identity/long_term_keys.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/crypto/keyfile.h"
#include "shared/crypto/sign_json.h"
#include "shared/json/json.h"
#include "shared/json/scan.h"
#include "tests/support/store_fixture.h"

struct files {
	char *directory, *path;
	struct mx_arena *mem;
};

static int setup(void **state)
{
	struct files *files = mx_calloc(1, sizeof(*files));

	mx_crypto_init();
	mx_log_setup(MX_LOG_ERROR, MX_LOG_TEXT);
	files->mem = mx_arena_new(0);
	files->directory = store_fixture_directory();
	files->path = mx_arena_strf(files->mem, "%s/key", files->directory);
	*state = files;
	return 0;
}

static int teardown(void **state)
{
	struct files *files = *state;

	store_fixture_directory_remove(files->directory);
	mx_arena_free(files->mem);
	mx_free(files);
	return 0;
}

static struct long_term_keys *open_keys(const struct files *files, const char *revoked)
{
	const char *const list[] = { revoked, NULL };
	const struct long_term_conf conf = { "id.test", files->path, list };
	struct mx_error err = { 0 };
	struct long_term_keys *keys;

	if (long_term_keys_new(&conf, &keys, &err))
		fail_msg("%s", err.text);
	return keys;
}

static void save_two(const struct files *files, const char *first, const char *second,
		     const char *retired)
{
	const uint8_t seeds[2][32] = { { 1 }, { 2 } };
	struct mx_keyring ring = { 0 };

	mx_keyring_add(&ring, mx_signing_key_new(first, seeds[0]));
	mx_keyring_add(&ring, mx_signing_key_new(second, seeds[1]));
	if (retired)
		assert_true(mx_keyring_retire(&ring, retired, 1700000000000));
	assert_int_equal(mx_keyfile_save(files->path, &ring, NULL), 0);
	mx_keyring_done(&ring);
}

static void a_key_is_made_once_and_named_as_clients_ask(void **state)
{
	char first[44], again[44], id[64];
	struct long_term_keys *keys = open_keys(*state, NULL);

	long_term_public(keys, first, id);
	assert_string_equal(id, "ed25519:0");
	long_term_keys_free(keys);
	keys = open_keys(*state, NULL);
	assert_true(long_term_find(keys, "ed25519:0", again));
	assert_string_equal(first, again);
	long_term_keys_free(keys);
}

static void the_signature_is_the_first_keys(void **state)
{
	struct files *files = *state;
	json_auto_t *object = json_pack("{s:s}", "mxid", "@a:b");
	mx_str_auto covered = { 0 };
	struct long_term_keys *keys;
	mx_autofree char *text = NULL;
	struct mx_json_doc doc;
	uint8_t public_key[32];
	char base64[44], id[64];

	save_two(files, "ed25519:1", "ed25519:2", NULL);
	keys = open_keys(files, NULL);
	assert_int_equal(long_term_sign(keys, object, NULL), 0);
	text = mx_json_text(object);
	assert_int_equal(
		mx_json_scan(mx_slice(text), &mx_json_default_limits, files->mem, &doc, NULL), 0);
	assert_int_equal(mx_signed_bytes(&doc, &covered, NULL), 0);
	long_term_public(keys, base64, id);
	assert_string_equal(id, "ed25519:1");
	assert_true(mx_base64_decode_exact(mx_slice(base64), public_key, 32));
	assert_int_equal(mx_check_signature(&doc, mx_str_slice(&covered), mx_slice("id.test"),
					    mx_slice(id), public_key),
			 MX_SIG_GOOD);
	assert_int_equal(mx_check_signature(&doc, mx_str_slice(&covered), mx_slice("id.test"),
					    mx_slice("ed25519:2"), public_key),
			 MX_SIG_ABSENT);
	long_term_keys_free(keys);
}

static void retired_keys_stay_valid_until_revoked(void **state)
{
	char old[44];
	struct long_term_keys *keys;

	save_two(*state, "ed25519:1", "ed25519:2", "ed25519:2");
	keys = open_keys(*state, NULL);
	assert_true(long_term_find(keys, "ed25519:2", old));
	assert_true(long_term_is_valid(keys, old));
	assert_false(long_term_find(keys, "ed25519:3", old));
	long_term_keys_free(keys);

	keys = open_keys(*state, old);
	assert_false(long_term_is_valid(keys, old));
	assert_false(long_term_find(keys, "ed25519:2", old));
	assert_true(long_term_find(keys, "ed25519:1", old));
	long_term_keys_free(keys);
}

static void the_key_that_signs_cannot_be_revoked(void **state)
{
	struct files *files = *state;
	struct long_term_keys *keys = open_keys(files, NULL);
	const char *revoked[] = { NULL, NULL };
	const struct long_term_conf conf = { "id.test", files->path, revoked };
	char base64[44], id[64];

	long_term_public(keys, base64, id);
	revoked[0] = base64;
	assert_int_equal(long_term_keys_reload(keys, &conf, NULL), -MX_BAD_CONFIG);
	assert_true(long_term_is_valid(keys, base64));
	long_term_keys_free(keys);
}

/* Public halves with '+' and '/' in them are found by counting seeds up. */
static void save_key_with_plus(const struct files *files, char ret_base64[44])
{
	uint8_t seed[32] = { 0 };

	do {
		struct mx_keyring ring = { 0 };
		mx_str_auto text = { 0 };

		seed[0]++;
		mx_keyring_add(&ring, mx_signing_key_new("ed25519:0", seed));
		mx_base64_add(&text, mx_signing_key_public(ring.keys[0]), 32);
		memcpy(ret_base64, text.ptr, 44);
		assert_int_equal(mx_keyfile_save(files->path, &ring, NULL), 0);
		mx_keyring_done(&ring);
	} while (!strchr(ret_base64, '+') || !strchr(ret_base64, '/'));
}

static void replace_all(char *text, char from, char to)
{
	for (; *text; text++)
		if (*text == from)
			*text = to;
}

static void every_spelling_of_a_key_is_that_key(void **state)
{
	char standard[44], other[48];
	struct long_term_keys *keys;

	save_key_with_plus(*state, standard);
	keys = open_keys(*state, NULL);
	assert_true(long_term_is_valid(keys, standard));
	snprintf(other, sizeof(other), "%s=", standard);
	assert_true(long_term_is_valid(keys, other));
	memcpy(other, standard, sizeof(standard));
	replace_all(other, '+', ' ');
	assert_true(long_term_is_valid(keys, other));
	memcpy(other, standard, sizeof(standard));
	replace_all(other, '+', '-');
	replace_all(other, '/', '_');
	assert_true(long_term_is_valid(keys, other));
	other[0] = other[0] == 'A' ? 'B' : 'A';
	assert_false(long_term_is_valid(keys, other));
	assert_false(long_term_is_valid(keys, ""));
	assert_false(long_term_is_valid(keys, "not a key at all, and far too long to be one, is it?"
					      " no, it is not"));
	long_term_keys_free(keys);
}

static void a_reload_takes_the_new_first_key(void **state)
{
	struct files *files = *state;
	const struct long_term_conf conf = { "id.test", files->path, NULL };
	struct long_term_keys *keys;
	char base64[44], id[64];

	save_two(files, "ed25519:1", "ed25519:2", NULL);
	keys = open_keys(files, NULL);
	save_two(files, "ed25519:3", "ed25519:1", "ed25519:1");
	assert_int_equal(long_term_keys_reload(keys, &conf, NULL), 0);
	long_term_public(keys, base64, id);
	assert_string_equal(id, "ed25519:3");
	assert_true(long_term_find(keys, "ed25519:1", base64));
	long_term_keys_free(keys);
}

#define with_files(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_files(a_key_is_made_once_and_named_as_clients_ask),
		with_files(the_signature_is_the_first_keys),
		with_files(retired_keys_stay_valid_until_revoked),
		with_files(the_key_that_signs_cannot_be_revoked),
		with_files(every_spelling_of_a_key_is_that_key),
		with_files(a_reload_takes_the_new_first_key),
	};

	return cmocka_run_group_tests_name("identity/long_term_keys", tests, NULL, NULL);
}

#include "identity/import/sydent_conf.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/keyfile.h"
#include "tests/support/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define SEED     "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"
#define SEED_HEX "6090c103d5e7af6b15a970fd563ed75549e6159719ae5c3c31dee4316fb75c0d"

static struct sydent_conf *parse(const char *text)
{
	struct sydent_conf *conf = NULL;
	struct mx_error err = { 0 };

	if (sydent_conf_parse(text, &conf, &err))
		fail_msg("%s", err.text);
	return conf;
}

static void says(const char *text, const char *section, const char *option, const char *value)
{
	struct sydent_conf *conf = parse(text);
	const char *found = sydent_conf_get(conf, section, option);

	if (value)
		assert_string_equal(found, value);
	else
		assert_null(found);
	sydent_conf_free(conf);
}

static void an_option_stands_in_its_section_or_in_the_default_one(void **state)
{
	(void)state;
	says("[general]\nserver.name = a\n", "general", "server.name", "a");
	says("[DEFAULT]\nserver.name = a\n", "general", "server.name", "a");
	says("[DEFAULT]\nserver.name = a\n[general]\nserver.name = b\n", "general", "server.name",
	     "b");
	says("[http]\nserver.name = a\n", "general", "server.name", NULL);
}

static void an_empty_option_is_a_default_that_was_written_over(void **state)
{
	(void)state;
	says("[DEFAULT]\nserver.name = a\n[general]\nserver.name =\n", "general", "server.name",
	     "a");
	says("[general]\nserver.name =  \n", "general", "server.name", NULL);
}

static void lines_are_read_as_python_does(void **state)
{
	(void)state;
	says("[a]\n# x = 1\n; x = 2\nX : 3\r\n", "a", "x", "3");
	says("[a]\nx = 100%% = all\n", "a", "x", "100% = all");
	says("[a]\nx\n= 1\n", "a", "x", NULL);
}

static char *printed(const char *text)
{
	struct sydent_conf *conf = parse(text);
	char *out = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&out, &len);

	sydent_conf_print(conf, file);
	fclose(file);
	sydent_conf_free(conf);
	return out;
}

static void our_configuration_is_printed(void **state)
{
	char *out = printed("[general]\nserver.name = id.test\nenable_v1_access = false\n"
			    "homeserver_allow_list = a.test, b.test\n[http]\n"
			    "client_http_base = https://id.test//\n[email]\n"
			    "email.smtphost = mail.test\nemail.smtpport = 465\n"
			    "email.tlsmode = TLS\nemail.from = \"x\x1b[31m\n");

	(void)state;
	assert_string_equal(out, "server_name: \"id.test\"\n"
				 "public_base_url: \"https://id.test\"\n"
				 "mail:\n  relay: \"mail.test\"\n  port: 465\n  tls: implicit\n"
				 "  from: \"\\\"x\\u001B[31m\"\n"
				 "homeservers:\n  allow:\n    - \"a.test\"\n    - \"b.test\"\n"
				 "endpoints:\n  off: [v1_lookup, v1_validation, v1_binding]\n");
	free(out);
}

/* ---- the key */

static void in_directory(void (*test)(const char *path))
{
	char *directory = store_fixture_directory();
	mx_autofree char *path = mx_strf("%s/signing.key", directory);

	mx_crypto_init();
	test(path);
	store_fixture_directory_remove(directory);
}

static bool add_key(const char *path, const char *value)
{
	mx_autofree char *text = mx_strf("[crypto]\ned25519.signingkey = %s\n", value);
	struct sydent_conf *conf = parse(text);
	struct mx_error err = { 0 };
	bool added;

	if (sydent_conf_key(conf, path, &added, &err))
		fail_msg("%s", err.text);
	sydent_conf_free(conf);
	return added;
}

static void add_once(const char *path)
{
	struct mx_keyring ring = { 0 };

	assert_true(add_key(path, "ed25519 0 " SEED));
	assert_false(add_key(path, "ed25519 0 " SEED));
	assert_false(add_key(path, SEED_HEX)); /* as old versions wrote it */
	assert_int_equal(mx_keyfile_load(path, &ring, NULL), 0);
	assert_int_equal(ring.len, 1);
	assert_string_equal(mx_signing_key_id(ring.keys[0]), "ed25519:0");
	mx_keyring_done(&ring);
}

static void a_key_is_added_once(void **state)
{
	(void)state;
	in_directory(add_once);
}

static void add_before_others(const char *path)
{
	const uint8_t seed[32] = { 1 }, other[32] = { 2 };
	struct mx_keyring ring = { 0 }, after = { 0 };

	mx_keyring_add(&ring, mx_signing_key_new("ed25519:0", seed));
	mx_keyring_add(&ring, mx_signing_key_new("ed25519:b", other));
	assert_int_equal(mx_keyfile_save(path, &ring, NULL), 0);
	assert_true(add_key(path, "ed25519 0 " SEED));
	assert_int_equal(mx_keyfile_load(path, &after, NULL), 0);
	assert_int_equal(after.len, 2);
	assert_string_equal(mx_signing_key_id(after.keys[0]), "ed25519:0");
	assert_string_equal(mx_signing_key_id(after.keys[1]), "ed25519:b");
	assert_int_equal(after.old_len, 1);
	assert_memory_equal(after.old[0].public_key, mx_signing_key_public(ring.keys[0]), 32);
	assert_true(mx_starts_with(after.old[0].id, "ed25519:replaced_"));
	mx_keyring_done(&ring);
	mx_keyring_done(&after);
}

static void it_signs_and_what_was_there_stays_valid(void **state)
{
	(void)state;
	in_directory(add_before_others);
}

static void refuse_key(const char *path)
{
	static const char *const bad[] = { "", "ed25519 0", "ed25519 0 x", ("rsa 0 " SEED) };
	bool added;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mx_autofree char *text = mx_strf("[crypto]\ned25519.signingkey = %s\n", bad[i]);
		struct sydent_conf *conf = parse(text);
		int rc = sydent_conf_key(conf, path, &added, NULL);

		assert_true(rc == -MX_BAD_KEY || rc == -MX_NOT_FOUND);
		sydent_conf_free(conf);
	}
}

static void what_is_no_key_is_refused(void **state)
{
	(void)state;
	in_directory(refuse_key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_option_stands_in_its_section_or_in_the_default_one),
		cmocka_unit_test(an_empty_option_is_a_default_that_was_written_over),
		cmocka_unit_test(lines_are_read_as_python_does),
		cmocka_unit_test(our_configuration_is_printed),
		cmocka_unit_test(a_key_is_added_once),
		cmocka_unit_test(it_signs_and_what_was_there_stays_valid),
		cmocka_unit_test(what_is_no_key_is_refused),
	};
	return cmocka_run_group_tests_name("import/sydent_conf", tests, NULL, NULL);
}

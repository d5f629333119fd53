#include "shared/crypto/keyfile.h"

#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/keyfile_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED_A   "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0"
#define HEX_A    "6090c103d5e7af6b15a970fd563ed75549e6159719ae5c3c31dee4316fb75c0d"
#define PUBLIC_A "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"
#define SEED_B   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define PUBLIC_B "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"

struct place {
	char directory[64];
	char path[96];
};

static int make_place(void **state)
{
	struct place *place = mx_calloc(1, sizeof(*place));

	snprintf(place->directory, sizeof(place->directory), "/tmp/keyfile-test-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	snprintf(place->path, sizeof(place->path), "%s/signing.key", place->directory);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	rmdir(place->directory);
	mx_free(place);
	return 0;
}

static void write_text(const char *path, const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static int load_text(const struct place *place, const char *text, struct mx_keyring *ring,
		     struct mx_error *err)
{
	write_text(place->path, text, strlen(text), 0600);
	return mx_keyfile_load(place->path, ring, err);
}

static void assert_public(const uint8_t public_key[MX_ED25519_PUBLIC_LEN], const char *base64)
{
	uint8_t expected[MX_ED25519_PUBLIC_LEN];

	assert_true(mx_base64_decode_exact(mx_slice(base64), expected, sizeof(expected)));
	assert_memory_equal(public_key, expected, sizeof(expected));
}

static void assert_key(const struct mx_signing_key *key, const char *id, const char *public_key)
{
	assert_string_equal(mx_signing_key_id(key), id);
	assert_public(mx_signing_key_public(key), public_key);
}

/* The file has this one key and no other. */
static void assert_one(const struct place *place, const char *text, const char *id)
{
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };

	if (load_text(place, text, &ring, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(ring.len, 1);
	assert_int_equal(ring.old_len, 0);
	assert_key(ring.keys[0], id, PUBLIC_A);
	mx_keyring_done(&ring);
}

static void assert_refused(const struct place *place, const char *text, const char *reason)
{
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };

	assert_int_equal(load_text(place, text, &ring, &err), -MX_BAD_KEY);
	assert_int_equal(ring.len, 0);
	if (!strstr(err.text, reason))
		fail_msg("\"%s\" is not in \"%s\"", reason, err.text);
	assert_null(strstr(err.text, SEED_A));
	assert_non_null(strstr(err.text, place->path));
}

static void a_line_of_synapse_is_a_key(void **state)
{
	assert_one(*state, "ed25519 a_RXGa " SEED_A "\n", "ed25519:a_RXGa");
	assert_one(*state, "ed25519 auto " SEED_A, "ed25519:auto");
	assert_one(*state, "\r\n  ed25519\tauto  " SEED_A "=\r\n\n\n", "ed25519:auto");
}

static void several_lines_are_several_keys(void **state)
{
	struct mx_keyring ring = { 0 };

	assert_int_equal(load_text(*state,
				   "ed25519 b " SEED_B "\n"
				   "ed25519 a " SEED_A "\n"
				   "ed25519 0ld 1576767829750 " PUBLIC_B "\n",
				   &ring, NULL),
			 0);
	assert_int_equal(ring.len, 2);
	assert_key(ring.keys[0], "ed25519:b", PUBLIC_B);
	assert_key(ring.keys[1], "ed25519:a", PUBLIC_A);
	assert_int_equal(ring.old_len, 1);
	assert_string_equal(ring.old[0].id, "ed25519:0ld");
	assert_int_equal(ring.old[0].expired_ts, INT64_C(1576767829750));
	assert_public(ring.old[0].public_key, PUBLIC_B);
	mx_keyring_done(&ring);
}

static void a_bare_seed_has_the_same_id_each_time(void **state)
{
	struct mx_keyring first = { 0 }, second = { 0 }, other = { 0 };

	assert_int_equal(load_text(*state, SEED_A "\n", &first, NULL), 0);
	assert_int_equal(load_text(*state, SEED_A, &second, NULL), 0);
	assert_int_equal(load_text(*state, SEED_B "\n", &other, NULL), 0);
	assert_int_equal(strlen(mx_signing_key_id(first.keys[0])), strlen("ed25519:a_ABCD"));
	assert_true(mx_starts_with(mx_signing_key_id(first.keys[0]), "ed25519:a_"));
	assert_key(second.keys[0], mx_signing_key_id(first.keys[0]), PUBLIC_A);
	assert_string_not_equal(mx_signing_key_id(first.keys[0]), mx_signing_key_id(other.keys[0]));
	mx_keyring_done(&first);
	mx_keyring_done(&second);
	mx_keyring_done(&other);
}

static void hexadecimal_digits_are_a_seed_of_sydent(void **state)
{
	assert_one(*state, HEX_A "\n", "ed25519:0");
}

static void the_option_of_sydent_is_a_key(void **state)
{
	assert_one(*state,
		   "[DEFAULT]\nserver.name = x\ned25519.signingkey = \n\n[crypto]\n"
		   "# ed25519.signingkey = nothing\n"
		   "ed25519.signingkey = ed25519 0 " SEED_A "\n",
		   "ed25519:0");
	assert_one(*state, "[crypto]\nEd25519.SigningKey: " HEX_A "\n", "ed25519:0");
	assert_one(*state,
		   "[crypto]\ned25519.signingkey = ed25519 1 " SEED_A "\n"
		   "[DEFAULT]\ned25519.signingkey = ed25519 2 " SEED_B "\n",
		   "ed25519:1");
}

static void a_pem_block_of_dendrite_is_a_key(void **state)
{
	assert_one(*state,
		   "-----BEGIN MATRIX PRIVATE KEY-----\nKey-ID: ed25519:Ci71pZ\n\n" SEED_A
		   "=\n-----END MATRIX PRIVATE KEY-----\n",
		   "ed25519:Ci71pZ");
	assert_one(
		*state,
		"-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n"
		"-----BEGIN MATRIX PRIVATE KEY-----\r\nComment: x\r\nKey-ID: ed25519:a\r\n\r\n" SEED_A
		"=\r\n-----END MATRIX PRIVATE KEY-----\r\n",
		"ed25519:a");
}

static void bad_lines_are_refused_with_their_number(void **state)
{
	assert_refused(*state, "ed25519 a " SEED_A "\n\nrsa 1 " SEED_B, "line 3: ");
	assert_refused(*state, "ed25519 a short\n", "line 1: the seed");
	assert_refused(*state, "ed25519 a " SEED_A "AA\n", "line 1: the seed");
	assert_refused(*state, "ed25519 a:b " SEED_A "\n", "line 1: the version");
	assert_refused(*state, "ed25519 a\"b " SEED_A "\n", "line 1: the version");
	assert_refused(*state, "ed25519 a\n", "line 1: ");
	assert_refused(*state, "ed25519 a 1 " PUBLIC_A " more\n", "line 1: ");
	assert_refused(*state, "nonsense\n", "line 1: neither");
	assert_refused(*state, "zz90c103d5e7af6b15a970fd563ed75549e6159719ae5c3c31dee4316fb75c0d",
		       "line 1: neither");
	assert_refused(*state, "ed25519 a " SEED_A "\ned25519 a " SEED_B "\n", "line 2: ");
	assert_refused(*state, "ed25519 a " SEED_A "\ned25519 a 1 " PUBLIC_B "\n", "line 2: ");
}

static void bad_old_keys_are_refused(void **state)
{
	assert_refused(*state, "ed25519 a " SEED_A "\ned25519 b x " PUBLIC_B "\n",
		       "line 2: the time");
	assert_refused(*state, "ed25519 a " SEED_A "\ned25519 b -1 " PUBLIC_B "\n",
		       "line 2: the time");
	assert_refused(*state, "ed25519 a " SEED_A "\ned25519 b 9007199254740992 " PUBLIC_B "\n",
		       "line 2: the time");
	assert_refused(*state,
		       "ed25519 a " SEED_A
		       "\ned25519 b 1 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		       "line 2: the public half");
	assert_refused(*state, "ed25519 a " SEED_A "\ned25519 b:c 1 " PUBLIC_B "\n",
		       "line 2: the version");
}

static void bad_pem_blocks_are_refused(void **state)
{
	const char *begin = "-----BEGIN MATRIX PRIVATE KEY-----\n";
	const char *end = "-----END MATRIX PRIVATE KEY-----\n";
	static const struct {
		const char *inside, *reason;
		bool ends;
	} cases[] = {
		{ "\n" SEED_A "=\n", "no Key-ID", true },
		{ "Key-ID: rsa:1\n\n" SEED_A "=\n", "does not start with ed25519:", true },
		{ "Key-ID: ed25519:\n\n" SEED_A "=\n", "no Key-ID", true },
		{ "Key-ID: ed25519:a\n\n", "no body", true },
		{ "Key-ID: ed25519:a\n\nAAAA\n", "the seed", true },
		{ "Key-ID: ed25519:a\n\n" SEED_A "=\nAAAA\n", "longer", true },
		{ "Key-ID: ed25519:a\n\n" SEED_A "=\n", "no end", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mx_autofree char *text = mx_strf("%s%s%s", begin, cases[i].inside,
						 cases[i].ends ? end : "");

		assert_refused(*state, text, cases[i].reason);
	}
}

static void a_file_without_a_signing_key_is_refused(void **state)
{
	assert_refused(*state, "", "no signing key");
	assert_refused(*state, "\n \n", "no signing key");
	assert_refused(*state, "[crypto]\ned25519.signingkey =\n", "no signing key");
	assert_refused(*state, "ed25519 b 1 " PUBLIC_B "\n", "no signing key");
}

static void a_file_that_is_no_text_is_refused(void **state)
{
	const struct place *place = *state;
	struct mx_keyring ring;
	struct mx_error err = { 0 };

	write_text(place->path, "ed25519\0a", 9, 0600);
	assert_int_equal(mx_keyfile_load(place->path, &ring, &err), -MX_BAD_KEY);
	assert_non_null(strstr(err.text, "not a text file"));
}

static void a_file_that_is_too_long_is_refused(void **state)
{
	mx_str_auto text = { 0 };

	mx_str_add_text(&text, "ed25519 a " SEED_A "\n");
	while (text.len <= MX_KEYFILE_MAX)
		mx_str_add_text(&text, "                              \n");
	assert_refused(*state, text.ptr, "bytes");
}

static void too_many_keys_are_refused(void **state)
{
	mx_str_auto text = { 0 };

	for (int i = 0; i <= MX_KEYFILE_KEYS_MAX; i++)
		mx_str_addf(&text, "ed25519 k%d " SEED_A "\n", i);
	assert_refused(*state, text.ptr, "line 65: too many");
}

static void a_missing_file_is_not_found(void **state)
{
	const struct place *place = *state;
	struct mx_keyring ring;

	assert_int_equal(mx_keyfile_load(place->path, &ring, NULL), -MX_NOT_FOUND);
	assert_int_equal(mx_keyfile_load(place->directory, &ring, NULL), -MX_BAD_KEY);
}

static void a_file_open_to_others_is_refused(void **state)
{
	const struct place *place = *state;
	static const char text[] = "ed25519 a " SEED_A "\n";
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };

	write_text(place->path, text, strlen(text), 0640);
	assert_int_equal(mx_keyfile_load(place->path, &ring, NULL), 0);
	mx_keyring_done(&ring);
	write_text(place->path, text, strlen(text), 0644);
	assert_int_equal(mx_keyfile_load(place->path, &ring, &err), -MX_BAD_KEY);
	assert_non_null(strstr(err.text, "others"));
	write_text(place->path, text, strlen(text), 0602);
	assert_int_equal(mx_keyfile_load(place->path, &ring, NULL), -MX_BAD_KEY);
}

static size_t files_in(const char *directory)
{
	DIR *dir = opendir(directory);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2; /* . and .. */
}

static void what_is_saved_can_be_loaded(void **state)
{
	const struct place *place = *state;
	struct mx_keyring ring = { 0 }, again = { 0 };
	struct stat info;

	assert_int_equal(load_text(place,
				   "ed25519 a " SEED_A "\ned25519 b " SEED_B
				   "\ned25519 c 12345 " PUBLIC_A "\n",
				   &ring, NULL),
			 0);
	chmod(place->path, 0640);
	assert_int_equal(mx_keyfile_save(place->path, &ring, NULL), 0);
	assert_int_equal(stat(place->path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(files_in(place->directory), 1);
	assert_int_equal(mx_keyfile_load(place->path, &again, NULL), 0);
	assert_int_equal(again.len, 2);
	assert_key(again.keys[0], "ed25519:a", PUBLIC_A);
	assert_key(again.keys[1], "ed25519:b", PUBLIC_B);
	assert_int_equal(again.old_len, 1);
	assert_int_equal(again.old[0].expired_ts, 12345);
	mx_keyring_done(&ring);
	mx_keyring_done(&again);
}

static void the_file_is_in_synapses_format(void **state)
{
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };
	size_t len = 0;
	char *text;

	assert_int_equal(load_text(*state, "ed25519 a " SEED_A "\ned25519 c 12345 " PUBLIC_A "\n",
				   &ring, NULL),
			 0);
	text = mx_keyfile_text_format(&ring, &len, &err);
	assert_non_null(text);
	assert_string_equal(text, "ed25519 a " SEED_A "\ned25519 c 12345 " PUBLIC_A "\n");
	assert_int_equal(len, strlen(text));
	sodium_free(text);
	mx_keyring_done(&ring);
}

static void a_retired_key_is_an_old_one(void **state)
{
	const struct place *place = *state;
	struct mx_keyring ring = { 0 }, again = { 0 };

	assert_int_equal(load_text(place, "ed25519 a " SEED_A "\n", &ring, NULL), 0);
	mx_keyring_add(&ring, mx_signing_key_generate());
	assert_false(mx_keyring_retire(&ring, "ed25519:unknown", 5));
	assert_true(mx_keyring_retire(&ring, "ed25519:a", 5));
	assert_int_equal(mx_keyfile_save(place->path, &ring, NULL), 0);
	assert_int_equal(mx_keyfile_load(place->path, &again, NULL), 0);
	assert_int_equal(again.len, 1);
	assert_string_equal(mx_signing_key_id(again.keys[0]), mx_signing_key_id(ring.keys[0]));
	assert_int_equal(again.old_len, 1);
	assert_string_equal(again.old[0].id, "ed25519:a");
	assert_int_equal(again.old[0].expired_ts, 5);
	assert_public(again.old[0].public_key, PUBLIC_A);
	mx_keyring_done(&ring);
	mx_keyring_done(&again);
}

static void what_could_not_be_loaded_is_not_saved(void **state)
{
	const struct place *place = *state;
	struct mx_keyring ring = { 0 };
	uint8_t seed[MX_ED25519_SEED_LEN] = { 1 };

	assert_int_equal(mx_keyfile_save(place->path, &ring, NULL), -MX_BAD_KEY);
	mx_keyring_add(&ring, mx_signing_key_new("ed25519:a b", seed));
	assert_int_equal(mx_keyfile_save(place->path, &ring, NULL), -MX_BAD_KEY);
	mx_keyring_done(&ring);
	mx_keyring_add(&ring, mx_signing_key_new("ed25519:a", seed));
	mx_keyring_add(&ring, mx_signing_key_new("ed25519:a", seed));
	assert_int_equal(mx_keyfile_save(place->path, &ring, NULL), -MX_BAD_KEY);
	mx_keyring_done(&ring);
	assert_int_equal(access(place->path, F_OK), -1);
}

static void a_failed_save_leaves_the_old_file(void **state)
{
	const struct place *place = *state;
	mx_autofree char *nowhere = mx_strf("%s/none/signing.key", place->directory);
	mx_autofree char *taken = mx_strf("%s/taken", place->directory);
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };

	assert_int_equal(load_text(place, "ed25519 a " SEED_A "\n", &ring, NULL), 0);
	assert_int_equal(mx_keyfile_save(nowhere, &ring, &err), -MX_STORE);
	/* A directory is in the way of the rename: no temporary file may stay. */
	assert_int_equal(mkdir(taken, 0700), 0);
	assert_int_equal(mx_keyfile_save(taken, &ring, &err), -MX_STORE);
	assert_int_equal(files_in(place->directory), 2);
	rmdir(taken);
	mx_keyring_done(&ring);
	assert_int_equal(mx_keyfile_load(place->path, &ring, NULL), 0);
	mx_keyring_done(&ring);
}

#define place_test(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		place_test(a_line_of_synapse_is_a_key),
		place_test(several_lines_are_several_keys),
		place_test(a_bare_seed_has_the_same_id_each_time),
		place_test(hexadecimal_digits_are_a_seed_of_sydent),
		place_test(the_option_of_sydent_is_a_key),
		place_test(a_pem_block_of_dendrite_is_a_key),
		place_test(bad_lines_are_refused_with_their_number),
		place_test(bad_old_keys_are_refused),
		place_test(bad_pem_blocks_are_refused),
		place_test(a_file_without_a_signing_key_is_refused),
		place_test(a_file_that_is_no_text_is_refused),
		place_test(a_file_that_is_too_long_is_refused),
		place_test(too_many_keys_are_refused),
		place_test(a_missing_file_is_not_found),
		place_test(a_file_open_to_others_is_refused),
		place_test(what_is_saved_can_be_loaded),
		place_test(the_file_is_in_synapses_format),
		place_test(a_retired_key_is_an_old_one),
		place_test(what_could_not_be_loaded_is_not_saved),
		place_test(a_failed_save_leaves_the_old_file),
	};

	mx_crypto_init();
	return cmocka_run_group_tests_name("crypto/keyfile", tests, NULL, NULL);
}

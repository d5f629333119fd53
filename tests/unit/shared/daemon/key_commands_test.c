#include "shared/daemon/key_commands.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

#include <stdio.h>
#include <unistd.h>

/* RFC 8032, 7.1, test 1: a seed and its public half; the seed of test 2. */
#define SEED_1   "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define PUBLIC_1 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define SEED_2   "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs"

static char directory[32];

static char *path_of(const char *name)
{
	return mx_strf("%s/%s", directory, name);
}

static int make_directory(void **state)
{
	(void)state;
	memcpy(directory, "/tmp/trinity-keys-XXXXXX", sizeof("/tmp/trinity-keys-XXXXXX"));
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	static const char *const names[] = { "a", "b" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		mx_autofree char *path = path_of(names[i]);

		unlink(path);
	}
	return rmdir(directory);
}

static void write_file(const char *name, const char *text)
{
	mx_autofree char *path = path_of(name);

	store_fixture_file(path, text);
}

static void load_file(const char *name, struct mx_keyring *ring)
{
	mx_autofree char *path = path_of(name);

	assert_int_equal(mx_keyfile_load(path, ring, NULL), 0);
}

static int add(const char *from, const char *into, struct mx_error *err)
{
	mx_autofree char *path = path_of(from), *into_path = path_of(into);

	return key_file_add(path, into_path, err);
}

/* What is printed while `run` runs goes to nobody. */
static int quietly(int (*run)(const char *path, struct mx_error *err), const char *name,
		   struct mx_error *err)
{
	mx_autofree char *path = path_of(name);
	FILE *real = stdout;
	int rc;

	stdout = fopen("/dev/null", "w");
	rc = run(path, err);
	fclose(stdout);
	stdout = real;
	return rc;
}

static int generate(const char *path, struct mx_error *err)
{
	return key_file_generate(path, "ed25519:0", err);
}

static void a_generated_key_has_the_id_that_was_asked_for(void **state)
{
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };

	(void)state;
	assert_int_equal(quietly(generate, "a", &err), 0);
	load_file("a", &ring);
	assert_string_equal(mx_signing_key_id(ring.keys[0]), "ed25519:0");
	mx_keyring_done(&ring);
	assert_int_equal(quietly(generate, "a", &err), -MX_CONFLICT);
}

static void keys_are_added_once_old_ones_too(void **state)
{
	struct mx_keyring ring = { 0 };

	(void)state;
	write_file("a", "ed25519 1 " SEED_1 "\n");
	write_file("b", "ed25519 2 " SEED_2 "\ned25519 1 " SEED_1 "\ned25519 old 5 " PUBLIC_1 "\n");
	assert_int_equal(add("b", "a", NULL), 0);
	assert_int_equal(add("b", "a", NULL), 0);
	load_file("a", &ring);
	assert_int_equal(ring.len, 2);
	assert_string_equal(mx_signing_key_id(ring.keys[0]), "ed25519:1");
	assert_int_equal(ring.old_len, 1);
	assert_string_equal(ring.old[0].id, "ed25519:old");
	mx_keyring_done(&ring);
}

static void a_retired_key_does_not_come_back(void **state)
{
	struct mx_keyring ring = { 0 };

	(void)state;
	write_file("a", "ed25519 2 " SEED_2 "\ned25519 1 5 " PUBLIC_1 "\n");
	write_file("b", "ed25519 1 " SEED_1 "\n");
	assert_int_equal(add("b", "a", NULL), 0);
	load_file("a", &ring);
	assert_int_equal(ring.len, 1);
	assert_int_equal(ring.old_len, 1);
	mx_keyring_done(&ring);
}

static void other_bytes_under_a_known_id_are_refused(void **state)
{
	struct mx_error err = { 0 };

	(void)state;
	write_file("a", "ed25519 1 " SEED_1 "\n");
	write_file("b", "ed25519 1 " SEED_2 "\n");
	assert_int_equal(add("b", "a", &err), -MX_CONFLICT);
	assert_string_equal(err.text, "ed25519:1 is there with other bytes");
	write_file("a", "ed25519 2 " SEED_2 "\ned25519 1 5 " PUBLIC_1 "\n");
	assert_int_equal(add("b", "a", &err), -MX_CONFLICT);
}

static void a_rotation_keeps_the_former_keys_as_old_ones(void **state)
{
	struct mx_keyring ring = { 0 };

	(void)state;
	write_file("a", "ed25519 1 " SEED_1 "\ned25519 2 " SEED_2 "\n");
	assert_int_equal(quietly(key_file_rotate, "a", NULL), 0);
	load_file("a", &ring);
	assert_int_equal(ring.len, 1);
	assert_int_equal(ring.old_len, 2);
	assert_string_equal(ring.old[0].id, "ed25519:1");
	mx_keyring_done(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_generated_key_has_the_id_that_was_asked_for,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(keys_are_added_once_old_ones_too, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(a_retired_key_does_not_come_back, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(other_bytes_under_a_known_id_are_refused,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(a_rotation_keeps_the_former_keys_as_old_ones,
						make_directory, remove_directory),
	};

	mx_crypto_init();
	return cmocka_run_group_tests_name("daemon/key_commands", tests, NULL, NULL);
}
